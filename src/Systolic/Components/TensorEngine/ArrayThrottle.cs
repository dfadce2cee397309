using Systolic.Units;

namespace Systolic.Components;

/// <summary>How far a throttled array has warmed up. Work warms and idling cools alike, so a utilization below half over a ramp's length leaves it cold.</summary>
internal sealed class ArrayThrottle(ThrottleSpec spec)
{
    private long _warm;
    private long _until;

    /// <summary>How long work takes that is <paramref name="cycles"/> at the full rate and starts at <paramref name="start"/>; calls must come in the order of time.</summary>
    public Cycles Slow(Cycles cycles, long start, Clock clock)
    {
        long ramp = spec.Ramp.Value;
        _warm = Math.Max(0, _warm - Math.Max(0, start - _until));
        double share = spec.InitialShare + ((1 - spec.InitialShare) * _warm / ramp);
        var slowed = new Cycles((long)Math.Ceiling(cycles.Value / share));
        long duration = clock.At(slowed).Value;
        _warm = Math.Min(ramp, _warm + duration);
        _until = Math.Max(_until, start + duration);
        return slowed;
    }
}
