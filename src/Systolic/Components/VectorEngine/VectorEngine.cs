using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>Timing of the vector engine's instructions.</summary>
internal static class VectorEngine
{
    /// <summary>Cycles from issue to the earliest issue of the next; the result is readable then.</summary>
    /// <remarks>NKI ISA reference v2.26, cost tables; fast modes: Trainium2 architecture guide; static part: Trainium architecture guide ("about 100 cycles").</remarks>
    public static Cycles Interval(VectorEngineSpec spec, in Instruction op) =>
        new(Math.Max(spec.MinimumInterval, spec.Registers is { } registers ? Moving(registers, op) : Elements(spec, op)) + spec.StaticCycles);

    /// <summary>Registers of each operand, read or written, times what moving and converting one takes; a reduction writes none.</summary>
    private static long Moving(VectorRegisterSpec spec, in Instruction op)
    {
        double each = op.Opcode is Opcode.Memset or Opcode.Iota ? 0 : spec.Read(op.Source) * (op.Operands.HasFlag(Operands.TwoTensors) ? 2 : 1);
        each += EngineTraffic.Reduces(op) ? 0 : spec.Write(op.Destination);
        return (long)Math.Ceiling((EngineTraffic.Slots(op) + spec.ElementsPerLane - 1) / spec.ElementsPerLane * each);
    }

    /// <summary>The instruction takes several elements a cycle, for which the engine borrows the bus of the general-purpose one.</summary>
    public static bool IsFast(VectorEngineSpec spec, in Instruction op) => spec.FastModes && op.Opcode switch
    {
        Opcode.Copy or Opcode.TensorScalar => CopySpeed(spec, op) > 1,
        Opcode.TensorTensor => AllNarrow(op) && (op.Operands & (Operands.FirstInPsum | Operands.SecondInPsum)) == 0,
        _ => false,
    };

    private static long Elements(VectorEngineSpec spec, in Instruction op)
    {
        long n = EngineTraffic.Slots(op);
        return op.Opcode switch
        {
            Opcode.Copy or Opcode.TensorScalar => n / CopySpeed(spec, op),
            Opcode.TensorTensor => TwoTensors(spec, op, n),
            Opcode.ScalarTensorTensor => OnePsumSource(op) || AllNarrow(op) ? n : 2 * n,
            Opcode.Scan => 2 * n,
            Opcode.Select => OnePsumSource(op) ? n : 2 * n,
            Opcode.Reciprocal => 8 * n,
            Opcode.BatchNormAggregate => 13 * n / 3,
            Opcode.Memset => op.Destination.ByteSize() <= 2 ? n / 2 : n,
            _ => n,
        };
    }

    /// <summary>Four elements a cycle from 16 bits to 16 bits within SBUF; two for other types there, and for narrow ones with an end in PSUM.</summary>
    /// <remarks>From 16 to 8 bits is two: a public profile shows 8,800 ns for 16,384 elements at 0.96 GHz.</remarks>
    private static int CopySpeed(VectorEngineSpec spec, in Instruction op) => (spec.FastModes, InSbuf(op)) switch
    {
        (true, true) => op.Source.ByteSize() == 2 && op.Destination.ByteSize() == 2 ? 4 : 2,
        (true, false) => AllNarrow(op) ? 2 : 1,
        _ => 1,
    };

    private static long TwoTensors(VectorEngineSpec spec, in Instruction op, long n)
    {
        if (OnePsumSource(op))
        {
            return n;
        }

        bool fast = AllNarrow(op) && (op.Operands & (Operands.FirstInPsum | Operands.SecondInPsum)) == 0;
        return fast ? (spec.FastModes ? n / 2 : n) : 2 * n;
    }

    private static bool OnePsumSource(in Instruction op) =>
        (op.Operands & (Operands.FirstInPsum | Operands.SecondInPsum)) is Operands.FirstInPsum or Operands.SecondInPsum;

    private static bool AllNarrow(in Instruction op) => op.Source.ByteSize() <= 2 && op.Destination.ByteSize() <= 2;

    private static bool InSbuf(in Instruction op) => (op.Operands & (Operands.FirstInPsum | Operands.DestinationInPsum)) == 0;
}
