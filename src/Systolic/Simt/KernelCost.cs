using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Simt;

/// <summary>One operator as it runs on the SIMT machine.</summary>
/// <param name="Time">Duration of one execution, launch included.</param>
/// <param name="Stack">Where it went; sums to <paramref name="Time"/>.</param>
/// <param name="Counts">Events and bytes.</param>
/// <param name="Busy">Busy time per engine of <see cref="SimtEngines"/>.</param>
/// <param name="Mapping">Kernel, tile, split and waves.</param>
/// <param name="Voltage">Energy of an event on chip over that at the voltage of the energy rows.</param>
internal sealed record KernelCost(SimTime Time, CycleStack Stack, ActivityCounts Counts, ImmutableArray<SimTime> Busy, string Mapping, double Voltage);

/// <summary>The parts of a GPU whose busy time is reported.</summary>
internal static class SimtEngines
{
    public const int TensorCore = 0;
    public const int CudaCore = 1;
    public const int SpecialFunction = 2;
    public const int L2 = 3;
    public const int Dram = 4;

    /// <summary>Each stands for all units of its kind: utilization is the share of the whole machine's rate.</summary>
    public static ImmutableArray<EngineInfo> All { get; } =
        [new("tensor core", 1), new("cuda core", 1), new("special function", 1), new("l2", 1), new("dram", 1)];
}
