namespace Systolic.Units;

/// <summary>Splits a text into records and fields by RFC 4180: comma, double quotes, LF or CRLF.</summary>
internal ref struct CsvScanner(string text)
{
    private readonly string _text = text;
    private int _position = text.StartsWith('\uFEFF') ? 1 : 0;
    private int _line = 1;

    /// <summary>Line on which the last record began, from 1.</summary>
    public int RecordLine { get; private set; }

    /// <summary>What is wrong with the last record, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>Reads one record into <paramref name="fields"/>; false at the end of the text.</summary>
    public bool Next(List<string> fields)
    {
        fields.Clear();
        (RecordLine, Problem) = (_line, null);
        if (_position >= _text.Length)
        {
            return false;
        }

        do
        {
            fields.Add(_position < _text.Length && _text[_position] == '"' ? Quoted() : Plain());
        }
        while (Skip(','));
        EndRecord();
        return true;
    }

    private string Plain()
    {
        int start = _position;
        int length = _text.AsSpan(start).IndexOfAny(",\r\n\"");
        _position = length < 0 ? _text.Length : start + length;
        return _text[start.._position];
    }

    private string Quoted()
    {
        int start = ++_position;
        bool doubled = false;
        while (_position < _text.Length && (_text[_position] != '"' || IsDoubled()))
        {
            doubled |= _text[_position] == '"';
            _line += _text[_position] == '\n' ? 1 : 0;
            _position += _text[_position] == '"' ? 2 : 1;
        }

        string field = _text[start.._position];
        if (!Skip('"'))
        {
            Problem = "found a quote that is never closed, expected \" at the end of the field";
        }

        return doubled ? field.Replace("\"\"", "\"", StringComparison.Ordinal) : field;
    }

    private readonly bool IsDoubled() => _position + 1 < _text.Length && _text[_position + 1] == '"';

    private bool Skip(char expected)
    {
        bool found = _position < _text.Length && _text[_position] == expected;
        _position += found ? 1 : 0;
        return found;
    }

    private void EndRecord()
    {
        ReadOnlySpan<char> rest = _text.AsSpan(_position);
        int end = rest.StartsWith("\r\n") ? 2 : rest.StartsWith('\n') ? 1 : 0;
        if (end == 0 && !rest.IsEmpty)
        {
            Problem ??= rest[0] == '\r'
                ? "found a carriage return on its own, expected lines ending in LF or CRLF"
                : "found a quote inside a field, expected the whole field in quotes and inner quotes doubled";
            end = rest.Contains('\n') ? rest.IndexOf('\n') + 1 : rest.Length;
        }

        _position += end;
        _line++;
    }
}
