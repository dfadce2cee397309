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

    private readonly StreamController[] _channels;
    private readonly long _tick;
    private readonly long _interleave;
    private readonly int _burst;
    private readonly int _cores;
    private readonly int _pieces;
    private readonly int _units;
    private readonly int _rows;
    private long _read;
    private long _written;

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
        _channels = [.. Enumerable.Range(1, channels).Select(i => new StreamController(device, spec.LookAhead, spec.WriteBuffer, (double)i / channels, spec.Refresh))];
        _tick = (long)Math.Round(device.TickPicoseconds * 1000);
        (_interleave, _burst, _cores) = (spec.Interleave.Value, parts.BurstBytes, cores);
        _pieces = (int)(_channels[0].Units.RowBytes / _interleave);
        (_units, _rows) = (_channels[0].Units.Count, parts.Rows);
    }

    /// <inheritdoc/>
    public long Piece => _interleave;

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
    public void Count(ActivityCounts counts)
    {
        counts.Add(ActivityKind.DramReadByte, _read);
        counts.Add(ActivityKind.DramWriteByte, _written);
    }

    private long Tick(long time) => (time + _tick - 1) / _tick;

    private StreamAccess Locate(long address, int bytes, bool write, out StreamController channel)
    {
        (long piece, long offset) = Math.DivRem(address, _interleave);
        int first = (int)(offset / _burst), last = (int)((offset + bytes - 1) / _burst);
        // Pieces, and row units, are turned by a hash of what is above them, so that no stride keeps to one channel or bank.
        (long turn, long place) = Math.DivRem(piece, _channels.Length);
        channel = _channels[(int)((place + Hash(turn)) % _channels.Length)];
        (long round, long core) = Math.DivRem(turn, _cores);
        (long block, long part) = Math.DivRem(round, _pieces);
        (long row, long unit) = Math.DivRem(block, _units);
        int placed = (int)((unit + Hash(row) + (core * UnitsBetweenCores)) % _units);
        int groupsOffset = (int)(part * (_interleave / _burst));
        return new StreamAccess(placed, (int)((row + (core * (_rows / _cores))) % _rows), groupsOffset + first, last - first + 1, write);
    }

    private static long Hash(long value) => (value ^ (value >> 3) ^ (value >> 7)) & 0xFF;
}
