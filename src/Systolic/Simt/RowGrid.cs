using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>How a row operator is dealt to thread blocks.</summary>
/// <param name="Ctas">Thread blocks.</param>
/// <param name="Threads">Threads of each.</param>
/// <param name="Registers">Registers per thread.</param>
/// <param name="Trips">Turns of a thread's loop, each of whose loads waits for the turn before.</param>
/// <param name="Reductions">Block-wide reductions, each between barriers.</param>
/// <param name="Rereads">Times the input is read again because a row does not fit registers.</param>
/// <param name="CtaRows">Rows that a CTA works on at a time; 0 for a flat array.</param>
internal readonly record struct RowGrid(long Ctas, int Threads, int Registers, long Trips, int Reductions, int Rereads, int CtaRows = 0)
{
    private const int EagerVector = 4;
    private const int EagerNormThreads = 128;
    private const int LargestWarpRow = 1024;
    private const int AccessBytes = 16;
    private const int FlatThreads = 128;
    private const int HeldCta = 256;
    private const int LoopedCta = 1024;
    private const int Unrolled = 4; // turns of a simple loop whose loads the compiler issues together
    private const int BaseRegisters = 32;
    private const long LargestHeldRow = 64 * 1024;

    /// <summary>Warps of a CTA.</summary>
    public int Warps => (Threads + 31) / 32;

    /// <summary>Reductions make a row the unit of work; everything else is a flat array.</summary>
    public static RowGrid Of(RowOperator op, int elementBytes, RowStyle style = RowStyle.Fused) => (style, op) switch
    {
        (RowStyle.Eager, Softmax softmax) => EagerSoftmax(softmax),
        (RowStyle.Eager, Norm { Backward: false }) => EagerNorm(op),
        (RowStyle.Serving, Norm { Backward: false }) => Serving(op, reductions: 1),
        (RowStyle.Serving, Elementwise { Gated: true, Backward: false }) => Serving(op, reductions: 0),
        _ => Fused(op, elementBytes),
    };

    private static RowGrid Fused(RowOperator op, int elementBytes) => op switch
    {
        Softmax => Rows(op, elementBytes, reductions: 2),
        Norm { Function: NormFunction.Rms, Backward: false } => Rows(op, elementBytes, reductions: 1),
        Norm => Rows(op, elementBytes, reductions: 2),
        CrossEntropy => Rows(op, elementBytes, reductions: 2),
        MoeRouting => Rows(op, elementBytes, reductions: 2),
        _ => Flat(Elements(op), elementBytes),
    };

    /// <summary>Elements of the largest tensor the operator touches: one thread loads 16 bytes of it.</summary>
    public static long Elements(RowOperator op)
    {
        long most = 0;
        foreach (Tensor tensor in op.Reads)
        {
            most = Math.Max(most, tensor.Shape.Elements);
        }

        foreach (Tensor tensor in op.Writes)
        {
            most = Math.Max(most, tensor.Shape.Elements);
        }

        return most;
    }

    private static RowGrid Flat(long elements, int elementBytes)
    {
        long perCta = FlatThreads * AccessBytes / elementBytes;
        return new RowGrid((elements + perCta - 1) / perCta, FlatThreads, BaseRegisters, 1, 0, 0);
    }

    /// <summary>Up to 1024 columns a warp holds a row; beyond, a CTA reads it three times (maximum, sum, result), of a gradient twice (sum, result), in vectors.</summary>
    private static RowGrid EagerSoftmax(Softmax op)
    {
        const int warps = 4;
        if (op.Columns <= LargestWarpRow)
        {
            return new((op.Rows + warps - 1) / warps, warps * 32, BaseRegisters + (int)(op.Columns / 32), 1, 0, 0, warps);
        }

        long lanes = Math.Min(op.Columns / EagerVector, LoopedCta);
        int threads = 32, passes = op.Backward ? 1 : 2;
        while (threads < lanes / 2)
        {
            threads *= 2;
        }

        return new(op.Rows, threads, 40, Ceiling(op.Columns, threads * EagerVector), passes, passes, 1);
    }

    /// <summary>A pass for mean and deviation, a pass that reads the row again.</summary>
    private static RowGrid EagerNorm(RowOperator op) => new(op.Rows, EagerNormThreads, BaseRegisters, Ceiling(op.Columns, EagerNormThreads * EagerVector), 1, 1, 1);

    /// <summary>A loop with one element per thread and turn, unrolled by the compiler, and again behind a reduction.</summary>
    private static RowGrid Serving(RowOperator op, int reductions)
    {
        int threads = (int)Math.Min(op.Columns, LoopedCta);
        return new(op.Rows, threads, BaseRegisters, Ceiling(op.Columns, threads * Unrolled), reductions, reductions, 1);
    }

    private static long Ceiling(long count, long step) => (count + step - 1) / step;

    /// <summary>A row that fits the registers of a CTA is loaded at once; a longer one in trips, and again in each pass.</summary>
    private static RowGrid Rows(RowOperator op, int elementBytes, int reductions)
    {
        long accesses = ((op.Columns * elementBytes) + AccessBytes - 1) / AccessBytes;
        bool held = op.Columns * elementBytes <= LargestHeldRow;
        int lanes = (int)Math.Min(held ? HeldCta : LoopedCta, (accesses + 31) / 32 * 32);
        long perThread = (accesses + lanes - 1) / lanes;
        int rows = Math.Max(1, FlatThreads / lanes);
        int registers = BaseRegisters + (held ? (int)perThread * AccessBytes / 4 : 0);
        return new RowGrid((op.Rows + rows - 1) / rows, lanes * rows, registers, held ? 1 : perThread, rows > 1 ? 0 : reductions, held ? 0 : reductions, rows);
    }
}
