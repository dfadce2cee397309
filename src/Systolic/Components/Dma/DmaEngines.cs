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
    private readonly Queue<TransferEnd> _ends = new();
    private DmaEngine? _next;

    public DmaEngines(DmaSpec spec, StreamMemory memory)
    {
        _spec = spec;
        _engines = [.. Enumerable.Range(0, spec.Engines).Select(_ => new DmaEngine(spec, memory))];
    }

    /// <summary>When the next piece moves; <see cref="long.MaxValue"/> when there is nothing to do.</summary>
    public long NextTime => _next?.NextTime ?? long.MaxValue;

    /// <summary>Time for which all engines would have been busy.</summary>
    public long BusyTime => _engines.Sum(engine => engine.BusyTime) / _engines.Length;

    /// <summary>When a transfer that its queue issues at <paramref name="start"/> has been issued; addresses computed at run time take longer.</summary>
    public long IssuedAt(in Instruction op, long start) =>
        start + (op.Opcode.IsDynamic() ? _spec.DynamicIssueInterval : _spec.IssueInterval).Value;

    /// <summary>Hands a transfer that is issued at <paramref name="issued"/> to the engines. Calls must come in the order of time.</summary>
    public void Add(Program program, StreamId stream, int index, long issued)
    {
        ref readonly Instruction op = ref program[stream][index];
        int perEngine = Math.Max(_spec.PartitionsPerEngine, (op.Partitions + _spec.Engines - 1) / _spec.Engines);
        int slices = (op.Partitions + perEngine - 1) / perEngine;
        var transfer = new Transfer(program, op, stream, index, slices);
        long arrival = issued + _spec.TriggerLatency.Value;
        for (int slice = 0; slice < slices; slice++)
        {
            int first = slice * perEngine;
            _engines[slice].Add(new TransferSlice(transfer, first, Math.Min(op.Partitions, first + perEngine), arrival), issued);
        }

        FindNext();
    }

    /// <summary>Moves the next piece.</summary>
    public void Step()
    {
        if (_next!.Step() is { } transfer)
        {
            _ends.Enqueue(new TransferEnd(transfer.Stream, transfer.Index, transfer.End + _spec.CompletionLatency.Value));
        }

        FindNext();
    }

    /// <summary>The next transfer whose end is known.</summary>
    public bool TryTake(out TransferEnd end) => _ends.TryDequeue(out end);

    /// <summary>Adds what one transfer moves.</summary>
    public static void Count(in Instruction op, ActivityCounts counts)
    {
        long bytes = op.TransferBytes;
        counts.Add(op.Opcode.ReadsMemory() ? ActivityKind.DramReadByte : ActivityKind.ScratchpadReadByte, bytes);
        counts.Add(op.Opcode.WritesMemory() ? ActivityKind.DramWriteByte : ActivityKind.ScratchpadWriteByte, bytes);
        counts.Add(ActivityKind.NetworkByte, ((op.Opcode.ReadsMemory() ? 1 : 0) + (op.Opcode.WritesMemory() ? 1 : 0)) * bytes);
        counts.Add(ActivityKind.EngineInstruction, 1);
    }

    private void FindNext()
    {
        DmaEngine? first = null;
        foreach (DmaEngine engine in _engines)
        {
            if (engine.NextTime < (first?.NextTime ?? long.MaxValue))
            {
                first = engine;
            }
        }

        _next = first;
    }
}
