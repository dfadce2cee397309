namespace Systolic.Workloads;

/// <summary>How an activation lies on tensor-parallel ranks.</summary>
internal enum Layout
{
    /// <summary>Every rank has all of it.</summary>
    Whole,

    /// <summary>Every rank has some rows.</summary>
    Rows,

    /// <summary>Every rank has some columns.</summary>
    Columns,

    /// <summary>Every rank has the matrices of some experts.</summary>
    Batch,

    /// <summary>Every rank has summands of all elements.</summary>
    Partial,
}

/// <summary>The layouts that a divided operator reads and writes.</summary>
internal static class Layouts
{
    /// <summary>The layout in which a rank can use input <paramref name="index"/>.</summary>
    public static Layout Read(Operator op, int index) => op is MatMul product ? ReadProduct(product, index) : Write(op);

    /// <summary>The layout of what is written.</summary>
    public static Layout Write(Operator op) => op.Split.Axis switch
    {
        SplitAxis.Rows => Layout.Rows,
        SplitAxis.Columns or SplitAxis.Heads => Layout.Columns,
        SplitAxis.Batch => Layout.Batch,
        SplitAxis.Contraction => Layout.Partial,
        _ => Layout.Whole,
    };

    private static Layout ReadProduct(MatMul product, int index) => (product.Split.Axis, index) switch
    {
        (SplitAxis.Rows, 0) => product.LeftTransposed ? Layout.Columns : Layout.Rows,
        (SplitAxis.Heads, 0) when product.Batch > 1 => Layout.Columns,
        (SplitAxis.Columns or SplitAxis.Heads, 1) => product.RightTransposed ? Layout.Rows : Layout.Columns,
        (SplitAxis.Contraction, 0) => product.LeftTransposed ? Layout.Rows : Layout.Columns,
        (SplitAxis.Contraction, 1) => product.RightTransposed ? Layout.Columns : Layout.Rows,
        (SplitAxis.Batch, _) => Layout.Batch,
        _ => Layout.Whole,
    };
}
