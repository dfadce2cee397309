using System.Globalization;

namespace Systolic.Components;

/// <summary>A systolic array as its two fidelities see it: a grid of cells, a dataflow, and what happens between folds. Knows no clock and no memory.</summary>
/// <remarks><see cref="ClosedForm"/> and <see cref="RegisterArray"/> agree on every cycle and every count for any of these (docs/array.md).</remarks>
public sealed record ArraySpec
{
    /// <summary>Largest number of rows or columns.</summary>
    public const int MaximumSide = 1 << 14;

    /// <summary>An array of <paramref name="rows"/> x <paramref name="columns"/> cells.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A side is not in 1 to <see cref="MaximumSide"/>, or an enumeration has no such member.</exception>
    public ArraySpec(int rows, int columns, Dataflow dataflow, FoldOverlap overlap = FoldOverlap.None)
    {
        (Rows, Columns, Dataflow, Overlap) = (Side(rows, nameof(rows)), Side(columns, nameof(columns)), Known(dataflow), Known(overlap));
    }

    /// <summary>Cells from top to bottom.</summary>
    public int Rows { get; }

    /// <summary>Cells from left to right.</summary>
    public int Columns { get; }

    /// <summary>What stays in the cells.</summary>
    public Dataflow Dataflow { get; }

    /// <summary>What happens between folds.</summary>
    public FoldOverlap Overlap { get; }

    /// <summary>The cells and dataflow of a tensor engine: weights (its stationary operand) stay, the next tile loads in the background.</summary>
    /// <remarks>One cell is one multiply-accumulate; several contraction rows per cell and several passes are the engine's own.</remarks>
    public static ArraySpec Of(TensorEngineSpec engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        return new ArraySpec(engine.Rows, engine.Columns, Dataflow.WeightStationary, FoldOverlap.BackgroundLoad);
    }

    /// <summary>Rows x columns, dataflow and overlap, as in "128x128 WeightStationary BackgroundLoad".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Rows}x{Columns} {Dataflow} {Overlap}");

    private static int Side(int value, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaximumSide, name);
        return value;
    }

    private static TEnum Known<TEnum>(TEnum value)
        where TEnum : struct, Enum => Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"found no such {typeof(TEnum).Name}, expected one of {string.Join(", ", Enum.GetNames<TEnum>())}");
}
