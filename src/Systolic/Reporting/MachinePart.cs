using System.Collections.Immutable;
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
    /// <summary>The name in reports, such as "main memory".</summary>
    public static string Label(this MachinePart part) => Facts[(int)part].Label;

    /// <summary>The parts of the cycle stack of which none would be left at best.</summary>
    internal static ImmutableArray<CycleComponent> Components(this MachinePart part) => Facts[(int)part].Components;

    private static readonly ImmutableArray<(string Label, ImmutableArray<CycleComponent> Components)> Facts =
    [
        ("matrix unit", [CycleComponent.MatrixWork, CycleComponent.FillAndDrain, CycleComponent.WeightLoad, CycleComponent.Throttle]),
        ("vector unit", [CycleComponent.Vector]),
        ("scalar unit", [CycleComponent.Scalar]),
        ("general-purpose engine", [CycleComponent.GpSimd]),
        ("scratchpad ports", [CycleComponent.ScratchpadConflict]),
        ("dma engines", [CycleComponent.MemoryBandwidth]),
        ("main memory", [CycleComponent.MemoryBandwidth, CycleComponent.RowConflictAndRefresh]),
        ("transfer latency", [CycleComponent.DmaIssue, CycleComponent.MemoryLatency]),
        ("cache", [CycleComponent.CacheBandwidth]),
        ("signals", [CycleComponent.Semaphore]),
        ("links", [CycleComponent.Collective]),
        ("power limit", [CycleComponent.Throttle]),
        ("launch", [CycleComponent.Launch]),
    ];
}
