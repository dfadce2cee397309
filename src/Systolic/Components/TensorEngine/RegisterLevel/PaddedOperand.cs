namespace Systolic.Components;

/// <summary>An operand as its edge reads it, with zeros up to whole folds.</summary>
internal sealed class PaddedOperand<T>
    where T : unmanaged
{
    private PaddedOperand(T[] values, int stride) => (Values, Stride) = (values, stride);

    /// <summary>Row by row.</summary>
    public T[] Values { get; }

    /// <summary>Elements of a row.</summary>
    public int Stride { get; }

    public static PaddedOperand<T> Of<TCell>(MatrixView view, int rows, int columns)
        where TCell : struct, ICell<T>
    {
        var values = new T[checked(rows * columns)];
        ReadOnlySpan<float> source = view.Matrix.Values;
        for (int row = 0; row < view.Rows; row++)
        {
            Span<T> target = values.AsSpan(row * columns, view.Columns);
            int index = row * view.RowStep;
            for (int column = 0; column < target.Length; column++)
            {
                target[column] = TCell.From(source[index]);
                index += view.ColumnStep;
            }
        }

        return new PaddedOperand<T>(values, columns);
    }
}
