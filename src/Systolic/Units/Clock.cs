namespace Systolic.Units;

/// <summary>One clock domain: the only place where cycles become time and time becomes cycles.</summary>
/// <remarks>Edge k lies at floor(k * 1e15 / f) femtoseconds, computed from its index, so rounding never accumulates.</remarks>
public readonly record struct Clock
{
    private const long FemtosecondsPerSecond = 1_000_000_000_000_000;

    // 1e15 / f as a reduced fraction: products stay in 64 bits for any realistic run (2.8 GHz: 2,500,000 / 7).
    private readonly long _numerator;
    private readonly long _denominator;

    /// <summary>A clock that ticks <paramref name="frequency"/> times a second, its edge 0 at time 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The frequency is not positive.</exception>
    public Clock(Frequency frequency)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frequency.Hertz);
        Frequency = frequency;
        long divisor = GreatestCommonDivisor(FemtosecondsPerSecond, frequency.Hertz);
        (_numerator, _denominator) = (FemtosecondsPerSecond / divisor, frequency.Hertz / divisor);
    }

    /// <summary>Ticks per second.</summary>
    public Frequency Frequency { get; }

    /// <summary>The time of edge <paramref name="cycles"/>, and so the length of that many cycles from time 0.</summary>
    public SimTime At(Cycles cycles) => new((ulong)cycles.Value < (ulong)(long.MaxValue / _numerator)
        ? cycles.Value * _numerator / _denominator
        : checked((long)((Int128)cycles.Value * _numerator / _denominator)));

    /// <summary>The first edge at or after <paramref name="time"/>.</summary>
    public Cycles EdgeAtOrAfter(SimTime time)
    {
        long edge = (ulong)time.Value < (ulong)(long.MaxValue / _denominator)
            ? time.Value * _denominator / _numerator
            : checked((long)((Int128)time.Value * _denominator / _numerator));
        while (At(new Cycles(edge)) < time)
        {
            edge++;
        }

        return new Cycles(edge);
    }

    private static long GreatestCommonDivisor(long a, long b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
