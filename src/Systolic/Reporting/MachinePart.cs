using Systolic.Accounting;

namespace Systolic.Reporting;

/// <summary>An engine, memory or link that may be thought infinitely fast.</summary>
public enum MachinePart
{
    /// <summary>Systolic array or tensor cores.</summary>
    MatrixUnit,

    /// <summary>Vector engine, or CUDA cores.</summary>
    VectorUnit,

    /// <summary>Scalar engine with its function tables, or special-function units.</summary>
    ScalarUnit,

    /// <summary>General-purpose engine.</summary>
    GeneralEngine,

    /// <summary>Ports, banks and widths of the memories on chip that programs manage.</summary>
    Scratchpad,

    /// <summary>The rate of the DMA engines.</summary>
    DmaEngines,

    /// <summary>Main memory.</summary>
    MainMemory,

    /// <summary>Issue, first-byte and completion latency of transfers or loads.</summary>
    TransferLatency,

    /// <summary>The cache in front of main memory.</summary>
    Cache,

    /// <summary>Semaphores between engines.</summary>
    Signals,

    /// <summary>Exchanges between cores or chips.</summary>
    Links,

    /// <summary>What throttles a matrix unit, or caps the power.</summary>
    PowerLimit,

    /// <summary>Start and end of programs or kernels.</summary>
    Launch,
}

/// <summary>Facts about each <see cref="MachinePart"/>.</summary>
public static class MachineParts
{
    private static readonly string[] Labels =
    [
        "matrix unit", "vector unit", "scalar unit", "general-purpose engine", "scratchpad ports", "dma engines", "main memory", "transfer latency",
        "cache", "signals", "links", "power limit", "launch",
    ];

    /// <summary>The name in reports, such as "main memory".</summary>
    public static string Label(this MachinePart part) => Labels[(int)part];

    /// <summary>The parts of the cycle stack of which none would be left at best.</summary>
    internal static ReadOnlySpan<CycleComponent> Components(this MachinePart part) => part switch
    {
        MachinePart.MatrixUnit => [CycleComponent.MatrixWork, CycleComponent.FillAndDrain, CycleComponent.WeightLoad, CycleComponent.Throttle],
        MachinePart.VectorUnit => [CycleComponent.Vector],
        MachinePart.ScalarUnit => [CycleComponent.Scalar],
        MachinePart.GeneralEngine => [CycleComponent.GpSimd],
        MachinePart.Scratchpad => [CycleComponent.ScratchpadConflict],
        MachinePart.DmaEngines => [CycleComponent.MemoryBandwidth],
        MachinePart.MainMemory => [CycleComponent.MemoryBandwidth, CycleComponent.RowConflictAndRefresh],
        MachinePart.TransferLatency => [CycleComponent.DmaIssue, CycleComponent.MemoryLatency],
        MachinePart.Cache => [CycleComponent.CacheBandwidth],
        MachinePart.Signals => [CycleComponent.Semaphore],
        MachinePart.Links => [CycleComponent.Collective],
        MachinePart.PowerLimit => [CycleComponent.Throttle],
        _ => [CycleComponent.Launch],
    };
}
