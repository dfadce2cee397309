using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>Matrix products and transposes of the array.</summary>
/// <remarks>
/// Each element of a product is the sum that passes down a column of cells: from zero, in order of the partitions (and of the blocks where a cell takes several rows of K),
/// a fused multiply-add each; then it is added to PSUM. This is the order of the register-level array.
/// Of what a product adds to, one element of each panel is checked for having been written; a mark elsewhere survives the addition and is found when it is read.
/// </remarks>
internal sealed class ProductUnit(TileMemory tiles)
{
    private readonly PackedOperands _stationary = new(tiles, ProductPanel.Rows);
    private readonly PackedOperands _moving = new(tiles, ProductPanel.Columns);
    private float[] _row = [];

    /// <summary>Executes one product or transpose.</summary>
    public void Execute(in Instruction op, in Operation operation)
    {
        if (op.Opcode == Opcode.MatMul)
        {
            Multiply(op, operation);
        }
        else
        {
            Transpose(operation);
        }

        tiles.Touch(operation.Target.Tile);
    }

    private void Multiply(in Instruction op, in Operation operation)
    {
        TileView target = operation.Target;
        (int m, int n, int k) = (op.Columns, op.Free, op.Partitions);
        bool accumulate = op.Operands.HasFlag(Operands.Accumulate);
        float[] stationary = _stationary.Pack(operation.First, k, m), moving = _moving.Pack(operation.Second, k, n);
        Span<float> results = tiles.From(target)[target.Offset..];
        int pitch = target.Tile.Elements;
        for (int column = 0; column < n; column += ProductPanel.Columns)
        {
            ReadOnlySpan<float> panel = moving.AsSpan(column * k, ProductPanel.Columns * k);
            for (int row = 0; row < m; row += ProductPanel.Rows)
            {
                int first = (row * pitch) + column;
                if (accumulate && Unwritten.Is(results[first]))
                {
                    throw new UnwrittenException(tiles.Describe(target, row));
                }

                ProductPanel.Multiply(
                    stationary.AsSpan(row * k, ProductPanel.Rows * k), panel, results[first..], pitch,
                    Math.Min(ProductPanel.Rows, m - row), Math.Min(ProductPanel.Columns, n - column), accumulate);
            }
        }
    }

    private void Transpose(in Operation operation)
    {
        (TileView source, TileView target) = (operation.First, operation.Target);
        if (_row.Length < source.Free.Elements)
        {
            _row = new float[source.Free.Elements];
        }

        for (int row = 0; row < source.Partitions; row++)
        {
            ReadOnlySpan<float> values = tiles.Read(source, row, _row);
            int at = target.Offset + target.Free[row];
            for (int column = 0; column < values.Length; column++)
            {
                tiles.Partition(target, column)[at] = values[column];
            }
        }
    }
}
