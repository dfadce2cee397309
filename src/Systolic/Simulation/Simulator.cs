using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Simulation;

/// <summary>Runs a program on one core: in-order streams, semaphores, engine intervals and latencies, DMA engines and a share of main memory.</summary>
/// <remarks>
/// Event driven: of all streams whose next instruction has its waits met, the one whose turn comes first is issued; ties go to the lower
/// stream. A transfer's turn is when it has been issued, not when its queue starts to issue it, for some take longer than others; nothing issued
/// later can have an earlier turn, so the DMA engines learn of transfers in the order of time. They move pieces in between, up to the next turn, and
/// a transfer's completion is known when its last piece has moved.
/// </remarks>
public sealed class Simulator
{
    private readonly Program _program;
    private readonly Accelerator _machine;
    private readonly StreamState[] _streams;
    private readonly Clock[] _clocks;
    private readonly StreamMemory _memory;
    private readonly DmaEngines _dma;
    private readonly ScratchpadPorts _ports;
    private readonly ActivityCounts _counts = new();
    private readonly long[] _busy = new long[Engines.Length];
    private readonly List<Span>? _spans;
    private readonly bool[] _written;
    private ActivationFunction _table;

    private Simulator(Program program, Accelerator machine, bool collectSpans)
    {
        (_program, _machine) = (program, machine);
        _streams = new StreamState[Streams.Count];
        for (int s = 0; s < Streams.Count; s++)
        {
            _streams[s] = new StreamState(program[(StreamId)s].Length);
        }

        _clocks =
        [
            new Clock(machine.TensorEngine.SustainedRate), new Clock(machine.VectorEngine.Clock),
            new Clock(machine.ScalarEngine.Clock), new Clock(machine.GpSimdEngine.Clock),
        ];
        _memory = new StreamMemory(machine.Memory, machine.Cores);
        _dma = new DmaEngines(machine.Dma, _memory);
        _ports = new ScratchpadPorts(machine.Sbuf, machine.Psum, program.Tiles);
        _written = new bool[program.Tiles];
        _spans = collectSpans ? [] : null;
    }

    /// <summary>The engines whose busy time is recorded; "dma" stands for all DMA engines of a core together.</summary>
    public static ImmutableArray<string> Engines { get; } = ["tensor", "vector", "scalar", "gpsimd", "dma"];

    /// <summary>Simulates <paramref name="program"/> on one core of <paramref name="machine"/>.</summary>
    /// <exception cref="InvalidOperationException">The program waits for something that never happens; the message names the stuck instruction.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static CoreRun Run(Program program, Accelerator machine, bool collectSpans = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(machine);
        return new Simulator(program, machine, collectSpans).Run(cancellation);
    }

    /// <summary>As <see cref="Run(Program, Accelerator, bool, CancellationToken)"/>, with when each instruction of each stream started and completed.</summary>
    internal static (CoreRun Run, StreamState[] Streams) RunWithTimes(Program program, Accelerator machine)
    {
        var simulator = new Simulator(program, machine, false);
        return (simulator.Run(CancellationToken.None), simulator._streams);
    }

    private CoreRun Run(CancellationToken cancellation)
    {
        for (int s = 0; s < Streams.Count; s++)
        {
            Prepare((StreamId)s);
        }

        for (int events = 0; ; events++)
        {
            if ((events & 0xFFFF) == 0)
            {
                cancellation.ThrowIfCancellationRequested();
            }

            StreamId? stream = Next();
            if (MoveUntil(stream is null ? long.MaxValue : _streams[(int)stream.Value].Turn))
            {
                continue;
            }

            if (stream is not { } next)
            {
                break;
            }

            Issue(next);
            Prepare(next);
            WakeWaitersFor(next);
        }

        if (Array.FindIndex(_streams, state => !state.Finished) is var stuck and >= 0)
        {
            StreamState state = _streams[stuck];
            throw new InvalidOperationException(FormattableString.Invariant(
                $"{_program.Name}: stream {((StreamId)stuck).Label()} is stuck at instruction {state.Issued} ({_program[(StreamId)stuck][state.Issued].Opcode}), waiting for {state.BlockedOn.AtLeast} completions of {state.BlockedOn.Stream.Label()}."));
        }

        _busy[^1] = _dma.BusyTime;
        CycleStack stack = new CriticalPath(_program, _machine, _streams).Attribute();
        _memory.Count(_counts, stack.Total.Value);
        return new CoreRun(stack.Total, _counts, [.. _busy.Select(time => new SimTime(time))], stack, _spans is null ? [] : [.. _spans])
        {
            Buffers = [.. _program.Buffers.Select(Use)],
        };
    }

    private BufferUse Use(TileBuffer buffer) => new(
        buffer.Space == MemorySpace.Sbuf ? "sbuf" : "psum", buffer.Name, new Bytes(buffer.BytesPerPartition), buffer.Copies, _written.AsSpan(buffer.FirstTile, buffer.Copies).Count(true));

    private StreamId? Next()
    {
        int first = -1;
        long earliest = StreamState.Blocked;
        for (int s = 0; s < _streams.Length; s++)
        {
            if (_streams[s].Turn < earliest)
            {
                (first, earliest) = (s, _streams[s].Turn);
            }
        }

        return first < 0 ? null : (StreamId)first;
    }

    private void Prepare(StreamId stream)
    {
        StreamState state = _streams[(int)stream];
        if (state.Finished)
        {
            state.Ready = state.Turn = StreamState.Blocked;
            state.BlockedOn = new SemaphoreWait(stream, int.MaxValue);
            return;
        }

        ref readonly Instruction op = ref _program[stream][state.Issued];
        long ready = state.NextFree;
        foreach (SemaphoreWait wait in _program.Waits.Slice(op.FirstWait, op.WaitCount))
        {
            StreamState producer = _streams[(int)wait.Stream];
            if (producer.Known < wait.AtLeast)
            {
                (state.Ready, state.Turn, state.BlockedOn) = (StreamState.Blocked, StreamState.Blocked, wait);
                return;
            }

            ready = Math.Max(ready, producer.Done[wait.AtLeast - 1] + SignalLatency(_machine, wait.Stream, stream));
        }

        state.Ready = ready;
        state.Turn = stream.IsQueue() ? _dma.IssuedAt(op, ready) : ready;
    }

    /// <summary>Lets the DMA engines work until <paramref name="time"/> or the next end of a transfer; true when there was one.</summary>
    private bool MoveUntil(long time)
    {
        while (_dma.NextTime <= time && _dma.NextTime != long.MaxValue)
        {
            _dma.Step();
            if (!_dma.TryTake(out TransferEnd end))
            {
                continue;
            }

            StreamState state = _streams[(int)end.Stream];
            state.Complete(end.Index, end.Time);
            long start = state.Start[end.Index];
            _spans?.Add(new Span(end.Stream.Label(), Name(_program[end.Stream][end.Index]), new SimTime(start), new SimTime(end.Time - start)));
            WakeWaitersFor(end.Stream);
            return true;
        }

        return false;
    }

    private void WakeWaitersFor(StreamId producer)
    {
        int known = _streams[(int)producer].Known;
        for (int s = 0; s < _streams.Length; s++)
        {
            StreamState state = _streams[s];
            if (state.Ready == StreamState.Blocked && state.BlockedOn.Stream == producer && known >= state.BlockedOn.AtLeast)
            {
                Prepare((StreamId)s);
            }
        }
    }

    /// <summary>From a producer's completion to a consumer's start; a transfer's completion latency already includes it.</summary>
    internal static long SignalLatency(Accelerator machine, StreamId producer, StreamId consumer) =>
        producer == consumer || producer.IsQueue() ? 0 : machine.Synchronization.SemaphoreLatency.Value;

    private void Issue(StreamId stream)
    {
        StreamState state = _streams[(int)stream];
        ref readonly Instruction op = ref _program[stream][state.Issued];
        if (op.Target >= 0)
        {
            _written[op.Target] = true;
        }

        if (op.Reduced >= 0)
        {
            _written[op.Reduced] = true;
        }

        if (stream.IsQueue())
        {
            long issued = _dma.IssuedAt(op, state.Ready);
            _dma.Add(_program, stream, state.Issued, issued);
            DmaEngines.Count(op, _counts);
            state.Issue(state.Ready, issued);
            return;
        }

        (long start, long free, long done) = stream == StreamId.Exchange ? Exchange(state.Ready) : Compute(stream, op, state);
        state.Issue(start, free, done);
        // An engine takes its next instruction while results of the last are still on their way; its spans would overlap if they lasted until then.
        _spans?.Add(new Span(stream.Label(), Name(op), new SimTime(start), new SimTime(free - start)));
    }

    private (long Start, long Free, long Done) Exchange(long ready)
    {
        long end = ready + _machine.Synchronization.ExchangeLatency.Value;
        return (ready, end, end);
    }

    private (long Start, long Free, long Done) Compute(StreamId stream, in Instruction op, StreamState state)
    {
        Clock clock = _clocks[(int)stream];
        bool fast = stream == StreamId.Vector && VectorEngine.IsFast(_machine.VectorEngine, op);
        long atPort = _ports.Earliest(stream, op, fast, state.Ready);
        Cycles edge = clock.EdgeAtOrAfter(new SimTime(atPort));
        long start = clock.At(edge).Value;
        if (atPort > state.Ready)
        {
            state.WaitAtPort(atPort - state.Ready);
        }

        long free, done;
        switch (stream)
        {
            case StreamId.Tensor:
                bool idle = state.Issued == 0 || start > state.NextFree;
                Cycles load = idle ? TensorEngine.ExposedLoad(_machine.TensorEngine, op) : Cycles.Zero;
                free = clock.At(edge + load + TensorEngine.Interval(_machine.TensorEngine, op)).Value;
                done = free + _machine.TensorEngine.ResultLatency.Value;
                TensorEngine.Count(_machine.TensorEngine, op, _counts);
                break;
            case StreamId.Vector:
                free = done = clock.At(edge + VectorEngine.Interval(_machine.VectorEngine, op)).Value;
                EngineTraffic.Count(op, _counts);
                break;
            case StreamId.Scalar:
                free = clock.At(edge + ScalarEngine.Interval(_machine.ScalarEngine, op)).Value + SwitchTable(op);
                done = free + _machine.ScalarEngine.ResultLatency.Value;
                EngineTraffic.Count(op, _counts);
                break;
            default:
                free = done = clock.At(edge + _machine.GpSimdEngine.Interval(EngineTraffic.Slots(op))).Value;
                EngineTraffic.Count(op, _counts);
                break;
        }

        _ports.Take(stream, op, fast, free);
        _busy[(int)stream] += free - start;
        return (start, free, done);
    }

    private long SwitchTable(in Instruction op)
    {
        if (!ScalarEngine.NeedsTable(op) || op.Function == _table)
        {
            return 0;
        }

        _table = op.Function;
        return _machine.ScalarEngine.TableLoad.Value;
    }

    private static string Name(in Instruction op) =>
        op.Opcode is Opcode.Activation or Opcode.ActivationReduce ? $"{op.Opcode} {op.Function}" : op.Opcode.ToString();
}
