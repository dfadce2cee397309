using Systolic.Simt;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>A board as a source drives it.</summary>
/// <param name="Spec">The board, launches and caches as its loop finds them.</param>
/// <param name="Style">Whose row kernels run.</param>
internal sealed record GpuBench(SimtSpec Spec, RowStyle Style)
{
    /// <summary>Seconds of the operators, a kernel behind the other.</summary>
    public double Seconds(params ReadOnlySpan<Operator> operators)
    {
        double seconds = 0;
        foreach (Operator op in operators)
        {
            seconds += SimtPricer.Price(Spec, op, Traffic.StatefulOf(op), Style).Time.Seconds;
        }

        return seconds;
    }
}
