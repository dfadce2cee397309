using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>A part of the machine whose busy time is reported.</summary>
/// <param name="Name">Its name in reports and traces, such as "tensor".</param>
/// <param name="Instances">How many the machine has; utilization divides by it.</param>
public readonly record struct EngineInfo(string Name, int Instances);

/// <summary>A stretch of one engine's or queue's time, for traces.</summary>
/// <param name="Track">The engine or queue.</param>
/// <param name="Name">What ran.</param>
/// <param name="Start">When it began, from the start of the run.</param>
/// <param name="Duration">How long it ran.</param>
public readonly record struct Span(string Track, string Name, SimTime Start, SimTime Duration)
{
    /// <summary>Place in the track's order of execution, from 0, within its program.</summary>
    public int Index { get; init; }

    /// <summary>The operator that it belongs to, as <see cref="OperatorRun.Name"/>; empty where none is known.</summary>
    public string Operator { get; init; } = "";

    /// <summary>Part of the critical path that ends in it: its own time and what lies between it and what it waited for. Sums to the time over the spans of a program.</summary>
    public SimTime OnPath { get; init; }

    /// <summary>What kept it from starting once its engine or queue was free; null where nothing did.</summary>
    public Wait? Wait { get; init; }
}

/// <summary>The least time an operator or a run can take on a machine, by cause.</summary>
/// <param name="Arithmetic">Multiply-accumulates at the peak rate of the type.</param>
/// <param name="Memory">Compulsory bytes at the peak rate of main memory.</param>
public readonly record struct LowerBound(SimTime Arithmetic, SimTime Memory)
{
    /// <summary>The larger of the two.</summary>
    public SimTime Time => SimTime.Max(Arithmetic, Memory);
}

/// <summary>One operator as it ran: times and counts of a single execution over all cores.</summary>
public sealed record OperatorRun
{
    /// <summary>The operator's name in the graph, with its section.</summary>
    public required string Name { get; init; }

    /// <summary>The operator's family, such as "matmul".</summary>
    public required string Kind { get; init; }

    /// <summary>Its shapes in one line.</summary>
    public required string Shape { get; init; }

    /// <summary>How often it ran.</summary>
    public required long Repeat { get; init; }

    /// <summary>How it was placed: tiles, blocks, order. Replayable and printable.</summary>
    public required string Mapping { get; init; }

    /// <summary>Duration of one execution.</summary>
    public required SimTime Time { get; init; }

    /// <summary>Multiply-accumulates that the result needs; counts may hold more (transposes, recomputation, padding).</summary>
    public required MacCount UsefulMacs { get; init; }

    /// <summary>The least time one execution can take.</summary>
    public required LowerBound Bound { get; init; }

    /// <summary>Events and bytes of one execution.</summary>
    public required ActivityCounts Counts { get; init; }

    /// <summary>Where the time of one execution went; sums to <see cref="Time"/>.</summary>
    public required CycleStack Stack { get; init; }

    /// <summary>Busy time per engine, in the order of <see cref="RunTrace.Engines"/>, summed over the engine's instances.</summary>
    public required ImmutableArray<SimTime> Busy { get; init; }

    /// <summary>Energy of an event on chip over that at the voltage of the energy rows.</summary>
    public double Voltage { get; init; } = 1;

    /// <summary>The most scratchpad bytes held at once on one core.</summary>
    public Bytes ScratchpadHighWater { get; init; }

    /// <summary>The buffers of the pass that holds the most; empty on a machine whose memories are not managed by the program.</summary>
    public ImmutableArray<BufferUse> Buffers { get; init; } = [];
}

/// <summary>An on-chip buffer of a program and how much of it was ever used.</summary>
/// <param name="Memory">The memory it lies in: "sbuf" or "psum".</param>
/// <param name="Name">What it holds.</param>
/// <param name="PerPartition">Size of one copy in each partition.</param>
/// <param name="Copies">Copies that are placed.</param>
/// <param name="Used">Copies that were ever written: the high-water mark.</param>
public sealed record BufferUse(string Memory, string Name, Bytes PerPartition, int Copies, int Used);

/// <summary>Everything a machine recorded about one run. All figures of a report derive from it.</summary>
public sealed record RunTrace
{
    /// <summary>The engines whose busy time was recorded.</summary>
    public required ImmutableArray<EngineInfo> Engines { get; init; }

    /// <summary>The operators in execution order.</summary>
    public required ImmutableArray<OperatorRun> Operators { get; init; }

    /// <summary>Time before, between and after operators that belongs to none.</summary>
    public required CycleStack Overhead { get; init; }

    /// <summary>Compulsory arithmetic and traffic of the whole run.</summary>
    public required LowerBound Bound { get; init; }

    /// <summary>Spans of the first execution of each operator; empty unless asked for.</summary>
    public ImmutableArray<Span> Spans { get; init; } = [];

    /// <summary>What dividing the run over chips cost; null on one chip.</summary>
    public ParallelTrace? Parallel { get; init; }

    /// <summary>Duration of the run.</summary>
    public SimTime Time => Stack.Total;

    /// <summary>Where the time of the run went.</summary>
    public CycleStack Stack
    {
        get
        {
            var stack = new CycleStack();
            stack.Add(Overhead, 1);
            foreach (OperatorRun op in Operators)
            {
                stack.Add(op.Stack, op.Repeat);
            }

            return stack;
        }
    }

    /// <summary>Events and bytes of the run.</summary>
    public ActivityCounts Counts
    {
        get
        {
            var counts = new ActivityCounts();
            foreach (OperatorRun op in Operators)
            {
                counts.Add(op.Counts, op.Repeat);
            }

            return counts;
        }
    }
}
