using System.Collections.Immutable;

namespace Systolic.Components;

/// <summary>What a stream of requests took.</summary>
public sealed record DramTrafficReport
{
    /// <summary>The memory.</summary>
    public required DramDevice Device { get; init; }

    /// <summary>The pattern.</summary>
    public required string Pattern { get; init; }

    /// <summary>How it was offered.</summary>
    public required string Injection { get; init; }

    /// <summary>Bursts offered.</summary>
    public required long Requests { get; init; }

    /// <summary>Ticks until the last was accepted.</summary>
    public required long AcceptTicks { get; init; }

    /// <summary>Ticks until the last was signalled as complete.</summary>
    public required long Ticks { get; init; }

    /// <summary>What each channel did by then.</summary>
    public required ImmutableArray<DramCounts> Channels { get; init; }

    /// <summary>Accept to data returned, in ticks; 0 without reads.</summary>
    public required double MeanReadLatency { get; init; }

    /// <summary>99 of 100 reads take at most this, in ticks.</summary>
    public required long P99ReadLatency { get; init; }

    /// <summary>The slowest read, in ticks.</summary>
    public required long MaximumReadLatency { get; init; }

    /// <summary>What all channels did.</summary>
    public DramCounts Counts => Channels.Aggregate((sum, next) => sum + next);

    /// <summary>Time in seconds.</summary>
    public double Seconds => Ticks * Device.Standard.TickPicoseconds * 1e-12;

    /// <summary>Bytes that crossed the data buses, per second.</summary>
    public double BytesPerSecond => (Counts.Reads + Counts.Writes) * (double)Device.Standard.Organization.BurstBytes / Seconds;

    /// <summary>The same over the peak.</summary>
    public double FractionOfPeak => BytesPerSecond / Device.PeakBytesPerSecond;
}
