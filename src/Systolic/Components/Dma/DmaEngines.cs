using System.Numerics;
using System.Runtime.CompilerServices;
using Systolic.Accounting;
using Systolic.Programs;

namespace Systolic.Components;

/// <summary>A transfer is done: a waiting engine may start.</summary>
/// <param name="Stream">Its queue.</param>
/// <param name="Index">Its place in the queue.</param>
/// <param name="Time">Femtoseconds.</param>
internal readonly record struct TransferEnd(StreamId Stream, int Index, long Time);

/// <summary>The DMA engines of one core at work, piece by piece in the order of time: every engine takes its queues in turn and shares main memory with the others.</summary>
/// <remarks>Rules: docs/memory.md.</remarks>
internal sealed class DmaEngines
{
    private readonly DmaSpec _spec;
    private readonly DmaEngine[] _engines;
    private readonly long[] _blockFree;
    private readonly long[] _busy;
    private readonly Queue<TransferEnd> _ends = new();
    private long _softwareFree;
    private readonly long[] _times;

    // Of each pair of engines, then of each pair of pairs, the one whose next piece moves first; of equal ones the lower. Engines stand behind them.
    private readonly int[] _first;

    public DmaEngines(DmaSpec spec, IMainMemory memory, int parts = 1)
    {
        _spec = spec;
        _blockFree = new long[spec.DescriptorBlocks];
        _busy = new long[parts];
        _engines = [.. Enumerable.Range(0, spec.Engines).Select(_ => new DmaEngine(spec, memory, _busy))];
        int leaves = (int)BitOperations.RoundUpToPowerOf2((uint)spec.Engines);
        _times = new long[leaves];
        Array.Fill(_times, long.MaxValue);
        _first = [.. new int[leaves], .. Enumerable.Range(0, leaves)];
        for (int pair = leaves - 1; pair > 0; pair--)
        {
            _first[pair] = _first[2 * pair];
        }
    }

    /// <summary>When the next piece moves; <see cref="long.MaxValue"/> when there is nothing to do.</summary>
    public long NextTime => _times[_first[1]];

    /// <summary>Time for which all engines would have been busy with a part of the program.</summary>
    public long BusyTime(int part) => _busy[part] / _engines.Length;

    /// <summary>When a transfer that its queue issues at <paramref name="start"/> has been issued, as things stand: what writes descriptors at run time serves one transfer at a time.</summary>
    public long IssuedAt(StreamId stream, in Instruction op, long start) => Block(stream, op.Descriptors) switch
    {
        { } block => Math.Max(start, _blockFree[block]) + _spec.BlockInterval.Value,
        _ when op.Descriptors == DescriptorSource.Software => Math.Max(start, _softwareFree) + _spec.SoftwareInterval.Value,
        _ => start + _spec.IssueInterval.Value,
    };

    /// <summary>Hands a transfer that is issued at <paramref name="issued"/> to the engines. Calls must come in the order of time.</summary>
    public void Add(Program program, StreamId stream, int index, long issued, int part = 0)
    {
        ref readonly Instruction op = ref program[stream][index];
        Describe(stream, op.Descriptors, issued);
        int perEngine = Math.Max(op.Opcode.StaysInMemory() ? 1 : _spec.PartitionsPerEngine, (op.Partitions + _spec.Engines - 1) / _spec.Engines);
        int slices = (op.Partitions + perEngine - 1) / perEngine;
        var transfer = new Transfer(_spec, program, op, stream, index, part, slices);
        long arrival = _spec.ArrivalAt(op.Descriptors, issued);
        for (int slice = 0; slice < slices; slice++)
        {
            int first = slice * perEngine;
            _engines[slice].Add(new TransferSlice(transfer, first, Math.Min(op.Partitions, first + perEngine), arrival), issued);
            Order(slice);
        }
    }

    /// <summary>Moves the next piece.</summary>
    public void Step()
    {
        int next = _first[1];
        if (_engines[next].Step() is { } transfer)
        {
            _ends.Enqueue(new TransferEnd(transfer.Stream, transfer.Index, transfer.End + _spec.CompletionLatency.Value));
        }

        Order(next);
    }

    /// <summary>The next transfer whose end is known.</summary>
    public bool TryTake(out TransferEnd end) => _ends.TryDequeue(out end);

    /// <summary>Adds what one transfer moves on the side of the core; main memory counts its own.</summary>
    public static void Count(in Instruction op, ActivityCounts counts)
    {
        counts.Add(ActivityKind.ScratchpadReadByte, op.Opcode.ReadsMemory() ? 0 : op.TransferBytes);
        counts.Add(ActivityKind.ScratchpadWriteByte, op.Opcode.WritesMemory() ? 0 : op.TransferBytes);
        counts.Add(ActivityKind.NetworkByte, ((op.Opcode.ReadsMemory() ? 1 : 0) + (op.Opcode.WritesMemory() ? 1 : 0)) * op.TransferBytes);
        counts.Add(ActivityKind.EngineInstruction, 1);
    }

    private void Describe(StreamId stream, DescriptorSource source, long until)
    {
        if (Block(stream, source) is { } block)
        {
            _blockFree[block] = until;
        }
        else if (source == DescriptorSource.Software)
        {
            _softwareFree = until;
        }
    }

    /// <summary>Each engine that triggers transfers has a block of its own; loads are triggered by one engine, what leaves or stays in the scratchpad by another, or all by one.</summary>
    private int? Block(StreamId stream, DescriptorSource source) => source switch
    {
        DescriptorSource.Hardware => stream is StreamId.QueueStores or StreamId.QueueLocal ? _blockFree.Length - 1 : 0,
        DescriptorSource.HardwareOneBlock => 0,
        _ => null,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Order(int engine)
    {
        _times[engine] = _engines[engine].NextTime;
        for (int pair = (engine + _times.Length) / 2; pair > 0; pair /= 2)
        {
            (int one, int other) = (_first[2 * pair], _first[(2 * pair) + 1]);
            _first[pair] = _times[other] < _times[one] ? other : one;
        }
    }
}
