using Systolic.Numerics;

namespace Systolic.Simt;

/// <summary>What every <see cref="SimtSpec"/> must satisfy, wherever it came from.</summary>
internal static class SimtRules
{
    /// <summary>All violations, each with the path of the parameter in a machine file.</summary>
    public static IEnumerable<(string Path, string Problem)> Problems(SimtSpec spec)
    {
        MultiprocessorSpec sm = spec.Multiprocessor;
        foreach ((string path, double value) in Positive(spec))
        {
            if (!(value > 0))
            {
                yield return (path, FormattableString.Invariant($"found {value}, expected more than zero"));
            }
        }

        if (spec.MaximumClock.Hertz < spec.BoostClock.Hertz)
        {
            yield return ("clock.maximum", $"found {spec.MaximumClock}, expected at least clock.boost, {spec.BoostClock}");
        }

        if (spec.L2.FarLatencyCycles < spec.L2.LatencyCycles)
        {
            yield return ("l2.farLatencyCycles", FormattableString.Invariant($"found {spec.L2.FarLatencyCycles}, expected at least l2.latencyCycles, {spec.L2.LatencyCycles}"));
        }

        if (sm.SharedMemoryPerCta > sm.SharedMemory)
        {
            yield return ("multiprocessor.sharedMemoryPerCta", $"found {sm.SharedMemoryPerCta}, expected at most multiprocessor.sharedMemory, {sm.SharedMemory}");
        }

        if (spec.Memory.SustainedShare > 1)
        {
            yield return ("memory.sustainedShare", FormattableString.Invariant($"found {spec.Memory.SustainedShare}, expected at most 1"));
        }

        if (spec.Power.Floor >= spec.Power.Cap)
        {
            yield return ("power.floor", $"found {spec.Power.Floor}, expected less than power.cap, {spec.Power.Cap}");
        }

        foreach ((DataType type, int macs) in spec.TensorCores.MacsPerCycle.OrderBy(pair => pair.Key))
        {
            if (macs <= 0)
            {
                yield return ("tensorCores.macsPerCycle." + type.Label(), FormattableString.Invariant($"found {macs}, expected more than zero"));
            }
        }

        foreach ((DataType type, DataType substitute) in spec.TensorCores.RunsAs.OrderBy(pair => pair.Key))
        {
            if (substitute != DataType.Fp32 && !spec.TensorCores.MacsPerCycle.ContainsKey(substitute))
            {
                yield return ("tensorCores.runsAs." + type.Label(), $"found \"{substitute.Label()}\", expected fp32 or a type of tensorCores.macsPerCycle");
            }
        }
    }

    private static IEnumerable<(string Path, double Value)> Positive(SimtSpec spec) =>
    [
        ("multiprocessors", spec.Multiprocessors),
        ("clock.boost", spec.BoostClock.Hertz),
        ("clock.maximum", spec.MaximumClock.Hertz),
        ("multiprocessor.subCores", spec.Multiprocessor.SubCores),
        ("multiprocessor.fp32Lanes", spec.Multiprocessor.Fp32Lanes),
        ("multiprocessor.integerLanes", spec.Multiprocessor.IntegerLanes),
        ("multiprocessor.specialFunctionLanes", spec.Multiprocessor.SpecialFunctionLanes),
        ("multiprocessor.registers", spec.Multiprocessor.Registers),
        ("multiprocessor.maximumWarps", spec.Multiprocessor.MaximumWarps),
        ("multiprocessor.maximumCtas", spec.Multiprocessor.MaximumCtas),
        ("multiprocessor.sharedMemory", spec.Multiprocessor.SharedMemory.Value),
        ("multiprocessor.sharedMemoryPerCta", spec.Multiprocessor.SharedMemoryPerCta.Value),
        ("multiprocessor.l1Capacity", spec.Multiprocessor.L1Capacity.Value),
        ("multiprocessor.l1LatencyCycles", spec.Multiprocessor.L1LatencyCycles),
        ("multiprocessor.sharedBytesPerCycle", spec.Multiprocessor.SharedBytesPerCycle),
        ("multiprocessor.portBytesPerCycle", spec.Multiprocessor.PortBytesPerCycle),
        ("l2.capacity", spec.L2.Capacity.Value),
        ("l2.bytesPerCycle", spec.L2.BytesPerCycle),
        ("l2.latencyCycles", spec.L2.LatencyCycles),
        ("l2.residencyMidpoint", spec.L2.ResidencyMidpoint),
        ("l2.residencySteepness", spec.L2.ResidencySteepness),
        ("memory.capacity", spec.Memory.Capacity.Value),
        ("memory.peak", spec.Memory.Peak.BytesPerSecond),
        ("memory.sustainedShare", spec.Memory.SustainedShare),
        ("memory.latencyCycles", spec.Memory.LatencyCycles),
        ("launch.graph", spec.Launch.Graph.Value),
        ("launch.stream", spec.Launch.Stream.Value),
        ("power.cap", spec.Power.Cap.Watts),
        ("power.perByte", spec.Power.PerByte.Joules),
        ("power.perFlop", spec.Power.PerFlop.Joules),
        ("power.reference", spec.Power.Reference.Hertz),
        ("energy.clock", spec.PricedClock.Hertz),
    ];
}
