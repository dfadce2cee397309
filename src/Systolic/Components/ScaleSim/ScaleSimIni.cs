using System.Globalization;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>An INI text as SCALE-Sim reads it: sections in brackets, "key : value" or "key = value", comments after # or ; at the start of a line; names in any letter case.</summary>
internal sealed class ScaleSimIni
{
    private readonly Dictionary<(string Section, string Key), (string Value, int Line)> _entries = new(NameComparer.Instance);
    private readonly HashSet<string> _sections = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<(string, string)> _read = new(NameComparer.Instance);
    private readonly List<string> _problems = [];
    private readonly string _file;

    private ScaleSimIni(string file) => _file = file;

    /// <summary>Splits a text into entries; malformed and repeated lines are problems that <see cref="Finish"/> reports.</summary>
    public static ScaleSimIni Parse(string text, string file)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ini = new ScaleSimIni(file);
        string section = "";
        int number = 0;
        foreach (ReadOnlySpan<char> line in text.AsSpan().TrimStart('\uFEFF').EnumerateLines())
        {
            section = ini.ReadLine(line.Trim(), ++number, section);
        }

        return ini;
    }

    /// <summary>The file has this section.</summary>
    public bool Has(string section) => _sections.Contains(section);

    /// <summary>The value of a key, or null where it is missing.</summary>
    public string? Optional(string section, string key)
    {
        _read.Add((section, key));
        return _entries.TryGetValue((section, key), out (string Value, int Line) entry) ? entry.Value : null;
    }

    /// <summary>The value of a key that must be there; empty when refused.</summary>
    public string Required(string section, string key)
    {
        string? value = Optional(section, key);
        if (value is null)
        {
            _problems.Add($"{_file}: [{section}]: found no {key}, expected one");
        }

        return value ?? "";
    }

    /// <summary>Records a problem of one value.</summary>
    public void Refuse(string section, string key, string expected)
    {
        if (_entries.TryGetValue((section, key), out (string Value, int Line) entry))
        {
            Problem(entry.Line, $"[{section}] {key}: found {UnitText.Quote(entry.Value)}, expected {expected}");
        }
    }

    /// <summary>Throws with all problems, those of keys that nothing read among them.</summary>
    /// <exception cref="InvalidDocumentException">There is a problem.</exception>
    public void Finish()
    {
        string[] known = [.. _read.Select(name => name.Item2).Distinct(StringComparer.OrdinalIgnoreCase)];
        foreach (((string section, string key), (_, int line)) in _entries.Where(entry => !_read.Contains(entry.Key)))
        {
            Problem(line, $"[{section}]: found the unknown key {UnitText.Quote(key)}, expected one that SCALE-Sim v3 reads{Nearest.Hint(key, known)}");
        }

        if (_problems.Count > 0)
        {
            throw new InvalidDocumentException(_problems);
        }
    }

    private string ReadLine(ReadOnlySpan<char> line, int number, string section)
    {
        if (line.IsEmpty || line[0] is '#' or ';')
        {
            return section;
        }

        if (line[0] == '[' && line[^1] == ']')
        {
            string name = line[1..^1].Trim().ToString();
            if (!_sections.Add(name))
            {
                Problem(number, $"found a second section [{name}], expected one");
            }

            return name;
        }

        int separator = line.IndexOfAny(':', '=');
        if (separator <= 0 || section.Length == 0)
        {
            Problem(number, $"found {UnitText.Quote(line.ToString())}, expected a section such as [general] or a line such as ArrayHeight : 32 inside one");
            return section;
        }

        Add(section, line[..separator].TrimEnd().ToString(), line[(separator + 1)..].TrimStart().ToString(), number);
        return section;
    }

    private void Add(string section, string key, string value, int number)
    {
        if (!_entries.TryAdd((section, key), (value, number)))
        {
            Problem(number, string.Create(CultureInfo.InvariantCulture, $"[{section}]: found a second {key}, expected one: remove this or line {_entries[(section, key)].Line}"));
        }
    }

    private void Problem(int line, string message) => _problems.Add(string.Create(CultureInfo.InvariantCulture, $"{_file}: line {line}: {message}"));

    private sealed class NameComparer : IEqualityComparer<(string Section, string Key)>
    {
        public static readonly NameComparer Instance = new();

        public bool Equals((string Section, string Key) x, (string Section, string Key) y) =>
            StringComparer.OrdinalIgnoreCase.Equals(x.Section, y.Section) && StringComparer.OrdinalIgnoreCase.Equals(x.Key, y.Key);

        public int GetHashCode((string Section, string Key) name) => HashCode.Combine(
            StringComparer.OrdinalIgnoreCase.GetHashCode(name.Section), StringComparer.OrdinalIgnoreCase.GetHashCode(name.Key));
    }
}
