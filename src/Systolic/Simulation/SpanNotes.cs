using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Simulation;

/// <summary>Notes on each span of a finished program what its instruction waited for, and its part of the critical path.</summary>
/// <param name="core">The core.</param>
/// <param name="number">Its number among those simulated together.</param>
/// <param name="machine">The machine.</param>
/// <param name="path">The critical path, recorded.</param>
internal sealed class SpanNotes(SimulatedCore core, int number, Accelerator machine, CriticalPath path)
{
    private readonly Program _program = core.Program;
    private readonly StreamState[] _streams = core.Streams;
    private readonly HashSet<int> _tableLoads = TableLoads(core.Program);

    /// <summary>The spans with their notes.</summary>
    public ImmutableArray<Span> On(ImmutableArray<Span> spans) => [.. spans.Select(Note)];

    private Span Note(Span span)
    {
        StreamId stream = Streams.Of(span.Track);
        // No two instructions of a stream start at the same time.
        int index = Array.BinarySearch(_streams[(int)stream].Start, span.Start.Value);
        return span with { Index = index, OnPath = path.Parts!.GetValueOrDefault((number, stream, index)), Wait = WaitOf(stream, index) };
    }

    private Wait? WaitOf(StreamId stream, int index)
    {
        StreamState state = _streams[(int)stream];
        (long free, long start) = (index == 0 ? 0 : state.Free[index - 1], state.Start[index]);
        var waited = new SimTime(start - free);
        var table = stream == StreamId.Scalar && _tableLoads.Contains(index) ? machine.ScalarEngine.TableLoad : SimTime.Zero;
        var described = new SimTime(stream.IsQueue() ? state.Free[index] - start - Interval(_program[stream][index].Descriptors).Value : 0);
        (StreamId by, int which, long end) = path.Releaser(number, stream, index, start);
        long atPort = state.PortWait?[index] ?? 0;
        if (table > waited)
        {
            return new Wait(WaitCause.FunctionTable, table);
        }

        if (described > waited)
        {
            return new Wait(WaitCause.DescriptorBlock, described);
        }

        if (atPort > 0 && 2 * atPort >= waited.Value)
        {
            return LastBefore(stream, start, start - atPort) is var (other, last)
                ? For(SharesBank(_program[stream][index], _program[other][last]) ? WaitCause.AccumulatorBank : WaitCause.ScratchpadPort, waited, other, last, start)
                : new Wait(WaitCause.ScratchpadPort, waited);
        }

        return end == free && by == stream ? null : For(CauseOf(stream, by, which, free, start), waited, by, which, start);
    }

    private Wait For(WaitCause cause, SimTime time, StreamId by, int which, long start) => new(cause, time)
    {
        Track = by.Label(),
        Name = Simulator.Name(_program[by][which]),
        Index = which,
        Since = new SimTime(start - _streams[(int)by].Start[which]),
    };

    private WaitCause CauseOf(StreamId stream, StreamId by, int which, long free, long start) => by switch
    {
        StreamId.Exchange => WaitCause.Exchange,
        StreamId.Tensor when stream == StreamId.Tensor => WaitCause.Array,
        _ when by.IsQueue() => PhaseOf(by, which, free, start),
        _ => WaitCause.Semaphore,
    };

    /// <summary>In which phase a transfer was for most of a wait.</summary>
    private WaitCause PhaseOf(StreamId queue, int which, long from, long until)
    {
        StreamState state = _streams[(int)queue];
        long arrival = machine.Dma.ArrivalAt(_program[queue][which].Descriptors, state.Free[which]);
        long moved = Math.Max(arrival, state.Done[which] - machine.Dma.CompletionLatency.Value);
        long latency = Within(state.Free[which], arrival) + Within(moved, state.Done[which]);
        (WaitCause Cause, long Time)[] phases =
        [
            (WaitCause.MemoryBandwidth, Within(arrival, moved)), (WaitCause.MemoryLatency, latency),
            (WaitCause.DmaIssue, Within(state.Start[which], state.Free[which])), (WaitCause.Queue, Within(from, state.Start[which])),
        ];
        return phases.MaxBy(phase => phase.Time).Cause;

        long Within(long begin, long end) => Math.Max(0, Math.Min(end, until) - Math.Max(begin, from));
    }

    /// <summary>Of the instructions of other engines that let go of the on-chip memories while one waited at a port, the latest; null for none.</summary>
    private (StreamId Engine, int Index)? LastBefore(StreamId engine, long start, long from)
    {
        ((StreamId Engine, int Index)? found, long latest) = (null, from);
        for (StreamId other = StreamId.Tensor; other <= StreamId.GpSimd; other++)
        {
            StreamState state = _streams[(int)other];
            int next = Array.BinarySearch(state.Start, start);
            for (int i = (next < 0 ? ~next : next) - 1; i >= 0 && other != engine; i--)
            {
                long end = other == StreamId.Tensor ? state.Done[i] - machine.TensorEngine.ResultLatency.Value : state.Free[i];
                if (end <= start)
                {
                    (found, latest) = end > latest ? ((other, i), end) : (found, latest);
                    break;
                }
            }
        }

        return found;
    }

    private bool SharesBank(in Instruction one, in Instruction other)
    {
        int[] shared = [.. ((int[])[one.Target, one.First, one.Second]).Intersect([other.Target, other.First, other.Second])];
        return machine.Psum.ExclusiveBanks && _program.Buffers.Any(buffer =>
            buffer.Space == MemorySpace.Psum && shared.Any(tile => tile >= buffer.FirstTile && tile < buffer.FirstTile + buffer.Copies));
    }

    private SimTime Interval(DescriptorSource source) => source switch
    {
        DescriptorSource.Hardware or DescriptorSource.HardwareOneBlock => machine.Dma.BlockInterval,
        DescriptorSource.Software => machine.Dma.SoftwareInterval,
        _ => machine.Dma.IssueInterval,
    };

    /// <summary>The activations that need another function table than those before them.</summary>
    private static HashSet<int> TableLoads(Program program)
    {
        HashSet<int> loads = [];
        ActivationFunction table = default;
        ReadOnlySpan<Instruction> scalar = program[StreamId.Scalar];
        for (int i = 0; i < scalar.Length; i++)
        {
            if (ScalarEngine.NeedsTable(scalar[i]) && scalar[i].Function != table)
            {
                table = scalar[i].Function;
                loads.Add(i);
            }
        }

        return loads;
    }
}
