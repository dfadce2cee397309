using Systolic.Units;

namespace Systolic.Numerics;

/// <summary>The extent of a tensor: <paramref name="Batch"/> matrices of <paramref name="Rows"/> x <paramref name="Columns"/>.</summary>
/// <param name="Rows">Rows of each matrix; tokens, for an activation.</param>
/// <param name="Columns">Columns of each matrix; features, for an activation.</param>
/// <param name="Batch">Independent matrices.</param>
public readonly record struct Shape(long Rows, long Columns, long Batch = 1)
{
    /// <summary>Number of elements, overflow-checked.</summary>
    public long Elements => checked(Rows * Columns * Batch);

    /// <summary>Stored size in elements of <paramref name="type"/>.</summary>
    public Bytes Size(DataType type) => new(checked(Elements * type.ByteSize()));

    /// <summary>"batch x rows x columns", the batch left out when it is one.</summary>
    public override string ToString() => Batch == 1
        ? FormattableString.Invariant($"{Rows}x{Columns}")
        : FormattableString.Invariant($"{Batch}x{Rows}x{Columns}");
}
