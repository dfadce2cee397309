using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>How a row operator is dealt to thread blocks.</summary>
/// <param name="Ctas">Thread blocks.</param>
/// <param name="Threads">Threads of each.</param>
/// <param name="Registers">Registers per thread.</param>
/// <param name="Trips">Loads of a thread that wait for the one before.</param>
/// <param name="Reductions">Block-wide reductions, each between barriers.</param>
/// <param name="Rereads">Times the input is read again because a row does not fit registers.</param>
internal readonly record struct RowGrid(long Ctas, int Threads, int Registers, long Trips, int Reductions, int Rereads)
{
    private const int AccessBytes = 16;
    private const int FlatThreads = 128;
    private const int LargestCta = 1024;
    private const long LargestHeldRow = 64 * 1024;

    /// <summary>Reductions make a row the unit of work; everything else is a flat array.</summary>
    public static RowGrid Of(RowOperator op, int elementBytes) => op switch
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
        return new RowGrid((elements + perCta - 1) / perCta, FlatThreads, 32, 1, 0, 0);
    }

    private static RowGrid Rows(RowOperator op, int elementBytes, int reductions)
    {
        long accesses = ((op.Columns * elementBytes) + AccessBytes - 1) / AccessBytes;
        int lanes = (int)Math.Min(LargestCta, (accesses + 31) / 32 * 32);
        int rows = Math.Max(1, FlatThreads / lanes);
        bool held = op.Columns * elementBytes <= LargestHeldRow;
        return new RowGrid((op.Rows + rows - 1) / rows, lanes * rows, 40, (accesses + lanes - 1) / lanes, rows > 1 ? 0 : reductions, held ? 0 : reductions);
    }
}
