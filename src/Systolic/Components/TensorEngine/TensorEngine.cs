using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>Timing and counts of the systolic array's instructions.</summary>
internal static class TensorEngine
{
    /// <summary>Cycles from the issue of a product to the earliest issue of the next, at the sustained rate.</summary>
    /// <remarks>
    /// NKI ISA reference v2.26: max(min(64, stationary columns), moving columns), the moving part never below 64; fp32 four times that.
    /// The next stationary operand shifts in behind it (background load, four columns a cycle), which 64 cycles always cover;
    /// one with elements far apart shifts in a column a cycle (the public decode MLP kernel permutes weights to avoid it).
    /// </remarks>
    public static Cycles Interval(TensorEngineSpec spec, in Instruction op)
    {
        int load = op.Operands.HasFlag(Operands.Strided) ? op.Columns : 0;
        return new((long)Math.Max(Math.Max(spec.MinimumInterval, load), op.Free) * spec.Passes(op.Source));
    }

    /// <summary>Cycles to shift in a stationary operand that nothing hides: after the array was idle.</summary>
    public static Cycles ExposedLoad(TensorEngineSpec spec, in Instruction op) =>
        new((op.Columns + spec.LoadColumnsPerCycle - 1) / spec.LoadColumnsPerCycle);

    /// <summary>Cycles from the issue of a product to that of the next one on another part of an array, or on another array: the least interval, divided among them.</summary>
    public static Cycles IssueInterval(TensorEngineSpec spec, in Instruction op) =>
        new((spec.MinimumInterval * op.Tile.Sixteenths) / (ArrayTile.Whole.Sixteenths * spec.Arrays));

    /// <summary>Cell-columns that hold an operand of the product, out of all that the interval clocks, both per pass.</summary>
    public static (long Used, long Clocked) Occupancy(TensorEngineSpec spec, in Instruction op)
    {
        long cells = (long)spec.ContractionRows(op.Source) * spec.Columns * op.Tile.Sixteenths / ArrayTile.Whole.Sixteenths;
        long clocked = cells * Math.Max(spec.MinimumInterval, op.Free);
        return ((long)op.Partitions * op.Columns * op.Free, clocked);
    }

    /// <summary>Adds what one product or transpose does.</summary>
    public static void Count(TensorEngineSpec spec, in Instruction op, ActivityCounts counts)
    {
        (long used, long clocked) = Occupancy(spec, op);
        int passes = spec.Passes(op.Source);
        long stationary = (long)op.Partitions * op.Columns;
        int size = op.Source.ByteSize();
        long results = (long)op.Columns * op.Free * sizeof(float);
        counts.Add(MacKind(op.Source), used);
        counts.Add(ActivityKind.PePipeline, used * passes);
        counts.Add(ActivityKind.PeIdleCycle, (clocked - used) * passes);
        counts.Add(ActivityKind.WeightLoad, stationary * passes);
        counts.Add(ActivityKind.ScratchpadReadByte, (stationary + ((long)op.Partitions * op.Free)) * size);
        counts.Add(ActivityKind.AccumulatorWriteByte, results);
        counts.Add(ActivityKind.AccumulatorReadByte, op.Operands.HasFlag(Operands.Accumulate) ? results : 0);
        counts.Add(ActivityKind.EngineInstruction, 2);
    }

    private static ActivityKind MacKind(DataType type) => type switch
    {
        DataType.Fp32 => ActivityKind.MacFp32,
        DataType.Tf32 => ActivityKind.MacTf32,
        DataType.Bf16 => ActivityKind.MacBf16,
        DataType.Fp16 => ActivityKind.MacFp16,
        DataType.Int8 => ActivityKind.MacInt8,
        _ => ActivityKind.MacFp8,
    };
}
