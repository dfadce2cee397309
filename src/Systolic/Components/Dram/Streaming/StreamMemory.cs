using System.Runtime.CompilerServices;
using Systolic.Accounting;

namespace Systolic.Components;

/// <summary>What one core sees of main memory: its share of the channels. Times in femtoseconds.</summary>
/// <remarks>
/// The cores of a chip run the same program on other data, so each channel serves the same piece of every core's transfer at the same time. A core's share of
/// the channels therefore stands for all of them: of consecutive pieces of this core's stream on one pseudo-channel, the first stands for itself and the others for that
/// piece of the other cores, in rows of their own. Traffic, rows in use and conflicts of a channel are those of the whole chip.
/// </remarks>
internal sealed class StreamMemory : IMainMemory
{
    // Odd, so that the cores' rows start in different units. The mapping of the chips is not published; this one is assumed.
    private const int UnitsBetweenCores = 5;
    private const long KibiByte = 1024;

    private readonly StreamController[] _channels;
    private readonly long _tick;
    private readonly Divisor _ticks;
    private readonly Divisor _interleave;
    private readonly Divisor _burst;
    private readonly Divisor _sharing;
    private readonly Divisor _cores;
    private readonly Divisor _pieces;
    private readonly Divisor _units;
    private readonly Divisor _rows;
    private readonly int _rowsOfCore;
    private readonly int _burstsOfPiece;
    private long _read;
    private long _written;
    private readonly long _rowBytes;
    private readonly long _refreshInterval;

    /// <exception cref="ArgumentException">The memory cannot be; the message names the field.</exception>
    public StreamMemory(DramSpec spec, int cores)
    {
        int channels = Share(spec, cores);
        if (channels < 1)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"memory.channels: found {spec.Channels} of {spec.Standard.Name} for {cores} cores, expected at least one pseudo-channel for each core."));
        }

        DramDevice.Check(spec.Standard);
        DramStandard device = spec.Device;
        DramOrganization parts = device.Organization;
        _channels = [.. Enumerable.Range(1, channels).Select(i => new StreamController(device, spec.LookAhead, spec.WriteBuffer, (double)i / channels))];
        _tick = (long)Math.Round(device.TickPicoseconds * 1000);
        _ticks = new Divisor(_tick);
        Piece = spec.Interleave.Value;
        (_interleave, _burst, _sharing, _cores) = (new Divisor(Piece), new Divisor(parts.BurstBytes), new Divisor(channels), new Divisor(cores));
        _pieces = new Divisor(_channels[0].Units.RowBytes / Piece);
        (_units, _rows) = (new Divisor(_channels[0].Units.Count), new Divisor(parts.Rows));
        (_rowsOfCore, _burstsOfPiece) = (parts.Rows / cores, (int)(Piece / parts.BurstBytes));
        (_rowBytes, _refreshInterval) = ((long)parts.RowBursts * parts.BurstBytes, device.Timing.Refi);
    }

    /// <inheritdoc/>
    public long Piece { get; }

    /// <summary>Pseudo-channels of one core.</summary>
    public static int Share(DramSpec spec, int cores) => spec.Channels * spec.Standard.Organization.PseudoChannels / cores;

    /// <inheritdoc/>
    public long Read(long address, int bytes, long time, bool placed = true)
    {
        _read += bytes;
        StreamAccess access = Locate(address, bytes, false, out StreamController channel);
        return channel.Read(access, Tick(time)) * _tick;
    }

    /// <inheritdoc/>
    public long Write(long address, int bytes, long time, bool placed = true)
    {
        _written += bytes;
        StreamAccess access = Locate(address, bytes, true, out StreamController channel);
        long tick = Tick(time), taken = channel.Write(access, tick);
        return taken == tick ? time : taken * _tick;
    }

    /// <inheritdoc/>
    public long Finish(long time) => time;

    /// <inheritdoc/>
    public void Count(ActivityCounts counts, long end)
    {
        counts.Add(ActivityKind.DramReadByte, _read);
        counts.Add(ActivityKind.DramWriteByte, _written);
        foreach (StreamController channel in _channels)
        {
            counts.Add(ActivityKind.DramActivate, channel.Finish().Activates * _rowBytes / KibiByte);
            counts.Add(ActivityKind.DramRefresh, end / (_refreshInterval * _tick));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Tick(long time) => _ticks.Of(time + _tick - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private StreamAccess Locate(long address, int bytes, bool write, out StreamController channel)
    {
        long piece = _interleave.Of(address), offset = _interleave.Remainder(address);
        int first = (int)_burst.Of(offset), last = (int)_burst.Of(offset + bytes - 1);
        // Pieces, and row units, are turned by a hash of what is above them, so that no stride keeps to one channel or bank.
        long turn = _sharing.Of(piece);
        channel = _channels[_sharing.Remainder(_sharing.Remainder(piece) + Hash(turn))];
        long round = _cores.Of(turn), core = _cores.Remainder(turn);
        long block = _pieces.Of(round), part = _pieces.Remainder(round);
        long row = _units.Of(block), unit = _units.Remainder(block);
        int placed = (int)_units.Remainder(unit + Hash(row) + (core * UnitsBetweenCores));
        return new StreamAccess(placed, (int)_rows.Remainder(row + (core * _rowsOfCore)), ((int)part * _burstsOfPiece) + first, last - first + 1, write);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Hash(long value) => (value ^ (value >> 3) ^ (value >> 7)) & 0xFF;
}
