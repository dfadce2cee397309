using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>What a stretch of the critical path was spent on.</summary>
public enum CycleComponent
{
    /// <summary>A matrix unit multiplying operands that the result needs.</summary>
    MatrixWork,

    /// <summary>A matrix unit running with part of its cells empty, filling, draining, or transposing.</summary>
    FillAndDrain,

    /// <summary>Stationary operands moving into the array while nothing multiplies.</summary>
    WeightLoad,

    /// <summary>A matrix unit below its rate after a pause.</summary>
    Throttle,

    /// <summary>Bound by the vector engine or the CUDA cores.</summary>
    Vector,

    /// <summary>Bound by the scalar engine or the special-function units.</summary>
    Scalar,

    /// <summary>Bound by the general-purpose engine.</summary>
    GpSimd,

    /// <summary>Two engines at one scratchpad port or bank.</summary>
    ScratchpadConflict,

    /// <summary>Describing and issuing transfers.</summary>
    DmaIssue,

    /// <summary>First-byte and completion latency of transfers, or of loads from main memory.</summary>
    MemoryLatency,

    /// <summary>Bytes through the DMA engines or the main-memory interface.</summary>
    MemoryBandwidth,

    /// <summary>Row conflicts and refresh in main memory.</summary>
    RowConflictAndRefresh,

    /// <summary>Bytes through the shared cache.</summary>
    CacheBandwidth,

    /// <summary>Signals between engines.</summary>
    Semaphore,

    /// <summary>Exchanges between cores or chips.</summary>
    Collective,

    /// <summary>Processors without work in the last wave of a grid.</summary>
    TailWave,

    /// <summary>Starting and ending a program or a kernel.</summary>
    Launch,

    /// <summary>A pipeline stage without a micro-batch.</summary>
    PipelineBubble,
}

/// <summary>A total time divided into causes. The parts sum to the total exactly.</summary>
public sealed class CycleStack
{
    private static readonly int Length = Enum.GetValues<CycleComponent>().Length;
    private readonly long[] _femtoseconds = new long[Length];

    /// <summary>Time spent on <paramref name="component"/>.</summary>
    public SimTime this[CycleComponent component] => new(_femtoseconds[(int)component]);

    /// <summary>Sum of all parts.</summary>
    public SimTime Total
    {
        get
        {
            long sum = 0;
            foreach (long part in _femtoseconds)
            {
                sum = checked(sum + part);
            }

            return new SimTime(sum);
        }
    }

    /// <summary>Adds time to one part.</summary>
    public void Add(CycleComponent component, SimTime time) =>
        _femtoseconds[(int)component] = checked(_femtoseconds[(int)component] + time.Value);

    /// <summary>Adds all of <paramref name="other"/>, <paramref name="factor"/> times.</summary>
    public void Add(CycleStack other, long factor)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (int i = 0; i < _femtoseconds.Length; i++)
        {
            _femtoseconds[i] = checked(_femtoseconds[i] + other._femtoseconds[i] * factor);
        }
    }

    /// <summary>The component's name in reports, such as "memory bandwidth".</summary>
    public static string Label(CycleComponent component) => Labels[(int)component];

    private static readonly string[] Labels =
    [
        "matrix work", "fill and drain", "weight load", "throttle", "vector", "scalar", "gpsimd", "scratchpad conflict", "dma issue", "memory latency",
        "memory bandwidth", "row conflict and refresh", "cache bandwidth", "semaphore", "collective", "tail wave", "launch", "pipeline bubble",
    ];
}
