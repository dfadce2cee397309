using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Instructions per element of the kernels that libraries run for operators outside matrix products.</summary>
/// <param name="Total">All lane instructions of an element: its share of loads, stores and addresses, conversions, arithmetic.</param>
/// <param name="Special">Exponentials, roots, logarithms and reciprocals among them.</param>
/// <remarks>
/// All counts are inferred from the operations of the function, none from a compiled listing; softmax and normalization from timings of such kernels
/// (softmax with two exact exponentials and a division: 50; normalization: 14 with a row per CTA, 26 in an eager framework, 64 element by element with 2-byte loads; gated unit element by element: 88). Each conversion and each half of a packed access is one.
/// </remarks>
internal readonly record struct RowInstructions(double Total, double Special)
{
    /// <summary>The table.</summary>
    public static RowInstructions Of(Operator op, RowStyle style = RowStyle.Fused) => (style, op) switch
    {
        (RowStyle.Eager, Norm { Backward: false }) => new(26, 0),
        (RowStyle.Serving, Norm { Backward: false }) => new(64, 0),
        (RowStyle.Serving, Elementwise { Gated: true, Backward: false }) => new(88, 2),
        _ => Fused(op),
    };

    private static RowInstructions Fused(Operator op) => op switch
    {
        Softmax { Backward: false } => new(50, 2),
        Softmax => new(14, 0),
        Norm { Backward: false } => new(14, 0),
        Norm => new(28, 0),
        CrossEntropy => new(36, 2),
        Elementwise e => Elementwise(e),
        Rope => new(8, 0),
        MoeRouting => new(24, 1),
        AdamW => new(30, 2),
        _ => new(4, 0),
    };

    private static RowInstructions Elementwise(Elementwise op)
    {
        (double total, double special) = op.Function switch
        {
            ElementwiseFunction.Gelu => (20, 1),
            ElementwiseFunction.Silu => (12, 2),
            ElementwiseFunction.Tanh => (14, 2),
            ElementwiseFunction.GatedRelu => (7, 0),
            ElementwiseFunction.GatedGelu => (23, 1),
            ElementwiseFunction.GatedSilu => (15, 2),
            _ => (5.0, 0.0),
        };
        return op.Backward ? new(total * 1.6, special) : new(total, special);
    }
}
