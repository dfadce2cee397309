using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Simulation;

/// <summary>The engines of a core at work: what each instruction takes once its stream lets it start. Which one starts when is the simulator's.</summary>
internal sealed class CoreUnits
{
    private readonly Accelerator _machine;
    private readonly Clock[] _clocks;
    private readonly ScratchpadPorts _ports;
    private readonly ArrayOccupancy[] _arrays;
    private readonly ArrayThrottle? _throttle;
    private ActivationFunction _table;
    private long _lastProduct;

    public CoreUnits(Program program, Accelerator machine)
    {
        _machine = machine;
        _clocks =
        [
            new Clock(machine.TensorEngine.SustainedRate), new Clock(machine.VectorEngine.Clock),
            new Clock(machine.ScalarEngine.Clock), new Clock(machine.GpSimdEngine.Clock),
        ];
        _arrays = [.. Enumerable.Range(0, machine.TensorEngine.Arrays).Select(_ => new ArrayOccupancy())];
        _ports = new ScratchpadPorts(machine.Sbuf, machine.Psum, program.Tiles);
        var channels = new StreamMemory(machine.Memory, machine.Cores);
        Memory = machine.SharedCache is { } cache ? new SharedCache(cache, machine.Cores, channels) : channels;
        Dma = new DmaEngines(machine.Dma, Memory);
        _throttle = machine.TensorEngine.Throttle is { } throttle ? new ArrayThrottle(throttle) : null;
    }

    /// <summary>What the core sees of main memory.</summary>
    public IMainMemory Memory { get; }

    /// <summary>The DMA engines.</summary>
    public DmaEngines Dma { get; }

    /// <summary>What the engines did.</summary>
    public ActivityCounts Counts { get; } = new();

    /// <summary>Time for which each engine worked, in the order of the streams.</summary>
    public long[] Busy { get; } = new long[(int)StreamId.GpSimd + 1];

    /// <summary>Executes an instruction that is ready at a time; calls must come in the order of these times. Returns when it started, lets the next one start, and completes, and for how long it waited at a port.</summary>
    public (long Start, long Free, long Done, long PortWait) Execute(StreamId stream, in Instruction op, long ready)
    {
        if (stream == StreamId.Exchange)
        {
            long end = ready + _machine.Synchronization.ExchangeLatency.Value;
            return (ready, end, end, 0);
        }

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
