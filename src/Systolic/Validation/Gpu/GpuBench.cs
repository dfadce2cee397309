using Systolic.Simt;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Times operators on a board under a protocol, one kernel behind the other.</summary>
internal static class GpuBench
{
    /// <summary>Seconds of the operators as kernels of their own.</summary>
    public static double Seconds(SimtSpec spec, params ReadOnlySpan<Operator> operators)
    {
        double seconds = 0;
        foreach (Operator op in operators)
        {
            seconds += SimtPricer.Price(spec, op, Traffic.StatefulOf(op)).Time.Seconds;
        }

        return seconds;
    }
}
