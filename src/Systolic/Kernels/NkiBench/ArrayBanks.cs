using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The PSUM banks of a kernel of NKIBench: half for sums of products, half for transposes through the array, as many squares to a bank as it holds.</summary>
/// <remarks>Banks are copied to SBUF by the scalar engine: the published profiles show the vector engine idle in kernels that only multiply and transpose.</remarks>
internal sealed class ArrayBanks(KernelBuilder kernel)
{
    private readonly TileBuffer _sums = kernel.Psum("sums", kernel.Machine.Psum.Banks / 2);
    private readonly TileBuffer _squares = kernel.Psum("transposes", kernel.Machine.Psum.Banks / 2);
    private long _sum;
    private long _square;
    private bool _hasIdentity;

    /// <summary>Room for the next sum.</summary>
    public TileView Sum(int rows, int columns) => _sums[_sum++][..rows, ..columns];

    /// <summary>A sum of <paramref name="steps"/> products.</summary>
    public TileView Multiply(int rows, int columns, int steps, Func<int, TileView> stationary, Func<int, TileView> moving)
    {
        TileView sum = Sum(rows, columns);
        for (int i = 0; i < steps; i++)
        {
            kernel.MatMul(sum, stationary(i), moving(i), i > 0);
        }

        return sum;
    }

    /// <summary>Transposes views of as many columns as <paramref name="target"/> has partitions, one behind the other, a bank at a time.</summary>
    public void Transpose(in TileView target, params ReadOnlySpan<TileView> squares)
    {
        LoadIdentity();
        int rows = squares[0].Partitions, perBank = kernel.BankColumns / rows;
        for (int first = 0; first < squares.Length; first += perBank)
        {
            int count = Math.Min(perBank, squares.Length - first);
            TileView bank = _squares[_square++][..target.Partitions, ..(count * rows)];
            for (int i = 0; i < count; i++)
            {
                kernel.Transpose(bank.Columns(i * rows, rows), squares[first + i]);
            }

            kernel.Copy(StreamId.Scalar, target.Columns(first * rows, count * rows), bank);
        }
    }

    /// <summary>Transposes blocks of as many columns of <paramref name="source"/> as <paramref name="target"/> has partitions.</summary>
    public void TransposeColumns(in TileView target, in TileView source)
    {
        var squares = new TileView[source.Elements / target.Partitions];
        for (int i = 0; i < squares.Length; i++)
        {
            squares[i] = source.Columns(i * target.Partitions, target.Partitions);
        }

        Transpose(target, squares);
    }

    /// <summary>The identity that the array multiplies by is a constant in main memory, read once.</summary>
    private void LoadIdentity()
    {
        if (!_hasIdentity)
        {
            _hasIdentity = true;
            int size = kernel.Partitions;
            kernel.Load(StreamId.QueueSmall, kernel.Sbuf("identity", size, DataType.Fp32)[0], kernel.Input("identity", size, size, DataType.Fp32).Part(0, size));
        }
    }
}
