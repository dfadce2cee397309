namespace Systolic.Components;

/// <summary>Looks for a moment of a stream that equals an earlier one, and skips to its last repetition.</summary>
/// <remarks>
/// The pattern repeats in higher rows, the controllers compare rows and addresses for equality only, and all times count from the present tick. So when all of that
/// is equal, what follows is equal, too: the same accept ticks, completions and commands, later by the same ticks.
/// </remarks>
internal sealed class StreamCycle
{
    private const int Spacing = 1024;
    private const int LongestSpacing = 8192;
    private const int MostWords = 4 << 20;

    private readonly Dictionary<DramState, Moment> _seen = [];
    private readonly IRepeatingChannel[] _channels;
    private readonly RequestSource _source;
    private readonly DramRepetition _repetition;
    private readonly LatencyHistogram _latencies;
    private long _refreshes;
    private long _earliest;
    private long _latest;
    private long _words;

    private StreamCycle(IRepeatingChannel[] channels, RequestSource source, DramRepetition repetition, LatencyHistogram latencies)
    {
        (_channels, _source, _repetition, _latencies) = (channels, source, repetition, latencies);
        Space();
    }

    /// <summary>Null where the stream does not repeat, or a channel cannot be described.</summary>
    public static StreamCycle? For(IDramChannel[] channels, RequestSource source, LatencyHistogram latencies)
    {
        IRepeatingChannel[] repeating = [.. channels.OfType<IRepeatingChannel>()];
        return source.Repetition is { } repetition && repeating.Length == channels.Length ? new StreamCycle(repeating, source, repetition, latencies) : null;
    }

    /// <summary>It is time to look: a refresh of the first channel, or else a whole number of repetitions, has passed.</summary>
    public bool IsDue(long sent) => sent >= _earliest && (_channels[0].Refreshes != _refreshes || sent >= _latest);

    /// <summary>The stream was looked at so often in vain that it is not worth while.</summary>
    public bool IsExhausted => _words > MostWords;

    /// <summary>Compares the present moment with all earlier ones; if one is equal, everything that is known here moves as far as the stream goes.</summary>
    /// <param name="tick">The tick that is executed next.</param>
    /// <param name="times">Further times of the driver.</param>
    /// <returns>The distance moved, or null.</returns>
    public DramShift? Look(long tick, ReadOnlySpan<long> times)
    {
        DramState state = Describe(tick, times);
        if (_seen.TryGetValue(state, out Moment? earlier))
        {
            return Skip(tick, earlier);
        }

        long[] latencies = _latencies.Counts();
        _seen.Add(state, new Moment(tick, _source.Index, [.. _channels.Select(channel => channel.Counts)], latencies));
        _words += state.Count + latencies.Length;
        Space();
        return null;
    }

    private void Space()
    {
        _refreshes = _channels[0].Refreshes;
        _earliest = _source.Index + Spacing;
        _latest = _source.Index + (LongestSpacing / _repetition.Bursts + 1) * _repetition.Bursts;
    }

    private DramState Describe(long tick, ReadOnlySpan<long> times)
    {
        (long past, long phase) = Math.DivRem(_source.Index, _repetition.Bursts);
        long address = past * _repetition.Bytes;
        var state = new DramState(tick, address, address / _source.RowStride);
        state.Add(phase);
        foreach (long time in times)
        {
            state.AddTime(time);
        }

        foreach (IRepeatingChannel channel in _channels)
        {
            channel.Describe(state);
        }

        return state;
    }

    private DramShift Skip(long tick, Moment earlier)
    {
        long requests = _source.Index - earlier.Index;
        long times = (_source.Count - 1 - _source.Index) / requests;
        long repetitions = requests / _repetition.Bursts * times;
        long bytes = repetitions * _repetition.Bytes;
        var shift = new DramShift((tick - earlier.Tick) * times, bytes, (int)(bytes / _source.RowStride), requests * times);
        for (int i = 0; i < _channels.Length; i++)
        {
            _channels[i].Skip(shift, _channels[i].Counts.Since(earlier.Counts[i], times));
        }

        _latencies.Repeat(earlier.Latencies, times);
        _source.Skip(repetitions);
        return shift;
    }

    private sealed record Moment(long Tick, long Index, DramCounts[] Counts, long[] Latencies);
}
