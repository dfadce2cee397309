namespace Systolic.Units;

/// <summary>One clock domain: the only place where cycles become time and time becomes cycles.</summary>
/// <remarks>Edge k lies at floor(k * 1e15 / f) femtoseconds, computed with a 128-bit product, so rounding never accumulates.</remarks>
public readonly record struct Clock
{
    private const long FemtosecondsPerSecond = 1_000_000_000_000_000;

    /// <summary>A clock that ticks <paramref name="frequency"/> times a second, its edge 0 at time 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The frequency is not positive.</exception>
    public Clock(Frequency frequency)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frequency.Hertz);
        Frequency = frequency;
    }

    /// <summary>Ticks per second.</summary>
    public Frequency Frequency { get; }

    /// <summary>The time of edge <paramref name="cycles"/>, and so the length of that many cycles from time 0.</summary>
    public SimTime At(Cycles cycles) => new(checked((long)((Int128)cycles.Value * FemtosecondsPerSecond / Frequency.Hertz)));

    /// <summary>The first edge at or after <paramref name="time"/>.</summary>
    public Cycles EdgeAtOrAfter(SimTime time)
    {
        Int128 cycles = (Int128)time.Value * Frequency.Hertz / FemtosecondsPerSecond;
        var edge = new Cycles(checked((long)cycles));
        return At(edge) >= time ? edge : edge + new Cycles(1);
    }
}
