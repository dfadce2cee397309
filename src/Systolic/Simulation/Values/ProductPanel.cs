using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Systolic.Simulation;

/// <summary>The inner loop of products: 8 rows by 32 columns of results stay in registers while K passes.</summary>
/// <remarks>Vectors lie across columns, so every element is summed in order of K whatever their width. Speed: docs/performance.md.</remarks>
internal static class ProductPanel
{
    /// <summary>Result rows of a panel.</summary>
    public const int Rows = 8;

    /// <summary>Result columns of a panel.</summary>
    public const int Columns = 32;

    /// <summary>Results = stationary x moving, or results + that.</summary>
    /// <param name="stationary">K times 8 values.</param>
    /// <param name="moving">K times 32 values.</param>
    /// <param name="results">From the first result on.</param>
    /// <param name="pitch">Elements from a result row to the next.</param>
    /// <param name="rows">Result rows wanted.</param>
    /// <param name="columns">Result columns wanted.</param>
    /// <param name="accumulate">Add to the results.</param>
    public static void Multiply(ReadOnlySpan<float> stationary, ReadOnlySpan<float> moving, Span<float> results, int pitch, int rows, int columns, bool accumulate)
    {
        Span<float> sums = stackalloc float[Rows * Columns];
        if (Vector512.IsHardwareAccelerated)
        {
            Sum512(stationary, moving, sums);
        }
        else
        {
            for (int row = 0; row < Rows; row += 4)
            {
                Sum256(stationary[row..], moving, sums[(row * Columns)..]);
                Sum256(stationary[row..], moving[16..], sums[((row * Columns) + 16)..]);
            }
        }

        for (int row = 0; row < rows; row++)
        {
            Finish(sums.Slice(row * Columns, columns), results.Slice(row * pitch, columns), accumulate);
        }
    }

    private static void Finish(ReadOnlySpan<float> sums, Span<float> results, bool accumulate)
    {
        if (accumulate)
        {
            System.Numerics.Tensors.TensorPrimitives.Add(results, sums, results);
        }
        else
        {
            sums.CopyTo(results);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum512(ReadOnlySpan<float> stationary, ReadOnlySpan<float> moving, Span<float> sums)
    {
        ref float a = ref MemoryMarshal.GetReference(stationary);
        ref float b = ref MemoryMarshal.GetReference(moving);
        Vector512<float> s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
        Vector512<float> s40 = default, s41 = default, s50 = default, s51 = default, s60 = default, s61 = default, s70 = default, s71 = default;
        for (nint left = moving.Length / Columns; left > 0; left--)
        {
            Vector512<float> b0 = Vector512.LoadUnsafe(ref b), b1 = Vector512.LoadUnsafe(ref b, 16);
            Vector512<float> a0 = Vector512.Create(a);
            s00 = Vector512.FusedMultiplyAdd(a0, b0, s00);
            s01 = Vector512.FusedMultiplyAdd(a0, b1, s01);
            Vector512<float> a1 = Vector512.Create(Unsafe.Add(ref a, 1));
            s10 = Vector512.FusedMultiplyAdd(a1, b0, s10);
            s11 = Vector512.FusedMultiplyAdd(a1, b1, s11);
            Vector512<float> a2 = Vector512.Create(Unsafe.Add(ref a, 2));
            s20 = Vector512.FusedMultiplyAdd(a2, b0, s20);
            s21 = Vector512.FusedMultiplyAdd(a2, b1, s21);
            Vector512<float> a3 = Vector512.Create(Unsafe.Add(ref a, 3));
            s30 = Vector512.FusedMultiplyAdd(a3, b0, s30);
            s31 = Vector512.FusedMultiplyAdd(a3, b1, s31);
            Vector512<float> a4 = Vector512.Create(Unsafe.Add(ref a, 4));
            s40 = Vector512.FusedMultiplyAdd(a4, b0, s40);
            s41 = Vector512.FusedMultiplyAdd(a4, b1, s41);
            Vector512<float> a5 = Vector512.Create(Unsafe.Add(ref a, 5));
            s50 = Vector512.FusedMultiplyAdd(a5, b0, s50);
            s51 = Vector512.FusedMultiplyAdd(a5, b1, s51);
            Vector512<float> a6 = Vector512.Create(Unsafe.Add(ref a, 6));
            s60 = Vector512.FusedMultiplyAdd(a6, b0, s60);
            s61 = Vector512.FusedMultiplyAdd(a6, b1, s61);
            Vector512<float> a7 = Vector512.Create(Unsafe.Add(ref a, 7));
            s70 = Vector512.FusedMultiplyAdd(a7, b0, s70);
            s71 = Vector512.FusedMultiplyAdd(a7, b1, s71);
            a = ref Unsafe.Add(ref a, Rows);
            b = ref Unsafe.Add(ref b, Columns);
        }

        ref float s = ref MemoryMarshal.GetReference(sums);
        Store(ref s, 0, s00, s01);
        Store(ref s, 1, s10, s11);
        Store(ref s, 2, s20, s21);
        Store(ref s, 3, s30, s31);
        Store(ref s, 4, s40, s41);
        Store(ref s, 5, s50, s51);
        Store(ref s, 6, s60, s61);
        Store(ref s, 7, s70, s71);
    }

    private static void Store(ref float sums, nuint row, Vector512<float> first, Vector512<float> second)
    {
        first.StoreUnsafe(ref sums, row * Columns);
        second.StoreUnsafe(ref sums, (row * Columns) + 16);
    }

    /// <summary>Four rows by 16 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum256(ReadOnlySpan<float> stationary, ReadOnlySpan<float> moving, Span<float> sums)
    {
        ref float a = ref MemoryMarshal.GetReference(stationary);
        ref float b = ref MemoryMarshal.GetReference(moving);
        Vector256<float> s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
        for (nint left = (moving.Length + Columns - 1) / Columns; left > 0; left--)
        {
            Vector256<float> b0 = Vector256.LoadUnsafe(ref b), b1 = Vector256.LoadUnsafe(ref b, 8);
            Vector256<float> a0 = Vector256.Create(a), a1 = Vector256.Create(Unsafe.Add(ref a, 1));
            s00 = Vector256.FusedMultiplyAdd(a0, b0, s00);
            s01 = Vector256.FusedMultiplyAdd(a0, b1, s01);
            s10 = Vector256.FusedMultiplyAdd(a1, b0, s10);
            s11 = Vector256.FusedMultiplyAdd(a1, b1, s11);
            Vector256<float> a2 = Vector256.Create(Unsafe.Add(ref a, 2)), a3 = Vector256.Create(Unsafe.Add(ref a, 3));
            s20 = Vector256.FusedMultiplyAdd(a2, b0, s20);
            s21 = Vector256.FusedMultiplyAdd(a2, b1, s21);
            s30 = Vector256.FusedMultiplyAdd(a3, b0, s30);
            s31 = Vector256.FusedMultiplyAdd(a3, b1, s31);
            a = ref Unsafe.Add(ref a, Rows);
            b = ref Unsafe.Add(ref b, Columns);
        }

        ref float s = ref MemoryMarshal.GetReference(sums);
        Store(ref s, 0, s00, s01);
        Store(ref s, 1, s10, s11);
        Store(ref s, 2, s20, s21);
        Store(ref s, 3, s30, s31);
    }

    private static void Store(ref float sums, nuint row, Vector256<float> first, Vector256<float> second)
    {
        first.StoreUnsafe(ref sums, row * Columns);
        second.StoreUnsafe(ref sums, (row * Columns) + 8);
    }
}
