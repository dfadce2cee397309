using Systolic.Accounting;
using Systolic.Numerics;

namespace Systolic.Reporting;

/// <summary>How long matrix work takes at the peak rate of its type.</summary>
internal static class MatrixPeak
{
    /// <summary>Seconds that all multiply-accumulates of <paramref name="counts"/> take, each at its type's peak, padding at that of the <see cref="Leading"/> type.</summary>
    public static double SecondsAtPeak(MachineProfile machine, ActivityCounts counts)
    {
        double seconds = counts[ActivityKind.MacPadding] == 0 ? 0 : counts[ActivityKind.MacPadding] / Rate(machine, Leading(counts));
        for (ActivityKind kind = ActivityKind.MacFp32; kind <= ActivityKind.MacInt8; kind++)
        {
            if (counts[kind] > 0)
            {
                seconds += counts[kind] / Rate(machine, kind);
            }
        }

        return seconds;
    }

    /// <summary>Seconds that the useful multiply-accumulates of a run take, each operator's at the peak of its <see cref="Leading"/> type.</summary>
    public static double UsefulSecondsAtPeak(MachineProfile machine, RunTrace trace)
    {
        ActivityCounts all = trace.Counts;
        double seconds = 0;
        foreach (OperatorRun run in trace.Operators)
        {
            if (run.UsefulMacs.Value > 0)
            {
                seconds += (double)run.UsefulMacs.Value * run.Repeat / Rate(machine, Leading(run.Counts) ?? Leading(all));
            }
        }

        return seconds;
    }

    /// <summary>Peak multiply-accumulates per second of a type; of the machine's fastest type when nothing ran on the matrix unit.</summary>
    public static double Rate(MachineProfile machine, ActivityKind? kind)
    {
        double rate = kind switch
        {
            ActivityKind.MacFp32 => Peak(machine, DataType.Fp32),
            ActivityKind.MacTf32 => Peak(machine, DataType.Tf32),
            ActivityKind.MacBf16 => Peak(machine, DataType.Bf16),
            ActivityKind.MacFp16 => Peak(machine, DataType.Fp16),
            ActivityKind.MacFp8 => Math.Max(Peak(machine, DataType.Fp8E4M3), Peak(machine, DataType.Fp8E5M2)),
            ActivityKind.MacInt8 => Peak(machine, DataType.Int8),
            _ => machine.PeakMacsPerSecond.Values.DefaultIfEmpty(0).Max(),
        };
        return rate > 0 ? rate : throw new ArgumentException($"{machine.Name}: found no peak rate for {kind}, expected one, for the run counted such work.", nameof(machine));
    }

    /// <summary>The matrix type with most multiply-accumulates; null when there are none.</summary>
    public static ActivityKind? Leading(ActivityCounts counts)
    {
        ActivityKind most = ActivityKind.MacFp32;
        for (ActivityKind kind = ActivityKind.MacTf32; kind <= ActivityKind.MacInt8; kind++)
        {
            most = counts[kind] > counts[most] ? kind : most;
        }

        return counts[most] > 0 ? most : null;
    }

    private static double Peak(MachineProfile machine, DataType type) => machine.PeakMacsPerSecond.GetValueOrDefault(type);
}
