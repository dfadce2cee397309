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
    private const long NoBarrier = -1;
    private readonly Program _program;
    private readonly Accelerator _machine;
    private readonly StreamState[] _streams;
    private readonly DmaEngines _dma;
    private readonly CoreUnits _units;
    private readonly SimulatedCore _core;
    private readonly List<Span>? _spans;
    private bool _prepared;

    private Simulator(Program program, Accelerator machine, bool collectSpans)
    {
        (_program, _machine) = (program, machine);
        _streams = new StreamState[Streams.Count];
        for (int s = 0; s < Streams.Count; s++)
        {
            _streams[s] = new StreamState(program[(StreamId)s].Length);
        }

        _units = new CoreUnits(program, machine);
        _dma = _units.Dma;
        _core = new SimulatedCore(program, _streams, _units);
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

    /// <summary>Simulates cores that exchange signals: the k-th barrier of each starts when all have reached theirs.</summary>
    /// <param name="programs">What each core executes; all have as many parts and barriers. Cores that execute the same need be named only once.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="collectSpans">Keep a span per instruction and transfer.</param>
    /// <param name="cancellation">Checked between instructions.</param>
    /// <exception cref="InvalidOperationException">A program waits for something that never happens, or the programs have not equally many barriers.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    internal static CoresRun RunTogether(IReadOnlyList<Program> programs, Accelerator machine, bool collectSpans, CancellationToken cancellation)
    {
        Simulator[] simulators = [.. programs.Select(program => new Simulator(program, machine, collectSpans))];
        RunTogether(simulators, cancellation);
        return CoresRun.Of([.. simulators.Select(simulator => simulator._core)], machine, [.. simulators.Select(simulator => simulator.Spans)]);
    }

    private CoreRun Run(CancellationToken cancellation)
    {
        RunTogether([this], cancellation);
        return CoreRun.Of(_core, _machine, Spans);
    }

    private static void RunTogether(Simulator[] simulators, CancellationToken cancellation)
    {
        while (true)
        {
            foreach (Simulator simulator in simulators)
            {
                simulator.Advance(cancellation);
            }

            long start = simulators.Max(simulator => simulator.Barrier);
            if (start == NoBarrier)
            {
                break;
            }

            foreach (Simulator simulator in simulators)
            {
                simulator.Exchange(start);
            }
        }

        foreach (Simulator simulator in simulators)
        {
            ThrowIfStuck(simulator._program, simulator._streams);
        }
    }

    /// <summary>When the barrier is ready at which the core now stands, or <see cref="NoBarrier"/>.</summary>
    private long Barrier => _streams[(int)StreamId.Exchange] is { Finished: false, Ready: not StreamState.Blocked and var ready } ? ready : NoBarrier;

    /// <summary>Issues everything up to the next barrier.</summary>
    private void Advance(CancellationToken cancellation)
    {
        if (!_prepared)
        {
            for (int s = 0; s < Streams.Count; s++)
            {
                Prepare((StreamId)s);
            }

            _prepared = true;
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

            if (stream is not { } next || next == StreamId.Exchange)
            {
                break;
            }

            if (Postpone(next))
            {
                continue;
            }

            Issue(next);
        }
    }

    /// <summary>All cores have reached their barrier at <paramref name="start"/>.</summary>
    private void Exchange(long start)
    {
        if (Barrier == NoBarrier)
        {
            throw new InvalidOperationException($"{_program.Name}: another core waits at barrier {_streams[(int)StreamId.Exchange].Issued + 1}, which this one never reaches.");
        }

        _streams[(int)StreamId.Exchange].Turn = start;
        Issue(StreamId.Exchange);
    }

    /// <summary>Every instruction was issued.</summary>
    /// <exception cref="InvalidOperationException">One was not; the message names it and what it waits for.</exception>
    internal static void ThrowIfStuck(Program program, StreamState[] streams)
    {
        if (Array.FindIndex(streams, state => !state.Finished) is var stuck and >= 0)
        {
            StreamState state = streams[stuck];
            throw new InvalidOperationException(FormattableString.Invariant(
                $"{program.Name}: stream {((StreamId)stuck).Label()} is stuck at instruction {state.Issued} ({program[(StreamId)stuck][state.Issued].Opcode}), waiting for {state.BlockedOn.AtLeast} completions of {state.BlockedOn.Stream.Label()}."));
        }
    }

    private ImmutableArray<Span> Spans => _spans is null ? [] : [.. _spans];

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
        state.Turn = stream.IsQueue() ? _dma.IssuedAt(stream, op, ready) : ready;
    }

    /// <summary>Descriptors that another queue had written meanwhile put off a transfer's turn.</summary>
    private bool Postpone(StreamId stream)
    {
        StreamState state = _streams[(int)stream];
        if (!stream.IsQueue() || _dma.IssuedAt(stream, _program[stream][state.Issued], state.Ready) is var turn && turn == state.Turn)
        {
            return false;
        }

        state.Turn = turn;
        return true;
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
        producer.IsQueue() ? 0
        : producer != consumer ? machine.Synchronization.SemaphoreLatency.Value
        : producer == StreamId.Scalar ? machine.ScalarEngine.DependentLatency.Value : 0;

    private void Issue(StreamId stream)
    {
        StreamState state = _streams[(int)stream];
        _units.Start(stream, state, state.Ready, state.Turn);
        int index = state.Issued - 1;
        // An engine takes its next instruction while results of the last are still on their way; its spans would overlap if they lasted until then.
        if (!stream.IsQueue())
        {
            _spans?.Add(new Span(stream.Label(), Name(_program[stream][index]), new SimTime(state.Start[index]), new SimTime(state.Free[index] - state.Start[index])));
        }

        Prepare(stream);
        WakeWaitersFor(stream);
    }

    /// <summary>The instruction's name in traces.</summary>
    internal static string Name(in Instruction op) =>
        op.Opcode is Opcode.Activation or Opcode.ActivationReduce ? $"{op.Opcode} {op.Function}" : op.Opcode.ToString();
}
