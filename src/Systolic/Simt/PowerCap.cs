namespace Systolic.Simt;

/// <summary>A kernel whose duration is known at any clock.</summary>
internal interface IKernelTime
{
    /// <summary>Seconds at an SM clock of <paramref name="hertz"/>; never longer at a faster clock.</summary>
    double SecondsAt(double hertz);
}

/// <summary>The sustained clock as a result of power.</summary>
internal static class PowerCap
{
    private const double LowestShare = 0.15;
    private const int Halvings = 40;

    /// <summary>The largest clock at which the kernel's average power stays within the cap.</summary>
    /// <param name="spec">The machine.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="dramBytes">Main-memory bytes it moves.</param>
    /// <param name="fp16Flops">Its arithmetic, expressed in fp16 tensor FLOPs of equal energy.</param>
    /// <remarks>
    /// (floor + active (f / reference)^2.3) T(f) + perByte bytes + perFlop (f / reference)^1.3 flops &lt;= cap T(f). The left side over T grows with f, so the crossing is unique,
    /// and a machine with more bandwidth lowers its clock by less than it gains: more of anything is never slower.
    /// </remarks>
    public static double Clock<TKernel>(SimtSpec spec, in TKernel kernel, double dramBytes, double fp16Flops)
        where TKernel : struct, IKernelTime
    {
        double maximum = spec.MaximumClock.Hertz;
        if (Allows(spec, kernel, maximum, dramBytes, fp16Flops))
        {
            return maximum;
        }

        double low = maximum * LowestShare;
        double high = maximum;
        for (int i = 0; i < Halvings; i++)
        {
            double middle = 0.5 * (low + high);
            if (Allows(spec, kernel, middle, dramBytes, fp16Flops))
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>Energy of an event on chip at a clock over that at the clock at which the energy rows hold: voltage follows the clock.</summary>
    public static double Voltage(SimtSpec spec, double hertz) =>
        VoltageEnergy(hertz / spec.Power.Reference.Hertz) / VoltageEnergy(spec.PricedClock.Hertz / spec.Power.Reference.Hertz);

    private static double VoltageEnergy(double clock) => Math.Pow(Math.Max(clock, FittedConstants.VoltageFloor), FittedConstants.EnergyExponent);

    private static bool Allows<TKernel>(SimtSpec spec, in TKernel kernel, double hertz, double dramBytes, double fp16Flops)
        where TKernel : struct, IKernelTime
    {
        PowerCapSpec power = spec.Power;
        double clock = hertz / power.Reference.Hertz, voltage = VoltageEnergy(clock);
        double joules = (power.PerByte.Joules * dramBytes) + (power.PerFlop.Joules * fp16Flops * voltage);
        return joules <= (power.Cap.Watts - power.Floor.Watts - (power.Active.Watts * clock * voltage)) * kernel.SecondsAt(hertz);
    }
}
