using System.Collections.Immutable;
using System.Globalization;

namespace Systolic.Units;

/// <summary>A CSV file with a fixed header (RFC 4180) that is read row by row; every problem is collected with line and column, so that all are reported together.</summary>
internal sealed class CsvTable
{
    /// <summary>The largest file that is read, in characters.</summary>
    public const int MaximumLength = JsonSection.MaximumLength;

    private readonly string _file;
    private readonly List<string> _problems = [];

    private CsvTable(string file, ImmutableArray<string> columns) => (_file, Columns) = (file, columns);

    /// <summary>Column names in order.</summary>
    public ImmutableArray<string> Columns { get; }

    /// <summary>The well-formed rows below the header.</summary>
    public ImmutableArray<CsvRow> Rows { get; private set; } = [];

    /// <summary>Parses a whole file whose first line must be <paramref name="columns"/>, exactly.</summary>
    /// <exception cref="InvalidDocumentException">The file is too long or has another header.</exception>
    public static CsvTable Parse(string text, string file, ImmutableArray<string> columns)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > MaximumLength)
        {
            throw new InvalidDocumentException(string.Create(CultureInfo.InvariantCulture, $"{file}: found {text.Length} characters, expected at most {MaximumLength}"));
        }

        var scanner = new CsvScanner(text);
        var fields = new List<string>();
        if (!scanner.Next(fields) || scanner.Problem is not null || !fields.SequenceEqual(columns, StringComparer.Ordinal))
        {
            throw new InvalidDocumentException($"{file}: line 1: found the header {UnitText.Quote(string.Join(',', fields))}, expected \"{string.Join(',', columns)}\"");
        }

        var table = new CsvTable(file, columns);
        table.Rows = table.ReadRows(ref scanner, fields);
        return table;
    }

    /// <summary>Records a problem of one row.</summary>
    public void Problem(int line, string message) => _problems.Add(string.Create(CultureInfo.InvariantCulture, $"{_file}: line {line}{message}"));

    /// <summary>Throws with all problems of the file, if there are any.</summary>
    /// <exception cref="InvalidDocumentException">A problem was recorded.</exception>
    public void Finish()
    {
        if (_problems.Count > 0)
        {
            throw new InvalidDocumentException(_problems);
        }
    }

    private ImmutableArray<CsvRow> ReadRows(ref CsvScanner scanner, List<string> fields)
    {
        ImmutableArray<CsvRow>.Builder rows = ImmutableArray.CreateBuilder<CsvRow>();
        while (scanner.Next(fields))
        {
            string? problem = scanner.Problem ?? CountProblem(fields.Count);
            if (problem is null)
            {
                rows.Add(new CsvRow(this, scanner.RecordLine, [.. fields]));
            }
            else
            {
                Problem(scanner.RecordLine, ": " + problem);
            }
        }

        return rows.ToImmutable();
    }

    private string? CountProblem(int count) => count == Columns.Length
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"found {count} fields, expected {Columns.Length}");
}
