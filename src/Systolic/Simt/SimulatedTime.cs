namespace Systolic.Simt;

/// <summary>The time of a kernel at any clock, from simulations at the highest clock and at the one that power allows.</summary>
/// <param name="Hertz">The clock of the last simulation.</param>
/// <param name="Cycles">Cycles at that clock.</param>
/// <param name="Slope">Cycles per hertz: those of arithmetic do not change, those of main memory grow with the clock.</param>
/// <param name="FixedSeconds">Launch and side kernels.</param>
/// <param name="LeastSeconds">Main-memory traffic, which the simulated part cannot beat.</param>
internal readonly record struct SimulatedTime(double Hertz, double Cycles, double Slope, double FixedSeconds, double LeastSeconds) : IKernelTime
{
    /// <inheritdoc/>
    public double SecondsAt(double hertz) => FixedSeconds + BodySeconds(hertz);

    /// <summary>Seconds of the CTAs.</summary>
    public double BodySeconds(double hertz) => Math.Max((Cycles + (Slope * (hertz - Hertz))) / hertz, LeastSeconds);

    /// <summary>Simulates at the highest clock and, where power does not allow it, at the clock that it allows.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="simulate">Cycles at a clock.</param>
    /// <param name="fixedSeconds">Launch and side kernels.</param>
    /// <param name="leastSeconds">Main-memory traffic.</param>
    /// <param name="dramBytes">Main-memory bytes.</param>
    /// <param name="fp16Flops">Arithmetic in fp16 tensor FLOPs of equal energy.</param>
    public static (SimulatedTime Time, double Hertz) Of(SimtSpec spec, Func<double, double> simulate, double fixedSeconds, double leastSeconds, double dramBytes, double fp16Flops)
    {
        double maximum = spec.MaximumClock.Hertz;
        var time = new SimulatedTime(maximum, simulate(maximum), 0, fixedSeconds, leastSeconds);
        double hertz = PowerCap.Clock(spec, time, dramBytes, fp16Flops);
        if (hertz == maximum)
        {
            return (time, hertz);
        }

        double slower = simulate(hertz);
        time = time with { Hertz = hertz, Cycles = slower, Slope = (time.Cycles - slower) / (maximum - hertz) };
        return (time, PowerCap.Clock(spec, time, dramBytes, fp16Flops));
    }
}
