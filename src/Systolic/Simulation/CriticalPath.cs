using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Simulation;

/// <summary>Walks back from the last completion along what each start waited for, and books every femtosecond of the way to its cause.</summary>
internal sealed class CriticalPath(Program program, Accelerator machine, StreamState[] streams, bool record = false)
{
    private const int MostSideBySide = ArrayTile.Quarters * ArrayTile.Quarters;
    private readonly CycleStack _stack = new();

    /// <summary>How much of the path ends in each instruction that lies on it: from where the walk left what it waited for. Null unless it is to be recorded.</summary>
    public Dictionary<(StreamId Stream, int Index), SimTime>? Parts { get; } = record ? [] : null;

    /// <summary>The cycle stack; its total is the last completion.</summary>
    public CycleStack Attribute()
    {
        (StreamId stream, int index) = Last();
        if (index < 0)
        {
            return _stack;
        }

        long cursor = streams[(int)stream].Done[index];
        while (index >= 0)
        {
            long start = Math.Min(cursor, streams[(int)stream].Start[index]);
            Book(stream, index, start, cursor);
            (StreamId Stream, int Index, long Cursor) before = Predecessor(stream, index, start);
            Parts?.Add((stream, index), new SimTime(cursor - before.Cursor));
            (stream, index, cursor) = before;
        }

        _stack.Add(CycleComponent.Semaphore, new SimTime(cursor));
        return _stack;
    }

    private (StreamId Stream, int Index) Last()
    {
        (StreamId stream, int index, long latest) = (StreamId.Tensor, -1, -1L);
        for (int s = 0; s < streams.Length; s++)
        {
            StreamState state = streams[s];
            if (state.Issued > 0 && state.Done[state.Issued - 1] > latest)
            {
                (stream, index, latest) = ((StreamId)s, state.Issued - 1, state.Done[state.Issued - 1]);
            }
        }

        return (stream, index);
    }

    /// <summary>What the start waited for, and where the walk goes on; the time between is the signal's and the clock edge's.</summary>
    private (StreamId Stream, int Index, long Cursor) Predecessor(StreamId stream, int index, long start)
    {
        (StreamId Stream, int Index, long Cursor) found = Releaser(stream, index, start);
        long atPort = Math.Min(streams[(int)stream].PortWait?[index] ?? 0, start - found.Cursor);
        _stack.Add(CycleComponent.ScratchpadConflict, new SimTime(atPort));
        _stack.Add(CycleComponent.Semaphore, new SimTime(start - found.Cursor - atPort));
        return found;
    }

    /// <summary>The instruction whose end let this one start, and that end: the one before it, one whose semaphore it waited for, or a product that held its part of the array.</summary>
    public (StreamId Stream, int Index, long Cursor) Releaser(StreamId stream, int index, long start)
    {
        StreamState state = streams[(int)stream];
        long latest = index == 0 ? 0 : state.Free[index - 1];
        (StreamId Stream, int Index, long Cursor) found = (stream, index - 1, latest);
        Instruction op = program[stream][index];
        foreach (SemaphoreWait wait in program.Waits.Slice(op.FirstWait, op.WaitCount))
        {
            long done = streams[(int)wait.Stream].Done[wait.AtLeast - 1];
            long arrival = done + Simulator.SignalLatency(machine, wait.Stream, stream);
            if (arrival > latest)
            {
                latest = arrival;
                found = (wait.Stream, wait.AtLeast - 1, done);
            }
        }

        if (stream == StreamId.Tensor && Occupant(index, start, latest) is var occupant and >= 0)
        {
            found = (stream, occupant, ArrayEnd(occupant));
        }

        return found;
    }

    /// <summary>The latest of the products side by side until whose end the array was taken after <paramref name="latest"/>; -1 for none.</summary>
    private int Occupant(int index, long start, long latest)
    {
        int found = -1;
        for (int i = index - 1; i >= 0 && i >= index - MostSideBySide; i--)
        {
            if (ArrayEnd(i) is var end && end > latest && end <= start)
            {
                (found, latest) = (i, end);
            }
        }

        return found;
    }

    /// <summary>Until when a product held its part of the array.</summary>
    private long ArrayEnd(int index) => streams[(int)StreamId.Tensor].Done[index] - machine.TensorEngine.ResultLatency.Value;

    private void Book(StreamId stream, int index, long start, long end)
    {
        if (stream == StreamId.Exchange)
        {
            _stack.Add(CycleComponent.Collective, new SimTime(end - start));
        }
        else if (stream.IsQueue())
        {
            BookTransfer(streams[(int)stream], program[stream][index].Descriptors, index, start, end);
        }
        else if (stream == StreamId.Tensor)
        {
            BookMatrix(index, start, end);
        }
        else
        {
            CycleComponent engine = stream switch { StreamId.Vector => CycleComponent.Vector, StreamId.Scalar => CycleComponent.Scalar, _ => CycleComponent.GpSimd };
            _stack.Add(engine, new SimTime(end - start));
        }
    }

    private void BookTransfer(StreamState state, DescriptorSource descriptors, int index, long start, long end)
    {
        long issued = Math.Min(end, state.Free[index]);
        long arrived = Math.Min(end, machine.Dma.ArrivalAt(descriptors, state.Free[index]));
        long moved = Math.Max(arrived, Math.Min(end, state.Done[index] - machine.Dma.CompletionLatency.Value));
        _stack.Add(CycleComponent.DmaIssue, new SimTime(issued - start));
        _stack.Add(CycleComponent.MemoryLatency, new SimTime(arrived - issued + (end - moved)));
        _stack.Add(CycleComponent.MemoryBandwidth, new SimTime(moved - arrived));
    }

    private void BookMatrix(int index, long start, long end)
    {
        TensorEngineSpec spec = machine.TensorEngine;
        Instruction op = program[StreamId.Tensor][index];
        long held = Math.Min(end, ArrayEnd(index)) - start;
        bool idle = index == 0 || start > ArrayEnd(index - 1);
        var clock = new Clock(spec.SustainedRate);
        long columns = clock.At(TensorEngine.Interval(spec, op)).Value;
        long load = idle ? Math.Clamp(held - columns, 0, clock.At(TensorEngine.ExposedLoad(spec, op) + new Cycles(1)).Value) : 0;
        long throttled = spec.Throttle is null ? 0 : Math.Max(0, held - load - columns);
        long streaming = held - load - throttled;
        (long used, long clocked) = TensorEngine.Occupancy(spec, op);
        long work = op.Opcode == Opcode.MatMul ? (long)((Int128)streaming * used / clocked) : 0;
        _stack.Add(CycleComponent.WeightLoad, new SimTime(load));
        _stack.Add(CycleComponent.Throttle, new SimTime(throttled));
        _stack.Add(CycleComponent.MatrixWork, new SimTime(work));
        _stack.Add(CycleComponent.FillAndDrain, new SimTime(end - start - load - throttled - work));
    }
}
