namespace Systolic.Workloads;

/// <summary>Divisions over tensor-parallel ranks by their usual names.</summary>
internal static class Splits
{
    /// <summary>By tokens: sequence parallelism.</summary>
    public static Split Rows(long rows) => new(SplitAxis.Rows, rows);

    /// <summary>By output features, one by one.</summary>
    public static Split Columns(long columns) => new(SplitAxis.Columns, columns);

    /// <summary>By query heads.</summary>
    public static Split Queries(ModelShape shape) => new(SplitAxis.Heads, shape.QueryHeads);

    /// <summary>By key/value heads, each to the ranks whose query heads read it.</summary>
    public static Split KeyValues(ModelShape shape) => new(SplitAxis.Heads, shape.KvHeads) { SharedBy = shape.QueryHeads };

    /// <summary>By summands, one by one.</summary>
    public static Split Contraction(long terms) => new(SplitAxis.Contraction, terms);
}
