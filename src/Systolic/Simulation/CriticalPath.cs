using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Simulation;

/// <summary>Walks back from the last completion along what each start waited for, across barriers from core to core, and books every femtosecond of the way to its cause.</summary>
internal sealed class CriticalPath(SimulatedCore[] cores, Accelerator machine, bool record = false)
{
    private const int MostSideBySide = ArrayTile.Quarters * ArrayTile.Quarters;
    private readonly CycleStack[] _stacks = [.. cores[0].Program.PartEnds.Select(_ => new CycleStack())];
    private int _core;
    private int _part;

    /// <summary>How much of the path ends in each instruction that lies on it: from where the walk left what it waited for. Null unless it is to be recorded.</summary>
    public Dictionary<(int Core, StreamId Stream, int Index), SimTime>? Parts { get; } = record ? [] : null;

    private Program Program => cores[_core].Program;

    private StreamState[] Streams => cores[_core].Streams;

    /// <summary>The cycle stack of each part of the programs; their total is the last completion.</summary>
    public CycleStack[] Attribute()
    {
        (_core, StreamId stream, int index) = Last();
        if (index < 0)
        {
            return _stacks;
        }

        long cursor = Streams[(int)stream].Done[index];
        while (index >= 0)
        {
            long start = Math.Min(cursor, Streams[(int)stream].Start[index]);
            _part = Program.PartOf(stream, index);
            Book(stream, index, start, cursor);
            int on = _core;
            if (stream == StreamId.Exchange)
            {
                _core = LastAt(index);
            }

            (StreamId Stream, int Index, long Cursor) before = Predecessor(stream, index, start);
            Parts?.Add((on, stream, index), new SimTime(cursor - before.Cursor));
            (stream, index, cursor) = before;
        }

        Book(CycleComponent.Semaphore, cursor);
        return _stacks;
    }

    private (int Core, StreamId Stream, int Index) Last()
    {
        (int last, StreamId stream, int index, long latest) = (0, StreamId.Tensor, -1, -1L);
        for (int core = 0; core < cores.Length; core++)
        {
            StreamState[] streams = cores[core].Streams;
            for (int s = 0; s < streams.Length; s++)
            {
                StreamState state = streams[s];
                if (state.Issued > 0 && state.Done[state.Issued - 1] > latest)
                {
                    (last, stream, index, latest) = (core, (StreamId)s, state.Issued - 1, state.Done[state.Issued - 1]);
                }
            }
        }

        return (last, stream, index);
    }

    /// <summary>The core that came last to a barrier.</summary>
    private int LastAt(int barrier)
    {
        (int last, long latest) = (_core, -1L);
        for (int core = 0; core < cores.Length; core++)
        {
            if (WaitedFor(cores[core], StreamId.Exchange, barrier).Arrival is var arrival && arrival > latest)
            {
                (last, latest) = (core, arrival);
            }
        }

        return last;
    }

    private (StreamId Stream, int Index, long Cursor, long Arrival) WaitedFor(SimulatedCore core, StreamId stream, int index)
    {
        long latest = index == 0 ? 0 : core.Streams[(int)stream].Free[index - 1];
        (StreamId Stream, int Index, long Cursor) found = (stream, index - 1, latest);
        ref readonly Instruction op = ref core.Program[stream][index];
        foreach (SemaphoreWait wait in core.Program.Waits.Slice(op.FirstWait, op.WaitCount))
        {
            long done = core.Streams[(int)wait.Stream].Done[wait.AtLeast - 1];
            long arrival = done + Simulator.SignalLatency(machine, wait.Stream, stream);
            if (arrival > latest)
            {
                latest = arrival;
                found = (wait.Stream, wait.AtLeast - 1, done);
            }
        }

        return (found.Stream, found.Index, found.Cursor, latest);
    }

    /// <summary>What the start waited for, and where the walk goes on; the time between is the signal's and the clock edge's.</summary>
    private (StreamId Stream, int Index, long Cursor) Predecessor(StreamId stream, int index, long start)
    {
        (StreamId Stream, int Index, long Cursor) found = Releaser(_core, stream, index, start);
        long atPort = Math.Min(Streams[(int)stream].PortWait?[index] ?? 0, start - found.Cursor);
        Book(CycleComponent.ScratchpadConflict, atPort);
        Book(CycleComponent.Semaphore, start - found.Cursor - atPort);
        return found;
    }

    /// <summary>The instruction of the same core whose end let this one start, and that end: the one before it, one whose semaphore it waited for, or a product that held its part of the array.</summary>
    public (StreamId Stream, int Index, long Cursor) Releaser(int core, StreamId stream, int index, long start)
    {
        (StreamId Stream, int Index, long Cursor, long Latest) waited = WaitedFor(cores[core], stream, index);
        (StreamId Stream, int Index, long Cursor) found = (waited.Stream, waited.Index, waited.Cursor);
        if (stream == StreamId.Tensor && Occupant(core, index, start, waited.Latest) is var occupant and >= 0)
        {
            found = (stream, occupant, ArrayEnd(core, occupant));
        }

        return found;
    }

    /// <summary>The latest of the products side by side until whose end the array was taken after <paramref name="latest"/>; -1 for none.</summary>
    private int Occupant(int core, int index, long start, long latest)
    {
        int found = -1;
        for (int i = index - 1; i >= 0 && i >= index - MostSideBySide; i--)
        {
            if (ArrayEnd(core, i) is var end && end > latest && end <= start)
            {
                (found, latest) = (i, end);
            }
        }

        return found;
    }

    /// <summary>Until when a product held its part of the array.</summary>
    private long ArrayEnd(int core, int index) => cores[core].Streams[(int)StreamId.Tensor].Done[index] - machine.TensorEngine.ResultLatency.Value;

    private void Book(CycleComponent component, long time) => _stacks[_part].Add(component, new SimTime(time));

    private void Book(StreamId stream, int index, long start, long end)
    {
        if (stream == StreamId.Exchange)
        {
            Book(CycleComponent.Collective, end - start);
        }
        else if (stream.IsQueue())
        {
            BookTransfer(Streams[(int)stream], Program[stream][index].Descriptors, index, start, end);
        }
        else if (stream == StreamId.Tensor)
        {
            BookMatrix(index, start, end);
        }
        else
        {
            CycleComponent engine = stream switch { StreamId.Vector => CycleComponent.Vector, StreamId.Scalar => CycleComponent.Scalar, _ => CycleComponent.GpSimd };
            Book(engine, end - start);
        }
    }

    private void BookTransfer(StreamState state, DescriptorSource descriptors, int index, long start, long end)
    {
        long issued = Math.Min(end, state.Free[index]);
        long arrived = Math.Min(end, machine.Dma.ArrivalAt(descriptors, state.Free[index]));
        long moved = Math.Max(arrived, Math.Min(end, state.Done[index] - machine.Dma.CompletionLatency.Value));
        Book(CycleComponent.DmaIssue, issued - start);
        Book(CycleComponent.MemoryLatency, arrived - issued + (end - moved));
        Book(CycleComponent.MemoryBandwidth, moved - arrived);
    }

    private void BookMatrix(int index, long start, long end)
    {
        TensorEngineSpec spec = machine.TensorEngine;
        Instruction op = Program[StreamId.Tensor][index];
        long held = Math.Min(end, ArrayEnd(_core, index)) - start;
        bool idle = index == 0 || start > ArrayEnd(_core, index - 1);
        var clock = new Clock(spec.SustainedRate);
        long columns = clock.At(TensorEngine.Interval(spec, op)).Value;
        long load = idle ? Math.Clamp(held - columns, 0, clock.At(TensorEngine.ExposedLoad(spec, op) + new Cycles(1)).Value) : 0;
        long throttled = spec.Throttle is null ? 0 : Math.Max(0, held - load - columns);
        long streaming = held - load - throttled;
        (long used, long clocked) = TensorEngine.Occupancy(spec, op);
        long work = op.Opcode == Opcode.MatMul ? (long)((Int128)streaming * used / clocked) : 0;
        Book(CycleComponent.WeightLoad, load);
        Book(CycleComponent.Throttle, throttled);
        Book(CycleComponent.MatrixWork, work);
        Book(CycleComponent.FillAndDrain, end - start - load - throttled - work);
    }
}
