namespace Systolic.Numerics;

/// <summary>A dense matrix of fp32 values, row by row, as programs compute on it.</summary>
public sealed class Matrix
{
    private readonly float[] _values;

    /// <summary>A matrix of zeros.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An extent is not positive, or the elements exceed one array.</exception>
    public Matrix(int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)rows * columns, Array.MaxLength, "rows * columns");
        (Rows, Columns, _values) = (rows, columns, new float[rows * columns]);
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of columns.</summary>
    public int Columns { get; }

    /// <summary>All elements, row by row.</summary>
    public Span<float> Values => _values;

    /// <summary>One element.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Outside the matrix.</exception>
    public float this[int row, int column]
    {
        get => Row(row)[Inside(column, Columns)];
        set => Row(row)[Inside(column, Columns)] = value;
    }

    /// <summary>A matrix whose elements are <paramref name="element"/> of row and column.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An extent is not positive, or the elements exceed one array.</exception>
    public static Matrix From(int rows, int columns, Func<int, int, float> element)
    {
        ArgumentNullException.ThrowIfNull(element);
        var matrix = new Matrix(rows, columns);
        for (int row = 0; row < rows; row++)
        {
            Span<float> values = matrix.Row(row);
            for (int column = 0; column < columns; column++)
            {
                values[column] = element(row, column);
            }
        }

        return matrix;
    }

    /// <summary>The elements of one row.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Outside the matrix.</exception>
    public Span<float> Row(int row) => _values.AsSpan(Inside(row, Rows) * Columns, Columns);

    /// <summary>A copy with every element rounded to <paramref name="type"/>.</summary>
    public Matrix Rounded(DataType type)
    {
        var result = new Matrix(Rows, Columns);
        Rounding.Round(_values, result._values, type);
        return result;
    }

    private static int Inside(int index, int extent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, extent);
        return index;
    }
}
