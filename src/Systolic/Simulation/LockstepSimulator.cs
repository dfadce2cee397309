using Systolic.Components;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Simulation;

/// <summary>The reference for <see cref="Simulator"/>: time goes on in equal steps, and in each step every stream is asked anew whether its next instruction may start.</summary>
/// <remarks>
/// Slow and obvious: nothing is remembered of who waits for whom, when, or for what. What an instruction or a piece of a transfer takes is the same
/// (<see cref="CoreUnits"/>, <see cref="DmaEngines"/>); who starts when is found independently, and must agree to the femtosecond.
/// </remarks>
public sealed class LockstepSimulator
{
    private readonly Program _program;
    private readonly Accelerator _machine;
    private readonly CoreUnits _units;
    private readonly DmaEngines _dma;

    private LockstepSimulator(Program program, Accelerator machine)
    {
        (_program, _machine) = (program, machine);
        _units = new CoreUnits(program, machine);
        _dma = _units.Dma;
        States = [.. Enumerable.Range(0, Streams.Count).Select(s => new StreamState(program[(StreamId)s].Length))];
    }

    private StreamState[] States { get; }

    /// <summary>Simulates <paramref name="program"/> on one core of <paramref name="machine"/>.</summary>
    /// <param name="program">The program.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="step">The step; by default a nanosecond. It does not change the result.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step is not positive.</exception>
    /// <exception cref="InvalidOperationException">The program waits for something that never happens; the message names the stuck instruction.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static CoreRun Run(Program program, Accelerator machine, SimTime? step = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(machine);
        SimTime by = step ?? SimTime.FromNanoseconds(1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(by.Value, nameof(step));
        return new LockstepSimulator(program, machine).Run(by, cancellation);
    }

    /// <summary>As <see cref="Run(Program, Accelerator, SimTime?, CancellationToken)"/>, with when each instruction of each stream started and completed.</summary>
    internal static (CoreRun Run, StreamState[] Streams) RunWithTimes(Program program, Accelerator machine, SimTime? step = null)
    {
        var simulator = new LockstepSimulator(program, machine);
        return (simulator.Run(step ?? SimTime.FromNanoseconds(1), CancellationToken.None), simulator.States);
    }

    private CoreRun Run(SimTime step, CancellationToken cancellation)
    {
        long time = 0;
        while (!Finished())
        {
            cancellation.ThrowIfCancellationRequested();
            while (StepUntil(time))
            {
            }

            if (!Finished() && IsStuck())
            {
                Simulator.ThrowIfStuck(_program, States);
            }

            time += step.Value;
        }

        return CoreRun.Of(new SimulatedCore(_program, States, _units), _machine, []);
    }

    private bool Finished() => States.All(state => state.Finished && state.Known == state.Issued);

    /// <summary>Nothing moves, and no stream can ever start.</summary>
    private bool IsStuck() => _dma.NextTime == long.MaxValue && Enumerable.Range(0, States.Length).All(s => Turn((StreamId)s) == StreamState.Blocked);

    /// <summary>Does the first thing that happens until <paramref name="time"/>; false when there is nothing left to do.</summary>
    private bool StepUntil(long time)
    {
        (StreamId first, long earliest) = (default, StreamState.Blocked);
        for (int s = 0; s < States.Length; s++)
        {
            if (Turn((StreamId)s) is var turn && turn < earliest)
            {
                (first, earliest) = ((StreamId)s, turn);
            }
        }

        if (_dma.NextTime <= time && _dma.NextTime <= earliest)
        {
            _dma.Step();
            while (_dma.TryTake(out TransferEnd end))
            {
                States[(int)end.Stream].Complete(end.Index, end.Time);
            }

            return true;
        }

        if (earliest > time)
        {
            return false;
        }

        _units.Start(first, States[(int)first], Ready(first), earliest);
        return true;
    }

    /// <summary>When the next instruction of a stream would have its turn, by what is known now.</summary>
    private long Turn(StreamId stream)
    {
        long ready = Ready(stream);
        return ready == StreamState.Blocked || !stream.IsQueue() ? ready : _dma.IssuedAt(stream, _program[stream][States[(int)stream].Issued], ready);
    }

    private long Ready(StreamId stream)
    {
        StreamState state = States[(int)stream];
        if (state.Finished)
        {
            return StreamState.Blocked;
        }

        ref readonly Instruction op = ref _program[stream][state.Issued];
        long ready = state.NextFree;
        foreach (SemaphoreWait wait in _program.Waits.Slice(op.FirstWait, op.WaitCount))
        {
            StreamState producer = States[(int)wait.Stream];
            state.BlockedOn = wait;
            if (producer.Known < wait.AtLeast)
            {
                return StreamState.Blocked;
            }

            ready = Math.Max(ready, producer.Done[wait.AtLeast - 1] + Simulator.SignalLatency(_machine, wait.Stream, stream));
        }

        return ready;
    }
}
