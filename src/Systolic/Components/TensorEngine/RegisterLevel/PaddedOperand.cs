namespace Systolic.Components;

/// <summary>An operand as its edge reads it, with zeros up to whole folds.</summary>
internal sealed class PaddedOperand<T>
    where T : unmanaged
{
    private const int Line = 16;

    private PaddedOperand(T[] values, int stride) => (Values, Stride) = (values, stride);

    /// <summary>Row by row.</summary>
    public T[] Values { get; }

    /// <summary>Elements of a row.</summary>
    public int Stride { get; }

    /// <summary>At least <paramref name="elements"/>, an odd number of cache lines, so that equal columns of successive rows do not share a cache set.</summary>
    public static int OddLines(int elements) => (((elements + Line - 1) / Line) | 1) * Line;

    public static PaddedOperand<T> Of<TCell>(MatrixView view, int rows, int columns)
        where TCell : struct, ICell<T>
    {
        int stride = OddLines(columns);
        var values = new T[checked(rows * stride)];
        ReadOnlySpan<float> source = view.Matrix.Values;
        for (int row = 0; row < view.Rows; row++)
        {
            Span<T> target = values.AsSpan(row * stride, view.Columns);
            int index = row * view.RowStep;
            for (int column = 0; column < target.Length; column++)
            {
                target[column] = TCell.From(source[index]);
                index += view.ColumnStep;
            }
        }

        return new PaddedOperand<T>(values, stride);
    }
}
