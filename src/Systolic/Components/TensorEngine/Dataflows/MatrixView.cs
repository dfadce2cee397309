using Systolic.Numerics;

namespace Systolic.Components;

/// <summary>A matrix, or its transpose, as one edge of the array sees it.</summary>
internal readonly record struct MatrixView(Matrix Matrix, bool Transposed)
{
    public int Rows => Transposed ? Matrix.Columns : Matrix.Rows;

    public int Columns => Transposed ? Matrix.Rows : Matrix.Columns;

    /// <summary>Position of (row, column) in <see cref="Matrix.Values"/> is row x <see cref="RowStep"/> + column x <see cref="ColumnStep"/>.</summary>
    public int RowStep => Transposed ? 1 : Matrix.Columns;

    public int ColumnStep => Transposed ? Matrix.Columns : 1;
}
