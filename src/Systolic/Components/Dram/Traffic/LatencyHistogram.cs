namespace Systolic.Components;

/// <summary>How often each latency occurred.</summary>
internal sealed class LatencyHistogram
{
    private long[] _counts = new long[1024];
    private long _number;
    private long _sum;

    /// <summary>The longest.</summary>
    public long Maximum { get; private set; }

    /// <summary>The mean; 0 if there is none.</summary>
    public double Mean => _number == 0 ? 0 : (double)_sum / _number;

    /// <summary>Adds one.</summary>
    public void Add(long latency)
    {
        if (latency >= _counts.Length)
        {
            Array.Resize(ref _counts, (int)Math.Max(latency + 1, 2L * _counts.Length));
        }

        _counts[latency]++;
        _number++;
        _sum += latency;
        Maximum = Math.Max(Maximum, latency);
    }

    /// <summary>The counts of all latencies up to the longest.</summary>
    public long[] Counts() => _counts[..(int)(Maximum + 1)];

    /// <summary>Adds all that came since <paramref name="earlier"/> so many times again.</summary>
    public void Repeat(long[] earlier, long times)
    {
        for (int latency = 0; latency <= Maximum; latency++)
        {
            long more = (_counts[latency] - (latency < earlier.Length ? earlier[latency] : 0)) * times;
            _counts[latency] += more;
            _number += more;
            _sum += more * latency;
        }
    }

    /// <summary>The smallest latency that at least this share of all does not exceed; 0 if there is none.</summary>
    public long Quantile(double share)
    {
        long wanted = (long)Math.Ceiling(share * _number);
        long seen = 0;
        for (int latency = 0; latency < _counts.Length && wanted > 0; latency++)
        {
            seen += _counts[latency];
            if (seen >= wanted)
            {
                return latency;
            }
        }

        return 0;
    }
}
