using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Systolic.Units;

/// <summary>An object of a JSON file that is read key by key; every problem is collected with file and path, so that all are reported together.</summary>
/// <remarks>A read that fails records the problem and returns the fallback or a neutral value; <see cref="Finish"/> throws when anything was recorded.</remarks>
internal sealed class JsonSection
{
    /// <summary>The largest file that is read: far above any real configuration.</summary>
    public const int MaximumLength = 4 << 20;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32, AllowDuplicateProperties = false, CommentHandling = JsonCommentHandling.Disallow };
    private readonly JsonElement _element;
    private readonly string _file;
    private readonly string _path;
    private readonly List<string> _problems;
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    private JsonSection(JsonElement element, string file, string path, List<string> problems) =>
        (_element, _file, _path, _problems) = (element, file, path, problems);

    /// <summary>Parses a whole file.</summary>
    /// <exception cref="InvalidDocumentException">It is no JSON object, or too long.</exception>
    public static JsonSection Parse(string text, string file)
    {
        if (text.Length > MaximumLength)
        {
            throw new InvalidDocumentException($"{file}: found {text.Length} characters, expected at most {MaximumLength}");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(text, Options);
            JsonElement root = document.RootElement.Clone();
            return root.ValueKind == JsonValueKind.Object
                ? new JsonSection(root, file, "", [])
                : throw new InvalidDocumentException($"{file}: found {Describe(root)}, expected a JSON object");
        }
        catch (JsonException malformed)
        {
            throw new InvalidDocumentException($"{file}: {Where(malformed)}malformed JSON: {Reason(malformed.Message)}", malformed);
        }
    }

    /// <summary>The keys present.</summary>
    public IEnumerable<string> Keys => _element.EnumerateObject().Select(property => property.Name);

    /// <summary>The key is present and not null.</summary>
    public bool Has(string key) => _element.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>As <see cref="Has"/>, of a key that may be missing.</summary>
    public bool HasOptional(string key)
    {
        _used.Add(key);
        return Has(key);
    }

    /// <summary>A whole number within bounds.</summary>
    public long Integer(string key, long minimum, long maximum, long? fallback = null)
    {
        string expected = string.Create(CultureInfo.InvariantCulture, $"a whole number from {minimum} to {maximum}");
        return Read(key, expected, fallback, value => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= minimum && number <= maximum ? number : null) ?? minimum;
    }

    /// <summary>A number within bounds.</summary>
    public double Number(string key, double minimum, double maximum, double? fallback = null)
    {
        string expected = string.Create(CultureInfo.InvariantCulture, $"a number from {minimum} to {maximum}");
        return Read(key, expected, fallback, value => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= minimum && number <= maximum ? number : null) ?? minimum;
    }

    /// <summary>True or false.</summary>
    public bool Boolean(string key, bool? fallback = null) =>
        Read(key, "true or false", fallback, value => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null) ?? false;

    /// <summary>A text that is not empty.</summary>
    public string Text(string key, string? fallback = null)
    {
        if (!Has(key) && fallback is not null)
        {
            _used.Add(key);
            return fallback;
        }

        return Convert(key, "a text", text => text) ?? "";
    }

    /// <summary>A text that <paramref name="parse"/> accepts, such as a quantity with its unit; the parser's message tells what was expected.</summary>
    public T Quantity<T>(string key, Func<string, T> parse, T? fallback = null)
        where T : struct
    {
        if (!Has(key) && fallback is { } value)
        {
            _used.Add(key);
            return value;
        }

        T? parsed = null;
        Convert(key, "a text with a unit", text =>
        {
            parsed = parse(text);
            return text;
        });
        return parsed ?? default;
    }

    /// <summary>A list of texts; empty when missing.</summary>
    public ImmutableArray<string> Texts(string key)
    {
        _used.Add(key);
        if (!Has(key))
        {
            return [];
        }

        JsonElement value = _element.GetProperty(key);
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
        {
            Problem(key, $"found {Describe(value)}, expected a list of texts");
            return [];
        }

        return [.. value.EnumerateArray().Select(item => item.GetString()!)];
    }

    /// <summary>A list of whole numbers within bounds; empty when missing.</summary>
    public ImmutableArray<long> Integers(string key, long minimum, long maximum)
    {
        _used.Add(key);
        if (!Has(key))
        {
            return [];
        }

        JsonElement value = _element.GetProperty(key);
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out long number) || number < minimum || number > maximum))
        {
            Problem(key, string.Create(CultureInfo.InvariantCulture, $"found {Describe(value)}, expected a list of whole numbers from {minimum} to {maximum}"));
            return [];
        }

        return [.. value.EnumerateArray().Select(item => item.GetInt64())];
    }

    /// <summary>Numbers, texts, true and false, in a list or one alone; empty when missing.</summary>
    public ImmutableArray<JsonElement> Scalars(string key)
    {
        _used.Add(key);
        if (!Has(key))
        {
            return [];
        }

        JsonElement value = _element.GetProperty(key);
        ImmutableArray<JsonElement> scalars = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        if (scalars.Any(item => item.ValueKind is not (JsonValueKind.Number or JsonValueKind.String or JsonValueKind.True or JsonValueKind.False)))
        {
            Problem(key, $"found {Describe(value)}, expected numbers, texts, true or false");
            return [];
        }

        return scalars;
    }

    /// <summary>A list of objects; empty when missing.</summary>
    public ImmutableArray<JsonSection> Sections(string key)
    {
        _used.Add(key);
        if (!Has(key))
        {
            return [];
        }

        JsonElement value = _element.GetProperty(key);
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Object))
        {
            Problem(key, $"found {Describe(value)}, expected a list of objects");
            return [];
        }

        return [.. value.EnumerateArray().Select((item, i) => new JsonSection(item, _file, string.Create(CultureInfo.InvariantCulture, $"{Path(key)}[{i}]"), _problems))];
    }

    /// <summary>An object inside this one; when missing, the problem is recorded and an empty one returned.</summary>
    public JsonSection Section(string key)
    {
        _used.Add(key);
        if (_element.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.Object)
        {
            return new JsonSection(value, _file, Path(key), _problems);
        }

        Problem(key, $"found {(Has(key) ? Describe(value) : "nothing")}, expected an object");
        using JsonDocument empty = JsonDocument.Parse("{}");
        return new JsonSection(empty.RootElement.Clone(), _file, Path(key), []);
    }

    /// <summary>Records a problem at <paramref name="key"/> (at this object when empty).</summary>
    public void Problem(string key, string message) => _problems.Add($"{_file}: {Path(key)}: {message}");

    /// <summary>Records every key that no read asked for, with the nearest known key.</summary>
    public void RefuseUnknownKeys()
    {
        foreach (string key in Keys.Where(key => !_used.Contains(key)))
        {
            Problem(key, $"found an unknown key, expected one of: {string.Join(", ", _used.Order(StringComparer.Ordinal))}");
        }
    }

    /// <summary>Throws with all problems of the file, if there are any.</summary>
    /// <exception cref="InvalidDocumentException">A problem was recorded.</exception>
    public void Finish()
    {
        if (_problems.Count > 0)
        {
            throw new InvalidDocumentException(_problems);
        }
    }

    private T? Read<T>(string key, string expected, T? fallback, Func<JsonElement, T?> read)
        where T : struct
    {
        _used.Add(key);
        if (!Has(key))
        {
            if (fallback is null)
            {
                Problem(key, $"found nothing, expected {expected}");
            }

            return fallback;
        }

        JsonElement value = _element.GetProperty(key);
        if (read(value) is { } result)
        {
            return result;
        }

        Problem(key, $"found {Describe(value)}, expected {expected}");
        return fallback;
    }

    private string? Convert(string key, string expected, Func<string, string> convert)
    {
        _used.Add(key);
        if (!Has(key))
        {
            Problem(key, $"found nothing, expected {expected}");
            return null;
        }

        JsonElement value = _element.GetProperty(key);
        if (value.ValueKind != JsonValueKind.String || value.GetString() is not { Length: > 0 } text)
        {
            Problem(key, $"found {Describe(value)}, expected {expected}");
            return null;
        }

        try
        {
            return convert(text);
        }
        catch (OverflowException)
        {
            Problem(key, $"found {Describe(value)}, expected a quantity that fits 64 bits");
            return null;
        }
        catch (Exception refused) when (refused is FormatException or ArgumentException)
        {
            Problem(key, refused.Message);
            return null;
        }
    }

    private string Path(string key) => (_path, key) switch
    {
        ("", "") => "(root)",
        ("", _) => key,
        (_, "") => _path,
        _ => $"{_path}.{key}",
    };

    // Duplicate keys are reported by name, without a position.
    private static string Where(JsonException malformed) => malformed.LineNumber is { } line && malformed.BytePositionInLine is { } position
        ? string.Create(CultureInfo.InvariantCulture, $"line {line + 1}, position {position + 1}: ")
        : "";

    // The message repeats path and position at its end.
    private static string Reason(string message)
    {
        foreach (string repeated in (string[])[" Path: ", " LineNumber: "])
        {
            int end = message.LastIndexOf(repeated, StringComparison.Ordinal);
            message = end < 0 ? message : message[..end];
        }

        return message;
    }

    private static string Describe(JsonElement value)
    {
        string text = value.GetRawText();
        return text.Length <= 60 ? text : text[..57] + "...";
    }
}
