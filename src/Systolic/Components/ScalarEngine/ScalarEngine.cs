using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>Timing of the scalar engine's instructions.</summary>
internal static class ScalarEngine
{
    /// <summary>Cycles from issue to the earliest issue of the next.</summary>
    /// <remarks>NKI ISA reference v2.26: max(64, N), a reducing activation 64 more; 16-bit copies twice as fast on v4 (Trainium3 architecture guide).</remarks>
    public static Cycles Interval(ScalarEngineSpec spec, in Instruction op)
    {
        long elements = Math.Max(spec.MinimumInterval, Elements(spec, op));
        return new(op.Opcode == Opcode.ActivationReduce ? elements + spec.ReduceCycles : elements);
    }

    private static long Elements(ScalarEngineSpec spec, in Instruction op)
    {
        bool fast = spec.FastCopies && op.Opcode == Opcode.Copy && op.Source.ByteSize() <= 2 && op.Destination.ByteSize() <= 2;
        return EngineTraffic.Slots(op) / (fast ? 2 : 1);
    }

    /// <summary>Cycles from issue to the last element entering; what is read of the accumulator comes later.</summary>
    public static Cycles Streaming(ScalarEngineSpec spec, in Instruction op) => new(Elements(spec, op));

    /// <summary>The function comes from a table of its own, so switching to it from another such function loads the table.</summary>
    public static bool NeedsTable(in Instruction op) =>
        op.Opcode is Opcode.Activation or Opcode.ActivationReduce && op.Function > ActivationFunction.Square;
}
