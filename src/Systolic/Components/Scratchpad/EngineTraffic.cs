using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Components;

/// <summary>What an instruction of the vector, scalar or general-purpose engine reads, writes and computes.</summary>
internal static class EngineTraffic
{
    /// <summary>Adds lane operations, and bytes at the memory in which each operand lies.</summary>
    public static void Count(in Instruction op, ActivityCounts counts)
    {
        long elements = (long)op.Partitions * op.Free;
        Read(First(op) * op.Partitions, op.Operands.HasFlag(Operands.FirstInPsum), counts);
        Read(Second(op) * op.Partitions, op.Operands.HasFlag(Operands.SecondInPsum), counts);
        counts.Add(op.Operands.HasFlag(Operands.DestinationInPsum) ? ActivityKind.AccumulatorWriteByte : ActivityKind.ScratchpadWriteByte, Written(op) * op.Partitions);
        counts.Add(UsesTable(op) ? ActivityKind.SpecialFunctionOp : ActivityKind.VectorOp, elements);
        counts.Add(ActivityKind.EngineLaneOverhead, elements);
        counts.Add(ActivityKind.EngineInstruction, 1);
    }

    /// <summary>Elements per partition, counted twice where they lie too far apart for the full rate of a port (Trainium architecture guide: half the rate above a stride of 16 bytes).</summary>
    public static long Slots(in Instruction op) => op.Operands.HasFlag(Operands.Strided) ? 2L * op.Free : op.Free;

    /// <summary>Bytes that an instruction of any engine reads and writes in each partition of the accumulator memory, or else of the scratchpad.</summary>
    public static long PerPartition(StreamId engine, in Instruction op, bool psum)
    {
        if (engine == StreamId.Tensor)
        {
            return psum
                ? (long)op.Free * sizeof(float) * (op.Operands.HasFlag(Operands.Accumulate) ? 2 : 1)
                : ((long)op.Columns + op.Free) * op.Source.ByteSize();
        }

        return (op.Operands.HasFlag(Operands.FirstInPsum) == psum ? First(op) : 0)
            + (op.Operands.HasFlag(Operands.SecondInPsum) == psum ? Second(op) : 0)
            + (op.Operands.HasFlag(Operands.DestinationInPsum) == psum ? Written(op) : 0);
    }

    /// <summary>It writes a few values for each partition, whatever it reads.</summary>
    public static bool Reduces(in Instruction op) => op.Opcode is Opcode.TensorReduce or Opcode.BatchNormStats or Opcode.BatchNormAggregate or Opcode.Max8 or Opcode.FindIndex8;

    private static long First(in Instruction op) => op.Opcode is Opcode.Memset or Opcode.Iota ? 0 : (long)op.Free * op.Source.ByteSize();

    private static long Second(in Instruction op) => op.Operands.HasFlag(Operands.TwoTensors) ? (long)op.Free * op.Source.ByteSize() : 0;

    private static long Written(in Instruction op) =>
        (Reduces(op) ? 1 : op.Free) * (long)op.Destination.ByteSize();

    private static bool UsesTable(in Instruction op) => op.Opcode == Opcode.Reciprocal || ScalarEngine.NeedsTable(op);

    private static void Read(long bytes, bool psum, ActivityCounts counts) =>
        counts.Add(psum ? ActivityKind.AccumulatorReadByte : ActivityKind.ScratchpadReadByte, bytes);
}
