using Systolic.Accounting;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>When the phases of a transfer ended, in femtoseconds.</summary>
/// <param name="Issued">The queue may issue its next transfer.</param>
/// <param name="Completed">A waiting engine may start.</param>
/// <param name="EngineTime">Time for which the transfer keeps all engines of the core busy, or as much of them.</param>
internal readonly record struct TransferTimes(long Issued, long Completed, long EngineTime);

/// <summary>The DMA engines of one core at work: all queues share the engines and the core's part of main memory, first come, first served.</summary>
internal sealed class DmaEngines(DmaSpec spec, Bandwidth memory)
{
    private readonly double _engineRate = 1e15 / spec.EngineBandwidth.BytesPerSecond;
    private readonly double _allRate = 1e15 / spec.Bandwidth.BytesPerSecond;
    private readonly double _memoryRate = 1e15 / memory.BytesPerSecond;
    private long _enginesFree;
    private long _memoryFree;

    /// <summary>Runs one transfer that the queue issues at <paramref name="start"/>. Calls must come in the order of <see cref="IssuedAt"/>.</summary>
    public TransferTimes Transfer(in Instruction op, long start)
    {
        long issued = IssuedAt(op, start);
        long arrived = issued + spec.TriggerLatency.Value;
        double bytes = EngineBytes(op);
        int engines = Math.Min(spec.Engines, (op.Partitions + spec.PartitionsPerEngine - 1) / spec.PartitionsPerEngine);
        long served = Math.Max(arrived, _enginesFree);
        long engineTime = Duration(bytes * _allRate);
        _enginesFree = served + engineTime;
        long moved = served + Duration(bytes * _engineRate / engines);
        if (UsesMemory(op.Opcode))
        {
            _memoryFree = Math.Max(served, _memoryFree) + Duration(MemoryBytes(op) * _memoryRate);
            moved = Math.Max(moved, _memoryFree);
        }

        return new TransferTimes(issued, moved + spec.CompletionLatency.Value, engineTime);
    }

    /// <summary>When a transfer that its queue issues at <paramref name="start"/> has been issued; addresses computed at run time take longer.</summary>
    public long IssuedAt(in Instruction op, long start) =>
        start + (op.Opcode is Opcode.Gather or Opcode.Scatter ? spec.DynamicIssueInterval : spec.IssueInterval).Value;

    /// <summary>Adds what one transfer moves.</summary>
    public static void Count(in Instruction op, ActivityCounts counts)
    {
        long bytes = op.TransferBytes;
        bool fromMemory = op.Opcode is Opcode.Load or Opcode.LoadTransposed or Opcode.Gather or Opcode.MemoryCopy;
        bool toMemory = op.Opcode is Opcode.Store or Opcode.Scatter or Opcode.MemoryCopy;
        counts.Add(fromMemory ? ActivityKind.DramReadByte : ActivityKind.ScratchpadReadByte, bytes);
        counts.Add(toMemory ? ActivityKind.DramWriteByte : ActivityKind.ScratchpadWriteByte, bytes);
        counts.Add(ActivityKind.EngineInstruction, 1);
    }

    private static bool UsesMemory(Opcode opcode) => opcode != Opcode.LocalTranspose;

    private static double MemoryBytes(in Instruction op) => op.Opcode == Opcode.MemoryCopy ? 2.0 * op.TransferBytes : op.TransferBytes;

    private double EngineBytes(in Instruction op)
    {
        double bytes = (double)op.Partitions * Math.Max(op.Free, spec.MinimumRun.Value);
        return op.Opcode switch
        {
            Opcode.LocalTranspose => bytes / spec.LocalTransposeShare,
            Opcode.LoadTransposed => bytes / spec.MemoryTransposeShare,
            _ => bytes,
        };
    }

    private static long Duration(double femtoseconds) => (long)Math.Ceiling(femtoseconds);
}
