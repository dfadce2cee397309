using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Systolic.Components;

/// <summary>A row of sums in one cycle, or in four successive cycles while the sums stay in vector registers.</summary>
/// <remarks>Rows are padded to <see cref="Lanes"/> cells, so there is no remainder. Vectors that the machine lacks are emulated, with the same results.</remarks>
internal static class RowUpdate<T, TCell>
    where T : unmanaged
    where TCell : struct, ICell<T>
{
    /// <summary>Cells that a row is padded to a multiple of.</summary>
    public const int Lanes = 16;

    /// <summary>sum := sum + top x moving.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Once(ref T top, ref T moving, ref T sum, int cells)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            OnceIn512Bits(ref top, ref moving, ref sum, cells);
            return;
        }

        for (nuint i = 0; i < (nuint)cells; i += 8)
        {
            TCell.MultiplyAdd(Vector256.LoadUnsafe(ref top, i), Vector256.LoadUnsafe(ref moving, i), Vector256.LoadUnsafe(ref sum, i)).StoreUnsafe(ref sum, i);
        }
    }

    /// <summary>The same four times in order; each time with the operands of the next cycle.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourTimes(
        ref T top0, ref T moving0, ref T top1, ref T moving1, ref T top2, ref T moving2, ref T top3, ref T moving3, ref T sum, int cells)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            FourTimesIn512Bits(ref top0, ref moving0, ref top1, ref moving1, ref top2, ref moving2, ref top3, ref moving3, ref sum, cells);
            return;
        }

        for (nuint i = 0; i < (nuint)cells; i += 8)
        {
            Vector256<T> row = TCell.MultiplyAdd(Vector256.LoadUnsafe(ref top0, i), Vector256.LoadUnsafe(ref moving0, i), Vector256.LoadUnsafe(ref sum, i));
            row = TCell.MultiplyAdd(Vector256.LoadUnsafe(ref top1, i), Vector256.LoadUnsafe(ref moving1, i), row);
            row = TCell.MultiplyAdd(Vector256.LoadUnsafe(ref top2, i), Vector256.LoadUnsafe(ref moving2, i), row);
            TCell.MultiplyAdd(Vector256.LoadUnsafe(ref top3, i), Vector256.LoadUnsafe(ref moving3, i), row).StoreUnsafe(ref sum, i);
        }
    }

    /// <summary>As <see cref="Once"/>, in vectors of 16 cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OnceIn512Bits(ref T top, ref T moving, ref T sum, int cells)
    {
        for (nuint i = 0; i < (nuint)cells; i += 16)
        {
            TCell.MultiplyAdd(Vector512.LoadUnsafe(ref top, i), Vector512.LoadUnsafe(ref moving, i), Vector512.LoadUnsafe(ref sum, i)).StoreUnsafe(ref sum, i);
        }
    }

    /// <summary>As <see cref="FourTimes"/>, in vectors of 16 cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FourTimesIn512Bits(
        ref T top0, ref T moving0, ref T top1, ref T moving1, ref T top2, ref T moving2, ref T top3, ref T moving3, ref T sum, int cells)
    {
        for (nuint i = 0; i < (nuint)cells; i += 16)
        {
            Vector512<T> row = TCell.MultiplyAdd(Vector512.LoadUnsafe(ref top0, i), Vector512.LoadUnsafe(ref moving0, i), Vector512.LoadUnsafe(ref sum, i));
            row = TCell.MultiplyAdd(Vector512.LoadUnsafe(ref top1, i), Vector512.LoadUnsafe(ref moving1, i), row);
            row = TCell.MultiplyAdd(Vector512.LoadUnsafe(ref top2, i), Vector512.LoadUnsafe(ref moving2, i), row);
            TCell.MultiplyAdd(Vector512.LoadUnsafe(ref top3, i), Vector512.LoadUnsafe(ref moving3, i), row).StoreUnsafe(ref sum, i);
        }
    }
}
