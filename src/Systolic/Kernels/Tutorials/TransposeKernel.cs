using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>A matrix transposed through the array: 512 rows at a time, whose blocks of 128 columns fill a PSUM bank each.</summary>
internal static class TransposeKernel
{
    /// <summary>Writes the program: y[columns, rows] from x[rows, columns].</summary>
    /// <exception cref="ArgumentException">Rows or columns are not multiples of 128.</exception>
    /// <exception cref="CapacityException">A strip of rows does not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, int rows, int columns, DataType type)
    {
        int partitions = kernel.Partitions, strip = (int)(kernel.Machine.Psum.BankSize.Value / type.ByteSize() / partitions * partitions);
        if (rows % partitions != 0 || columns % partitions != 0)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found {rows} x {columns}, expected multiples of {partitions}."), nameof(rows));
        }

        MemoryTensor x = kernel.Input("x", rows, columns, type), y = kernel.Output("y", columns, rows, type);
        TileBuffer loaded = kernel.Sbuf("rows", columns, type, 2 * strip / partitions), banks = kernel.Psum("transposes", 4, type), results = kernel.Sbuf("columns", strip, type, 4);
        long turn = 0;
        for (int first = 0; first < rows; first += strip)
        {
            int tiles = Math.Min(strip, rows - first) / partitions, row = first / partitions;
            for (int i = 0; i < tiles; i++)
            {
                kernel.Load(StreamId.QueueActivations, loaded[row + i], x.Part((long)(row + i) * partitions, partitions));
            }

            for (int column = 0; column < columns; column += partitions, turn++)
            {
                TileView bank = banks[turn][.., ..(tiles * partitions)], result = results[turn][.., ..(tiles * partitions)];
                for (int i = 0; i < tiles; i++)
                {
                    kernel.Transpose(bank.Skip(i * partitions).Every(1, partitions), loaded[row + i][.., column..(column + partitions)]);
                }

                kernel.Copy(StreamId.Vector, result, bank);
                kernel.Store(StreamId.QueueStores, y.Part(column, partitions, first, (long)tiles * partitions), result);
            }
        }

        return kernel.Build();
    }
}
