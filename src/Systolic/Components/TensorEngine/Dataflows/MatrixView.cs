using Systolic.Numerics;

namespace Systolic.Components;

/// <summary>A matrix, or its transpose, as one edge of the array sees it.</summary>
/// <param name="Matrix">The matrix.</param>
/// <param name="Transposed">Seen with rows and columns exchanged.</param>
public readonly record struct MatrixView(Matrix Matrix, bool Transposed)
{
    /// <summary>Rows as seen.</summary>
    public int Rows => Transposed ? Matrix.Columns : Matrix.Rows;

    /// <summary>Columns as seen.</summary>
    public int Columns => Transposed ? Matrix.Rows : Matrix.Columns;

    /// <summary>Position of (row, column) in <see cref="Matrix.Values"/> is row x <see cref="RowStep"/> + column x <see cref="ColumnStep"/>.</summary>
    public int RowStep => Transposed ? 1 : Matrix.Columns;

    /// <inheritdoc cref="RowStep"/>
    public int ColumnStep => Transposed ? Matrix.Columns : 1;
}
