using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;

namespace Systolic.Components;

/// <summary>A stream of bursts by its formula, such as "seq_rd", "rw_chunk@2048" or "micro_act8".</summary>
/// <remarks>A stream is a sequence of chunks: addresses that follow each other by one burst. Formulas: docs/dram.md.</remarks>
public sealed class DramPattern
{
    private const long SecondBase = 1L << 27;
    private const long ThirdBase = 1L << 28;
    private const long StrideSpan = 64L << 20;
    private const long ConflictSpan = 1L << 30;
    private const long Whole = long.MaxValue / 2;
    private const int TilePitch = 8192;
    private const int TileRow = 1024;
    private const int TileRows = 128;
    private const int ReadsPerWrite = 7;

    private readonly Func<Func<long, Chunk>> _chunks;

    private DramPattern(string name, Func<Func<long, Chunk>> chunks, long? requests = null, DramRepetition? repetition = null) =>
        (Name, _chunks, Requests, Repetition) = (name, chunks, requests, repetition);

    /// <summary>The words that start a pattern; those that need a size after "@" end in it.</summary>
    public static ImmutableArray<string> Names { get; } =
    [
        "seq_rd", "seq_wr", "rw_alt", "rw_chunk@", "triad@", "rd7wr1@", "two_rd@", "stride@", "row_conflict", "row_conflict_wr", "rand@", "rand_wr@", "rand_rw@", "tile", "tile_wr",
        "micro_cold", "micro_hit", "micro_hit8", "micro_conflict", "micro_conflict4", "micro_bank", "micro_group", "micro_act8", "micro_act8_hit",
    ];

    /// <summary>The pattern as given.</summary>
    public string Name { get; }

    /// <summary>Its length, where the pattern is a fixed list.</summary>
    public long? Requests { get; }

    /// <summary>How it repeats in higher rows; null where it does not.</summary>
    internal DramRepetition? Repetition { get; }

    /// <summary>Reads a pattern.</summary>
    /// <param name="text">One of <see cref="Names"/>, with a size in bytes after "@" where the name ends in it.</param>
    /// <param name="device">The memory it is for: burst size and mapping.</param>
    /// <exception cref="ArgumentException">There is no such pattern, or its size does not fit.</exception>
    public static DramPattern Parse(string text, DramDevice device)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(device);
        int at = text.IndexOf('@', StringComparison.Ordinal) + 1;
        string name = at == 0 ? text : text[..at];
        if (!Names.Contains(name))
        {
            throw new ArgumentException($"pattern: found \"{text}\", expected one of: {string.Join(", ", Names.Select(known => known.EndsWith('@') ? known + "BYTES" : known))}.");
        }

        int burst = device.Standard.Organization.BurstBytes;
        return name.StartsWith("micro_", StringComparison.Ordinal) ? Probe(name, device) : Stream(text, name, at == 0 ? 0 : Size(text, at, name, burst), burst, device.Mapping.RowStride);
    }

    /// <summary>A walk over the stream from its start.</summary>
    internal Walk Start(int burstBytes) => new(_chunks(), burstBytes);

    private static DramPattern Stream(string text, string name, long size, long burst, long rowStride) => new(text, () => name switch
    {
        "seq_rd" => _ => new Chunk(0, Whole, false),
        "seq_wr" => _ => new Chunk(0, Whole, true),
        "rw_alt" => j => Alternate(j, burst),
        "rw_chunk@" => j => Alternate(j, size),
        "triad@" => j => new Chunk(j / 3 * size + (j % 3) switch { 0 => 0, 1 => SecondBase, _ => ThirdBase }, size, j % 3 == 2),
        "rd7wr1@" => j => j % (ReadsPerWrite + 1) == ReadsPerWrite
            ? new Chunk(SecondBase + j / (ReadsPerWrite + 1) * size, size, true)
            : new Chunk((j - j / (ReadsPerWrite + 1)) * size, size, false),
        "two_rd@" => j => new Chunk(j / 2 * burst + (j % 2 == 0 ? 0 : SecondBase + size), burst, false),
        "stride@" => j => new Chunk(j % (StrideSpan / size) * size + j / (StrideSpan / size) * burst, burst, false),
        "row_conflict" => j => new Chunk(j * rowStride % ConflictSpan, burst, false),
        "row_conflict_wr" => j => new Chunk(j * rowStride % ConflictSpan, burst, true),
        "rand@" => Random(size, _ => false),
        "rand_wr@" => Random(size, _ => true),
        "rand_rw@" => Random(size, draw => (draw >> 30) == 1),
        "tile" => j => Tile(j, false),
        _ => j => Tile(j, true),
    }, repetition: Repeats(name, size, burst, rowStride));

    /// <summary>After a whole row of every bank, or of the least common multiple with a chunk, all streams of a pattern have moved by the same distance.</summary>
    private static DramRepetition? Repeats(string name, long size, long burst, long rowStride)
    {
        (long chunk, int streams, long highest) = name switch
        {
            "seq_rd" or "seq_wr" => (burst, 1, 0),
            "rw_alt" => (burst, 2, SecondBase),
            "rw_chunk@" => (size, 2, SecondBase),
            "triad@" => (size, 3, ThirdBase),
            "two_rd@" => (burst, 2, SecondBase + size),
            _ => (0L, 0, 0L),
        };
        if (streams == 0)
        {
            return null;
        }

        long bytes = chunk / (long)BigInteger.GreatestCommonDivisor(chunk, rowStride) * rowStride;
        return new DramRepetition(streams * bytes / burst, bytes, streams * bytes / chunk, highest);
    }

    private static Chunk Alternate(long j, long size) => new((j % 2 == 0 ? 0 : SecondBase) + j / 2 * size, size, j % 2 == 1);

    private static Chunk Tile(long j, bool isWrite)
    {
        (long tile, long row) = Math.DivRem(j, TileRows);
        return new Chunk(tile / (TilePitch / TileRow) * TileRows * TilePitch + tile % (TilePitch / TileRow) * TileRow + row * TilePitch, TileRow, isWrite);
    }

    private static Func<long, Chunk> Random(long size, Func<uint, bool> isWrite)
    {
        ulong state = 1;
        return _ =>
        {
            state = unchecked(state * 6364136223846793005 + 1442695040888963407);
            uint draw = (uint)(state >> 33);
            return new Chunk(draw % (ThirdBase / size) * size, size, isWrite(draw));
        };
    }

    private static DramPattern Probe(string name, DramDevice device)
    {
        (int Row, int Group, int Bank, int Column)[] list = name switch
        {
            "micro_cold" => [default],
            "micro_hit" => Rows(2, k => (0, 0, 0, k)),
            "micro_hit8" => Rows(8, k => (0, 0, 0, k)),
            "micro_conflict" => Rows(2, k => (k, 0, 0, 0)),
            "micro_conflict4" => Rows(4, k => (k, 0, 0, 0)),
            "micro_bank" => Rows(2, k => (0, 0, k, 0)),
            "micro_group" => Rows(2, k => (0, k, 0, 0)),
            "micro_act8" => Rows(8, k => (0, k % 4, k / 4, 0)),
            _ => Rows(32, k => (0, k % 4, k / 4 % 2, k / 8)),
        };
        DramOrganization parts = device.Standard.Organization;
        long[] addresses = [.. list.Select(one => device.Mapping.AddressOf(new DramLocation(0, one.Group % parts.BankGroups * parts.Banks + one.Bank, one.Row, one.Column)))];
        return new DramPattern(name, () => j => new Chunk(addresses[j], parts.BurstBytes, false), addresses.Length);
    }

    private static (int, int, int, int)[] Rows(int count, Func<int, (int, int, int, int)> row) => [.. Enumerable.Range(0, count).Select(row)];

    private static long Size(string text, int at, string name, int burst)
    {
        long least = name == "two_rd@" ? 0 : burst;
        return long.TryParse(text.AsSpan(at), NumberStyles.None, CultureInfo.InvariantCulture, out long size) && size >= least && size <= StrideSpan && size % burst == 0
            ? size
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"pattern: found \"{text}\", expected {name}BYTES with a multiple of the burst of {burst} bytes from {least} to {StrideSpan}."));
    }

    /// <summary>Bursts that follow each other.</summary>
    internal readonly record struct Chunk(long Base, long Bytes, bool IsWrite);

    /// <summary>The bursts of a stream, one after the other.</summary>
    internal sealed class Walk(Func<long, Chunk> chunks, int burstBytes)
    {
        private long _next;
        private long _end;
        private long _index;

        /// <summary>The present burst is written.</summary>
        public bool IsWrite { get; private set; }

        /// <summary>Goes on where the pattern is so many repetitions later.</summary>
        public void Skip(DramRepetition repetition, long times)
        {
            _index += repetition.Chunks * times;
            _next += repetition.Bytes * times;
            _end += repetition.Bytes * times;
        }

        /// <summary>Goes to the next burst.</summary>
        /// <returns>Its address.</returns>
        public long Next()
        {
            if (_next == _end)
            {
                Chunk chunk = chunks(_index++);
                (_next, _end, IsWrite) = (chunk.Base, chunk.Base + chunk.Bytes, chunk.IsWrite);
            }

            long address = _next;
            _next = address + burstBytes;
            return address;
        }
    }
}
