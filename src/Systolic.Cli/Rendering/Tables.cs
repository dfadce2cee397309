using Spectre.Console;

namespace Systolic.Cli.Rendering;

/// <summary>How tables look: lines above and below the header, texts to the left, figures to the right.</summary>
internal static class Tables
{
    /// <summary>A table with a heading; the first <paramref name="texts"/> columns hold text.</summary>
    public static Table Create(int texts, params string[] header)
    {
        var table = new Table { Border = TableBorder.Horizontal, UseSafeBorder = true };
        for (int i = 0; i < header.Length; i++)
        {
            table.AddColumn(new TableColumn(new Markup($"[bold]{Markup.Escape(header[i])}[/]").Ellipsis())
            {
                Alignment = i < texts ? Justify.Left : Justify.Right,
                NoWrap = true,
                Padding = new Padding(0, 0, i == header.Length - 1 ? 0 : 2, 0),
            });
        }

        return table;
    }

    /// <summary>Adds a row of plain texts; a text that does not fit ends in an ellipsis.</summary>
    public static void Add(this Table table, params string[] cells) => table.AddRow(cells.Select(cell => new Spectre.Console.Text(cell).Ellipsis()));
}
