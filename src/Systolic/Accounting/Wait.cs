using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>What an instruction or transfer waited for.</summary>
public enum WaitCause
{
    /// <summary>The semaphore of an instruction of an engine: a result, or a buffer that its reader gives back.</summary>
    Semaphore,

    /// <summary>The semaphore of a transfer that its queue had not yet begun.</summary>
    Queue,

    /// <summary>The semaphore of a transfer that was being described and issued.</summary>
    DmaIssue,

    /// <summary>The semaphore of a transfer on its way: first byte and completion.</summary>
    MemoryLatency,

    /// <summary>The semaphore of a transfer whose bytes passed the DMA engines and main memory.</summary>
    MemoryBandwidth,

    /// <summary>The semaphore of an exchange with other cores.</summary>
    Exchange,

    /// <summary>Whatever writes descriptors at run time wrote those of another transfer.</summary>
    DescriptorBlock,

    /// <summary>A product that held the part of the array.</summary>
    Array,

    /// <summary>Another engine was at the scratchpad or accumulator memory, and both may not be there together.</summary>
    ScratchpadPort,

    /// <summary>Another engine was at the same bank of the accumulator memory.</summary>
    AccumulatorBank,

    /// <summary>Its own function table was loaded.</summary>
    FunctionTable,
}

/// <summary>What kept an instruction or transfer from starting once its engine or queue was free.</summary>
/// <param name="Cause">The cause; of several the one that held it longest.</param>
/// <param name="Time">From when its engine or queue was free to its start; the load of a function table lies behind the start.</param>
public sealed record Wait(WaitCause Cause, SimTime Time)
{
    private static readonly string[] Labels =
    [
        "semaphore", "queue", "dma issue", "memory latency", "memory bandwidth", "exchange", "descriptor block", "array", "scratchpad port", "PSUM bank", "function table",
    ];

    /// <summary>The engine or queue of what it waited for; empty where that is no other instruction.</summary>
    public string Track { get; init; } = "";

    /// <summary>The name of the instruction that it waited for.</summary>
    public string Name { get; init; } = "";

    /// <summary>The place of that instruction in its engine or queue.</summary>
    public int Index { get; init; }

    /// <summary>From that instruction's start to the start of the one that waited.</summary>
    public SimTime Since { get; init; }

    /// <summary>A semaphore ended the wait.</summary>
    public bool IsSignal => Cause <= WaitCause.Exchange;

    /// <summary>What it waited for, and how, such as "dma weights Load #3, memory bandwidth".</summary>
    public string Reason => Track.Length == 0 ? Label(Cause) : FormattableString.Invariant($"{Track} {Name} #{Index}, {Label(Cause)}");

    /// <summary>The cause's name in reports.</summary>
    public static string Label(WaitCause cause) => Labels[(int)cause];
}
