using Spectre.Console;

namespace Systolic.Cli.Rendering;

/// <summary>A column of a <see cref="TextTable"/>.</summary>
/// <param name="Header">Its heading.</param>
/// <param name="Text">It holds words: aligned to the left, and shortened when the table is too wide. Figures are never shortened.</param>
internal sealed record Column(string Header, bool Text = false);

/// <summary>A table between lines that always fits the console: words give way, figures do not.</summary>
internal sealed class TextTable(params Column[] columns)
{
    private const int Gap = 1;
    private const int NarrowestText = 6;
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row of as many cells as there are columns.</summary>
    public void Add(params IEnumerable<string> cells) => _rows.Add([.. cells]);

    /// <summary>Adds a row: its name, and a cell for each other column.</summary>
    public void Add(string name, IEnumerable<string> cells) => Add([name, .. cells]);

    /// <summary>Draws the table.</summary>
    public void Draw(IAnsiConsole console)
    {
        int[] widths = Fit(console.Profile.Width);
        string ellipsis = console.Profile.Capabilities.Unicode ? "…" : "~";
        var table = new Table { Border = TableBorder.Horizontal, UseSafeBorder = true };
        for (int i = 0; i < columns.Length; i++)
        {
            table.AddColumn(new TableColumn(new Markup($"[bold]{Markup.Escape(Shorten(columns[i].Header, widths[i], ellipsis))}[/]"))
            {
                Alignment = columns[i].Text ? Justify.Left : Justify.Right,
                NoWrap = true,
                Width = widths[i],
                Padding = new Padding(0, 0, i == columns.Length - 1 ? 0 : Gap, 0),
            });
        }

        foreach (string[] row in _rows)
        {
            table.AddRow(row.Select((cell, i) => new Spectre.Console.Text(Shorten(cell, widths[i], ellipsis))));
        }

        console.Write(table);
    }

    private int[] Fit(int width)
    {
        int[] widths = [.. columns.Select((column, i) => _rows.Select(row => row[i].Length).Append(column.Header.Length).Max())];
        int margins = (columns.Length - 1) * (Gap + 1) + 2;
        int excess = widths.Sum() + margins - width;
        while (excess > 0 && WidestText(widths) is { } widest && widths[widest] > NarrowestText)
        {
            widths[widest]--;
            excess--;
        }

        return widths;
    }

    private int? WidestText(int[] widths)
    {
        int? widest = null;
        for (int i = 0; i < columns.Length; i++)
        {
            if (columns[i].Text && (widest is null || widths[i] > widths[widest.Value]))
            {
                widest = i;
            }
        }

        return widest;
    }

    private static string Shorten(string text, int width, string ellipsis) => text.Length <= width ? text : text[..(width - 1)] + ellipsis;
}
