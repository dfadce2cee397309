using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Systolic.Units;

namespace Systolic.Exploration;

/// <summary>The finished points of a sweep as JSON lines, each with a checksum, written as they finish; so a run that was killed loses at most the line it was writing.</summary>
/// <remarks>The first line names the sweep by <see cref="DesignSpace.Fingerprint"/>. Points are in the order in which they finished. Only one process writes a journal at a time.</remarks>
internal sealed class SweepJournal : IDisposable
{
    private const string ChecksumKey = ",\"crc\":\"";
    private const int ChecksumDigits = 8;
    private readonly FileStream _file;
    private readonly Dictionary<long, PointOutcome> _outcomes = [];

    private SweepJournal(FileStream file) => _file = file;

    /// <summary>The points finished so far.</summary>
    public IReadOnlyDictionary<long, PointOutcome> Outcomes => _outcomes;

    /// <summary>Opens or creates the journal of a space; a torn last line is dropped.</summary>
    /// <exception cref="InvalidDocumentException">It belongs to another sweep, is damaged, is being written by another process, or cannot be written.</exception>
    public static SweepJournal Open(string path, DesignSpace space)
    {
        SweepJournal? journal = null;
        try
        {
            journal = new SweepJournal(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
            byte[] text = new byte[journal._file.Length];
            journal._file.ReadExactly(text);
            journal._file.SetLength(journal.Read(text, path, space));
            journal._file.Seek(0, SeekOrigin.End);
            if (journal._file.Length == 0)
            {
                journal.Append(json => WriteHeader(json, space));
            }

            return journal;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            journal?.Dispose();
            throw new InvalidDocumentException($"{path}: found a journal that cannot be opened for writing, perhaps because another process runs this sweep: {refused.Message}", refused);
        }
        catch
        {
            journal?.Dispose();
            throw;
        }
    }

    /// <summary>The points of a journal that is only read.</summary>
    /// <exception cref="InvalidDocumentException">It belongs to another sweep, is damaged, or is being written.</exception>
    public static IReadOnlyDictionary<long, PointOutcome> Load(string path, DesignSpace space)
    {
        try
        {
            using var journal = new SweepJournal(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read));
            byte[] text = new byte[journal._file.Length];
            journal._file.ReadExactly(text);
            journal.Read(text, path, space);
            return journal.Outcomes;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDocumentException($"{path}: found a journal that cannot be read, perhaps because a shard still writes it: {refused.Message}", refused);
        }
    }

    /// <summary>Keeps a finished point.</summary>
    public void Add(long point, PointOutcome outcome) => Append(json =>
    {
        json.WriteNumber("point", point);
        if (outcome.Reason is { } reason)
        {
            json.WriteString("reason", reason);
            return;
        }

        json.WriteStartArray("figures");
        foreach (double figure in outcome.Figures)
        {
            // JSON has no word for "not a number".
            if (double.IsFinite(figure))
            {
                json.WriteNumberValue(figure);
            }
            else
            {
                json.WriteNullValue();
            }
        }

        json.WriteEndArray();
        json.WriteStartArray("stack");
        foreach (long part in outcome.Stack)
        {
            json.WriteNumberValue(part);
        }

        json.WriteEndArray();
    });

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static void WriteHeader(Utf8JsonWriter json, DesignSpace space)
    {
        json.WriteString("sweep", space.Fingerprint());
        json.WriteStartArray("figures");
        SweepFigures.Names.ToList().ForEach(json.WriteStringValue);
        json.WriteEndArray();
        json.WriteStartArray("stack");
        SweepFigures.StackNames.ToList().ForEach(json.WriteStringValue);
        json.WriteEndArray();
    }

    /// <summary>A line in one write, so that it is there whole or torn at the end.</summary>
    private void Append(Action<Utf8JsonWriter> members)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        string body = Encoding.UTF8.GetString(line.WrittenSpan);
        _file.Write(Encoding.UTF8.GetBytes($"{body[..^1]}{ChecksumKey}{Checksum(body)}\"}}\n"));
    }

    /// <summary>Reads the lines; returns how many bytes are whole ones.</summary>
    private long Read(byte[] text, string path, DesignSpace space)
    {
        int start = 0, number = 0;
        while (Array.IndexOf(text, (byte)'\n', start) is >= 0 and var end)
        {
            number++;
            string line = Encoding.UTF8.GetString(text, start, end - start);
            string body = Body(line) ?? throw new InvalidDocumentException(FormattableString.Invariant(
                $"{path}: line {number}: found a damaged line, expected one that matches its checksum. Delete the file from this line on; the points after it are run again."));
            using JsonDocument json = JsonDocument.Parse(body);
            if (number == 1)
            {
                RequireSame(json.RootElement.GetProperty("sweep").GetString()!, path, space);
            }
            else
            {
                Keep(json.RootElement);
            }

            start = end + 1;
        }

        return start;
    }

    private static void RequireSame(string found, string path, DesignSpace space)
    {
        if (found != space.Fingerprint())
        {
            throw new InvalidDocumentException($"{path}: found the journal of another sweep, or of another build of Systolic, expected that of sweep {space.Fingerprint()[..12]}. Give another folder, or delete the file to begin anew.");
        }
    }

    private void Keep(JsonElement line)
    {
        long point = line.GetProperty("point").GetInt64();
        _outcomes[point] = line.TryGetProperty("reason", out JsonElement reason)
            ? PointOutcome.None(reason.GetString()!)
            : new PointOutcome(
                null,
                [.. line.GetProperty("figures").EnumerateArray().Select(value => value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble())],
                [.. line.GetProperty("stack").EnumerateArray().Select(value => value.GetInt64())]);
    }

    /// <summary>The line without its checksum; null when they do not match.</summary>
    private static string? Body(string line)
    {
        int key = line.Length - ChecksumKey.Length - ChecksumDigits - 2;
        if (key < 1 || !line.AsSpan(key).StartsWith(ChecksumKey) || !line.EndsWith("\"}", StringComparison.Ordinal))
        {
            return null;
        }

        string body = line[..key] + "}";
        return line.AsSpan(key + ChecksumKey.Length, ChecksumDigits).SequenceEqual(Checksum(body)) ? body : null;
    }

    private static string Checksum(string body)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in Encoding.UTF8.GetBytes(body))
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return (~crc).ToString("x8", CultureInfo.InvariantCulture);
    }
}
