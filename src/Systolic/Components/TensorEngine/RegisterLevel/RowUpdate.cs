using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Systolic.Components;

/// <summary>A row of sums in successive cycles; for four at a time the sums stay in vector registers.</summary>
/// <remarks>Rows are padded to <see cref="Lanes"/> cells, so there is no remainder. Vectors that the machine lacks are emulated, with the same results.</remarks>
internal static class RowUpdate<T, TCell>
    where T : unmanaged
    where TCell : struct, ICell<T>
{
    /// <summary>Cells that a row is padded to a multiple of.</summary>
    public const int Lanes = 16;

    /// <summary>sum := sum + top x moving, <paramref name="cycles"/> times in order; each time the operands are one step further.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Times(int cycles, ref T top, nint topStep, ref T moving, nint movingStep, ref T sum, int cells)
    {
        for (; cycles >= 4; cycles -= 4)
        {
            if (Vector512.IsHardwareAccelerated)
            {
                FourIn512Bits(ref top, topStep, ref moving, movingStep, ref sum, cells);
            }
            else
            {
                FourIn256Bits(ref top, topStep, ref moving, movingStep, ref sum, cells);
            }

            top = ref Unsafe.Add(ref top, 4 * topStep);
            moving = ref Unsafe.Add(ref moving, 4 * movingStep);
        }

        for (; cycles > 0; cycles--)
        {
            One(ref top, ref moving, ref sum, cells);
            top = ref Unsafe.Add(ref top, topStep);
            moving = ref Unsafe.Add(ref moving, movingStep);
        }
    }

    /// <summary>Four cycles in vectors of 16 cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FourIn512Bits(ref T top, nint topStep, ref T moving, nint movingStep, ref T sum, int cells)
    {
        ref T top1 = ref Unsafe.Add(ref top, topStep), top2 = ref Unsafe.Add(ref top1, topStep), top3 = ref Unsafe.Add(ref top2, topStep);
        ref T moving1 = ref Unsafe.Add(ref moving, movingStep), moving2 = ref Unsafe.Add(ref moving1, movingStep), moving3 = ref Unsafe.Add(ref moving2, movingStep);
        for (nuint i = 0; i < (nuint)cells; i += 16)
        {
            Vector512<T> row = TCell.MultiplyAdd(Vector512.LoadUnsafe(ref top, i), Vector512.LoadUnsafe(ref moving, i), Vector512.LoadUnsafe(ref sum, i));
            row = TCell.MultiplyAdd(Vector512.LoadUnsafe(ref top1, i), Vector512.LoadUnsafe(ref moving1, i), row);
            row = TCell.MultiplyAdd(Vector512.LoadUnsafe(ref top2, i), Vector512.LoadUnsafe(ref moving2, i), row);
            TCell.MultiplyAdd(Vector512.LoadUnsafe(ref top3, i), Vector512.LoadUnsafe(ref moving3, i), row).StoreUnsafe(ref sum, i);
        }
    }

    /// <summary>Four cycles in vectors of 8 cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FourIn256Bits(ref T top, nint topStep, ref T moving, nint movingStep, ref T sum, int cells)
    {
        ref T top1 = ref Unsafe.Add(ref top, topStep), top2 = ref Unsafe.Add(ref top1, topStep), top3 = ref Unsafe.Add(ref top2, topStep);
        ref T moving1 = ref Unsafe.Add(ref moving, movingStep), moving2 = ref Unsafe.Add(ref moving1, movingStep), moving3 = ref Unsafe.Add(ref moving2, movingStep);
        for (nuint i = 0; i < (nuint)cells; i += 8)
        {
            Vector256<T> row = TCell.MultiplyAdd(Vector256.LoadUnsafe(ref top, i), Vector256.LoadUnsafe(ref moving, i), Vector256.LoadUnsafe(ref sum, i));
            row = TCell.MultiplyAdd(Vector256.LoadUnsafe(ref top1, i), Vector256.LoadUnsafe(ref moving1, i), row);
            row = TCell.MultiplyAdd(Vector256.LoadUnsafe(ref top2, i), Vector256.LoadUnsafe(ref moving2, i), row);
            TCell.MultiplyAdd(Vector256.LoadUnsafe(ref top3, i), Vector256.LoadUnsafe(ref moving3, i), row).StoreUnsafe(ref sum, i);
        }
    }

    private static void One(ref T top, ref T moving, ref T sum, int cells)
    {
        for (nuint i = 0; i < (nuint)cells; i += 8)
        {
            TCell.MultiplyAdd(Vector256.LoadUnsafe(ref top, i), Vector256.LoadUnsafe(ref moving, i), Vector256.LoadUnsafe(ref sum, i)).StoreUnsafe(ref sum, i);
        }
    }
}
