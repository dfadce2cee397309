using System.Text;

namespace Systolic.Reporting;

/// <summary>A Markdown table whose columns also line up as plain text: the first <paramref name="texts"/> to the left, the others to the right.</summary>
internal sealed class MarkdownTable(string[] header, int texts = 1)
{
    private readonly List<string[]> _rows = [[.. header.Select(Escape)]];

    /// <summary>Adds a row of as many cells as the header has.</summary>
    public void Add(params string[] cells) => _rows.Add([.. cells.Select(Escape)]);

    /// <inheritdoc/>
    public override string ToString()
    {
        int[] widths = [.. Enumerable.Range(0, header.Length).Select(column => Math.Max(3, _rows.Max(row => row[column].Length)))];
        var text = new StringBuilder();
        for (int i = 0; i < _rows.Count; i++)
        {
            text.Append("| ").AppendJoin(" | ", _rows[i].Select((cell, column) => column < texts ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))).Append(" |\n");
            if (i == 0)
            {
                text.Append('|').AppendJoin('|', widths.Select((width, column) => column < texts ? new string('-', width + 2) : new string('-', width + 1) + ":")).Append("|\n");
            }
        }

        return text.ToString();
    }

    private static string Escape(string cell) => cell.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
