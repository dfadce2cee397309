using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Simulation;

/// <summary>The engines of a core at work: what each instruction takes once its stream lets it start. Which one starts when is the simulator's.</summary>
internal sealed class CoreUnits
{
    private readonly Program _program;
    private readonly Accelerator _machine;
    private readonly Clock[] _clocks;
    private readonly ActivityCounts[] _counts;
    private readonly long[][] _busy;
    private readonly int[] _parts = new int[Streams.Count];
    private readonly ScratchpadPorts _ports;
    private readonly ArrayOccupancy[] _arrays;
    private readonly ArrayThrottle? _throttle;
    private ActivationFunction _table;
    private int _part;
    private long _lastProduct;

    public CoreUnits(Program program, Accelerator machine)
    {
        (_program, _machine) = (program, machine);
        int parts = program.PartEnds.Length;
        _counts = [.. Enumerable.Range(0, parts).Select(_ => new ActivityCounts())];
        _busy = [.. Enumerable.Range(0, parts).Select(_ => new long[(int)StreamId.GpSimd + 1])];
        _clocks =
        [
            new Clock(machine.TensorEngine.SustainedRate), new Clock(machine.VectorEngine.Clock),
            new Clock(machine.ScalarEngine.Clock), new Clock(machine.GpSimdEngine.Clock),
        ];
        _arrays = [.. Enumerable.Range(0, machine.TensorEngine.Arrays).Select(_ => new ArrayOccupancy())];
        _ports = new ScratchpadPorts(machine.Sbuf, machine.Psum, program.Tiles);
        IMainMemory channels = machine.Memory.IsFree ? new FreeMemory(machine.Memory) : new StreamMemory(machine.Memory, machine.Cores);
        Memory = machine.SharedCache is { } cache ? new SharedCache(cache, machine.Cores, channels) : channels;
        Dma = new DmaEngines(machine.Dma, Memory, parts);
        _throttle = machine.TensorEngine.Throttle is { } throttle ? new ArrayThrottle(throttle) : null;
    }

    /// <summary>What the core sees of main memory.</summary>
    public IMainMemory Memory { get; }

    /// <summary>The DMA engines.</summary>
    public DmaEngines Dma { get; }

    private ActivityCounts Counts => _counts[_part];

    private long[] Busy => _busy[_part];

    /// <summary>What the engines did for a part of the program.</summary>
    public ActivityCounts CountsOf(int part) => _counts[part];

    /// <summary>Time for which each engine worked for a part of the program, in the order of <see cref="Simulator.Engines"/>.</summary>
    public ImmutableArray<SimTime> BusyWith(int part) => [.. _busy[part].Append(Dma.BusyTime(part)).Select(time => new SimTime(time))];

    /// <summary>Starts the next instruction of a stream, ready at <paramref name="ready"/>, whose turn is at <paramref name="turn"/>; calls must come in the order of turns.</summary>
    public void Start(StreamId stream, StreamState state, long ready, long turn)
    {
        ref readonly Instruction op = ref _program[stream][state.Issued];
        for (_part = _parts[(int)stream]; state.Issued >= _program.PartEnds[_part][(int)stream]; _part++)
        {
        }

        _parts[(int)stream] = _part;
        if (stream == StreamId.Exchange)
        {
            long end = turn + _machine.Synchronization.ExchangeLatency.Value;
            state.Issue(turn, end, end);
        }
        else if (stream.IsQueue())
        {
            Dma.Add(_program, stream, state.Issued, turn, _part);
            DmaEngines.Count(op, Counts);
            state.Issue(ready, turn);
        }
        else
        {
            (long start, long free, long done, long portWait) = Execute(stream, op, ready);
            if (portWait > 0)
            {
                state.WaitAtPort(portWait);
            }

            state.Issue(start, free, done);
        }
    }

    /// <summary>Executes an instruction that is ready at a time. Returns when it started, lets the next one start, and completes, and for how long it waited at a port.</summary>
    private (long Start, long Free, long Done, long PortWait) Execute(StreamId stream, in Instruction op, long ready)
    {
        Clock clock = _clocks[(int)stream];
        bool fast = stream == StreamId.Vector && VectorEngine.IsFast(_machine.VectorEngine, op);
        long atPort = _ports.Earliest(stream, op, fast, ready);
        Cycles edge = clock.EdgeAtOrAfter(new SimTime(stream == StreamId.Tensor ? Math.Max(atPort, FirstFree(op.Tile).FreeAt(op.Tile)) : atPort));
        long start = clock.At(edge).Value;
        (long held, long free, long done) = stream switch
        {
            StreamId.Tensor => Multiply(op, edge),
            StreamId.Scalar => Activate(op, edge),
            _ => Compute(stream, op, edge),
        };
        long wait = atPort - ready;
        if (!_ports.ArePlain)
        {
            Cycles taken = clock.EdgeAtOrAfter(new SimTime(held)) - edge;
            (Cycles hold, long latency) = _ports.Hold(stream, op, taken);
            long begin = clock.At(edge + hold).Value, later = clock.At(edge + hold + taken).Value - held;
            wait += begin - start;
            (start, held, free, done) = (begin, held + later, free + later, done + later + latency);
        }

        _ports.Take(stream, op, fast, held);
        return (start, free, done, wait);
    }

    private (long Held, long Free, long Done) Compute(StreamId stream, in Instruction op, Cycles edge)
    {
        Cycles interval = stream == StreamId.Vector ? VectorEngine.Interval(_machine.VectorEngine, op) : _machine.GpSimdEngine.Interval(EngineTraffic.Slots(op));
        EngineTraffic.Count(op, Counts);
        long free = Work(stream, edge, interval);
        return (free, free, free);
    }

    private (long Held, long Free, long Done) Activate(in Instruction op, Cycles edge)
    {
        (ScalarEngineSpec spec, Clock clock) = (_machine.ScalarEngine, _clocks[(int)StreamId.Scalar]);
        long table = SwitchTable(op);
        long free = Work(StreamId.Scalar, edge, ScalarEngine.Interval(spec, op)) + table;
        Busy[(int)StreamId.Scalar] += table;
        EngineTraffic.Count(op, Counts);
        return (free, free, Math.Max(free, clock.At(edge + ScalarEngine.Streaming(spec, op)).Value + table + spec.ResultLatency.Value));
    }

    private long Work(StreamId stream, Cycles edge, Cycles interval)
    {
        long free = _clocks[(int)stream].At(edge + interval).Value;
        Busy[(int)stream] += free - _clocks[(int)stream].At(edge).Value;
        return free;
    }

    /// <summary>The array on which a part is free first; of equal ones the first.</summary>
    private ArrayOccupancy FirstFree(ArrayTile tile)
    {
        ArrayOccupancy first = _arrays[0];
        for (int i = 1; i < _arrays.Length; i++)
        {
            first = _arrays[i].FreeAt(tile) < first.FreeAt(tile) ? _arrays[i] : first;
        }

        return first;
    }

    /// <summary>A product holds its part of an array; on another part or array the next one may start beside it.</summary>
    private (long Held, long Free, long Done) Multiply(in Instruction op, Cycles edge)
    {
        (TensorEngineSpec spec, Clock clock) = (_machine.TensorEngine, _clocks[(int)StreamId.Tensor]);
        ArrayOccupancy array = FirstFree(op.Tile);
        long start = clock.At(edge).Value, before = array.Last;
        Cycles work = TensorEngine.Interval(spec, op);
        if (before == 0 || start > before)
        {
            work += TensorEngine.ExposedLoad(spec, op);
        }

        long end = clock.At(edge + (_throttle?.Slow(work, start, clock) ?? work)).Value;
        array.Take(op.Tile, end);
        Busy[(int)StreamId.Tensor] += end - Math.Clamp(_lastProduct, start, end);
        _lastProduct = Math.Max(_lastProduct, end);
        TensorEngine.Count(spec, op, Counts);
        long free = op.Tile.IsWhole && _arrays.Length == 1 ? end : clock.At(edge + TensorEngine.IssueInterval(spec, op)).Value;
        return (end, free, end + spec.ResultLatency.Value);
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
}
