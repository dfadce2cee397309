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
        long sources = op.Opcode is Opcode.Memset or Opcode.Iota ? 0 : elements;
        Read(sources * op.Source.ByteSize(), op.Operands.HasFlag(Operands.FirstInPsum), counts);
        if (op.Operands.HasFlag(Operands.TwoTensors))
        {
            Read(elements * op.Source.ByteSize(), op.Operands.HasFlag(Operands.SecondInPsum), counts);
        }

        bool reduces = op.Opcode is Opcode.TensorReduce or Opcode.BatchNormStats or Opcode.BatchNormAggregate or Opcode.Max8 or Opcode.FindIndex8;
        long written = (reduces ? op.Partitions : elements) * op.Destination.ByteSize();
        counts.Add(op.Operands.HasFlag(Operands.DestinationInPsum) ? ActivityKind.AccumulatorWriteByte : ActivityKind.ScratchpadWriteByte, written);
        counts.Add(UsesTable(op) ? ActivityKind.SpecialFunctionOp : ActivityKind.VectorOp, elements);
        counts.Add(ActivityKind.EngineLaneOverhead, elements);
        counts.Add(ActivityKind.EngineInstruction, 1);
    }

    /// <summary>Elements per partition, counted twice where they lie too far apart for the full rate of a port (Trainium architecture guide: half the rate above a stride of 16 bytes).</summary>
    public static long Slots(in Instruction op) => op.Operands.HasFlag(Operands.Strided) ? 2L * op.Free : op.Free;

    private static bool UsesTable(in Instruction op) => op.Opcode == Opcode.Reciprocal || ScalarEngine.NeedsTable(op);

    private static void Read(long bytes, bool psum, ActivityCounts counts) =>
        counts.Add(psum ? ActivityKind.AccumulatorReadByte : ActivityKind.ScratchpadReadByte, bytes);
}
