using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>An operator that works on the rows of a matrix independently of each other.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Rows; tokens, for an activation.</param>
/// <param name="Columns">Columns; features, for an activation.</param>
public abstract record RowOperator(string Name, long Rows, long Columns) : Operator(Name)
{
    /// <inheritdoc/>
    public override DataType Type { get; init; } = DataType.Bf16;

    /// <inheritdoc/>
    public override string Describe() => FormattableString.Invariant($"{Rows}x{Columns}");

    /// <summary>The whole matrix in the main type.</summary>
    protected (Shape Shape, DataType Type) Whole => (new Shape(Rows, Columns), Type);

    /// <summary>One vector over the columns in the main type.</summary>
    protected (Shape Shape, DataType Type) Vector => (new Shape(1, Columns), Type);

    /// <inheritdoc/>
    /// <remarks>Independent matrices, such as those of experts, lie one below the other.</remarks>
    protected override Operator Restrict(long share) => Split.Axis is SplitAxis.Rows or SplitAxis.Batch
        ? this with { Rows = Rows / Split.Units * share }
        : this with { Columns = Columns / Split.Units * share };
}

/// <summary>Which normalization.</summary>
public enum NormFunction
{
    /// <summary>Divide by the root mean square, scale (Zhang and Sennrich 2019).</summary>
    Rms,

    /// <summary>Subtract the mean, divide by the deviation, scale and shift (Ba et al. 2016).</summary>
    Layer,
}

/// <summary>Normalization of each row, forward or backward.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Function">RMS or layer normalization.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Features.</param>
/// <param name="Backward">Gradients of the input and of the scale (and shift) from that of the output.</param>
public sealed record Norm(string Name, NormFunction Function, long Rows, long Columns, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => Backward ? "norm backward" : "norm";

    /// <inheritdoc/>
    /// <remarks>RMS: square, sum, scale, gain. Layer: sum, subtract, square, sum, scale, gain, shift. Backward: twice.</remarks>
    public override long ElementOperations => checked(Rows * Columns * (Function == NormFunction.Rms ? 4 : 7) * (Backward ? 2 : 1));

    /// <summary>Vectors of parameters: the gain, and for layer normalization the shift.</summary>
    public int ParameterVectors => Function == NormFunction.Rms ? 1 : 2;

    /// <inheritdoc/>
    /// <remarks>Forward: x, parameters. Backward: gradient of the output, x, parameters.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes()
    {
        (Shape, DataType) parameters = (new Shape(ParameterVectors, Columns), Type);
        return Backward ? [Whole, Whole, parameters] : [Whole, parameters];
    }

    /// <inheritdoc/>
    /// <remarks>Forward: y. Backward: gradient of x, gradient of the parameters.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() =>
        Backward ? [Whole, (new Shape(ParameterVectors, Columns), Type)] : [Whole];
}

/// <summary>Softmax over each row, forward or backward.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Elements that share one denominator.</param>
/// <param name="Backward">The gradient of the input from the output and its gradient.</param>
public sealed record Softmax(string Name, long Rows, long Columns, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => Backward ? "softmax backward" : "softmax";

    /// <inheritdoc/>
    /// <remarks>Forward: max, subtract, exponential, sum, divide. Backward: product, sum, subtract, product.</remarks>
    public override long ElementOperations => checked(Rows * Columns * (Backward ? 4 : 5));

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => Backward ? [Whole, Whole] : [Whole];

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole];
}

/// <summary>Functions applied element by element.</summary>
public enum ElementwiseFunction
{
    /// <summary>a + b: residuals, positions, sums of gradients.</summary>
    Add,

    /// <summary>a * b.</summary>
    Multiply,

    /// <summary>max(a, 0).</summary>
    Relu,

    /// <summary>Gaussian error linear unit.</summary>
    Gelu,

    /// <summary>a * sigmoid(a).</summary>
    Silu,

    /// <summary>Hyperbolic tangent.</summary>
    Tanh,

    /// <summary>relu(a) * b.</summary>
    GatedRelu,

    /// <summary>gelu(a) * b.</summary>
    GatedGelu,

    /// <summary>silu(a) * b.</summary>
    GatedSilu,
}

/// <summary>An elementwise function, forward or backward.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Function">What is computed.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Features.</param>
/// <param name="Backward">Gradients of the inputs from that of the output.</param>
public sealed record Elementwise(string Name, ElementwiseFunction Function, long Rows, long Columns, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => Backward ? "elementwise backward" : "elementwise";

    /// <summary>The function takes two matrices.</summary>
    public bool Binary => Function is ElementwiseFunction.Add or ElementwiseFunction.Multiply || Gated;

    /// <summary>The function multiplies an activation by a second input.</summary>
    public bool Gated => Function is ElementwiseFunction.GatedRelu or ElementwiseFunction.GatedGelu or ElementwiseFunction.GatedSilu;

    /// <inheritdoc/>
    /// <remarks>One per function and one per product; backward: the derivative and one product per gradient.</remarks>
    public override long ElementOperations => checked(Rows * Columns * ((Gated ? 2 : 1) + (Backward ? (Gated ? 3 : 1) : 0)));

    /// <inheritdoc/>
    /// <remarks>Forward: a, and b. Backward: gradient of the output, a, and b.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => (Binary, Backward) switch
    {
        (false, false) => [Whole],
        (true, true) => [Whole, Whole, Whole],
        _ => [Whole, Whole],
    };

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => Binary && Backward ? [Whole, Whole] : [Whole];
}

/// <summary>Rotary position embedding of queries or keys; the backward pass rotates the other way at equal cost (Su et al. 2021).</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Heads times <paramref name="HeadDim"/>.</param>
/// <param name="HeadDim">Features per head; the sine and cosine tables have this many columns together.</param>
public sealed record Rope(string Name, long Rows, long Columns, long HeadDim) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => "rope";

    /// <inheritdoc/>
    /// <remarks>Per element two products and one sum.</remarks>
    public override long ElementOperations => checked(Rows * Columns * 3);

    /// <inheritdoc/>
    /// <remarks>x, and the sine/cosine table (tokens x head dimension).</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => [Whole, (new Shape(Rows, HeadDim), Type)];

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole];
}

/// <summary>Rows of a table selected by index, or their gradient added back into the table's gradient.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Features.</param>
/// <param name="TableRows">Rows of the table, such as the vocabulary.</param>
/// <param name="Backward">Scatter-add of gradients instead of the gather.</param>
public sealed record Embedding(string Name, long Rows, long Columns, long TableRows, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => Backward ? "embedding backward" : "embedding";

    /// <inheritdoc/>
    public override long ElementOperations => Backward ? checked(Rows * Columns) : 0;

    /// <inheritdoc/>
    /// <remarks>Forward: the selected rows, indices. Backward: gradient of the output, the touched rows of the table's gradient, indices.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes()
    {
        (Shape, DataType) indices = (new Shape(Rows, 1), DataType.Int32);
        return Backward ? [Whole, Whole, indices] : [Whole, indices];
    }

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole];
}

/// <summary>Appends the keys and values of new tokens to the cache.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">New tokens over all sequences.</param>
/// <param name="Columns">Key/value heads times head dimension.</param>
public sealed record KvAppend(string Name, long Rows, long Columns) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => "kv append";

    /// <inheritdoc/>
    /// <remarks>Keys, values.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => [Whole, Whole];

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole, Whole];
}

/// <summary>Chooses the experts of each token: softmax over the router's scores and the largest <paramref name="TopK"/>.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Experts.</param>
/// <param name="TopK">Experts per token.</param>
/// <param name="Backward">The gradient of the scores from that of the chosen weights.</param>
public sealed record MoeRouting(string Name, long Rows, long Columns, long TopK, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => Backward ? "moe routing backward" : "moe routing";

    /// <inheritdoc/>
    /// <remarks>Softmax (5 per score) and one scan of the scores per chosen expert; backward: the softmax again and its derivative (4).</remarks>
    public override long ElementOperations => checked(Rows * Columns * (Backward ? 9 : 5 + TopK));

    private (Shape, DataType) Weights => (new Shape(Rows, TopK), Type);

    private (Shape, DataType) Indices => (new Shape(Rows, TopK), DataType.Int32);

    /// <inheritdoc/>
    /// <remarks>Forward: scores. Backward: gradient of the weights, scores, indices.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => Backward ? [Weights, Whole, Indices] : [Whole];

    /// <inheritdoc/>
    /// <remarks>Forward: weights, indices. Backward: gradient of the scores.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => Backward ? [Whole] : [Weights, Indices];
}

/// <summary>Moves token rows between token order and expert order.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Features.</param>
/// <param name="TopK">Copies of each token, one per chosen expert.</param>
/// <param name="Combine">From expert order back: the weighted sum of a token's copies. Otherwise the copies are made.</param>
/// <param name="Backward">Gradients: of the copies and the weights when combining, of the tokens otherwise.</param>
public sealed record MoePermute(string Name, long Rows, long Columns, long TopK, bool Combine, bool Backward = false) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => (Combine ? "moe combine" : "moe dispatch") + (Backward ? " backward" : "");

    /// <inheritdoc/>
    /// <remarks>Combine: a product and a sum per copy; backward: a product for the copy, a product and a sum for its weight. Dispatch: nothing; backward: a sum per copy.</remarks>
    public override long ElementOperations => checked(Rows * Columns * TopK * ((Combine ? 2 : 0) + (Backward ? 1 : 0)));

    private (Shape, DataType) Copies => (new Shape(checked(Rows * TopK), Columns), Type);

    private (Shape, DataType) Weights => (new Shape(Rows, TopK), Type);

    private (Shape, DataType) Indices => (new Shape(Rows, TopK), DataType.Int32);

    /// <inheritdoc/>
    /// <remarks>Forward: the rows, indices, and when combining the weights. Backward: gradient of the output, indices, and when combining the weights and the copies.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => (Combine, Backward) switch
    {
        (true, true) => [Whole, Indices, Weights, Copies],
        (true, false) => [Copies, Indices, Weights],
        (false, true) => [Copies, Indices],
        _ => [Whole, Indices],
    };

    /// <inheritdoc/>
    /// <remarks>Forward: the moved rows. Backward: gradient of the rows read, and when combining that of the weights.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => (Combine, Backward) switch
    {
        (true, true) => [Copies, Weights],
        (true, false) or (false, true) => [Whole],
        _ => [Copies],
    };
}

/// <summary>Cross-entropy of the logits against labels: the loss per token and the gradient of the logits in one pass.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Tokens.</param>
/// <param name="Columns">Vocabulary.</param>
public sealed record CrossEntropy(string Name, long Rows, long Columns) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => "cross entropy";

    /// <inheritdoc/>
    /// <remarks>Max, subtract, exponential, sum, scale, subtract the label.</remarks>
    public override long ElementOperations => checked(Rows * Columns * 6);

    /// <inheritdoc/>
    /// <remarks>Logits, labels.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => [Whole, (new Shape(Rows, 1), DataType.Int32)];

    /// <inheritdoc/>
    /// <remarks>Gradient of the logits, loss per token.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole, (new Shape(Rows, 1), DataType.Fp32)];
}

/// <summary>One AdamW step over a set of parameters (Loshchilov and Hutter 2019), with fp32 moments and an fp32 master copy.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Rows">Rows of the parameter set.</param>
/// <param name="Columns">Columns of the parameter set.</param>
public sealed record AdamW(string Name, long Rows, long Columns) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => "adamw";

    /// <inheritdoc/>
    /// <remarks>Two moment updates (3 each), root, divide, decay, step, bias corrections: 12.</remarks>
    public override long ElementOperations => checked(Rows * Columns * 12);

    private (Shape, DataType) State => (new Shape(Rows, Columns), DataType.Fp32);

    /// <inheritdoc/>
    /// <remarks>Gradient, master weights, first moment, second moment.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => [Whole, State, State, State];

    /// <inheritdoc/>
    /// <remarks>Weights, master weights, first moment, second moment.</remarks>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole, State, State, State];
}

/// <summary>How tensor-parallel ranks exchange data.</summary>
public enum CollectiveFunction
{
    /// <summary>Every rank ends with all rows.</summary>
    AllGather,

    /// <summary>Partial sums are added; every rank ends with its rows of the sum.</summary>
    ReduceScatter,

    /// <summary>Partial sums are added; every rank ends with the whole sum.</summary>
    AllReduce,
}

/// <summary>An exchange between tensor-parallel ranks.</summary>
/// <param name="Name">Node name.</param>
/// <param name="Function">Which exchange.</param>
/// <param name="Rows">Rows of the whole matrix.</param>
/// <param name="Columns">Columns.</param>
/// <param name="Ranks">Participants.</param>
public sealed record Collective(string Name, CollectiveFunction Function, long Rows, long Columns, int Ranks) : RowOperator(Name, Rows, Columns)
{
    /// <inheritdoc/>
    public override string Kind => Function switch
    {
        CollectiveFunction.AllGather => "all-gather",
        CollectiveFunction.ReduceScatter => "reduce-scatter",
        _ => "all-reduce",
    };

    /// <inheritdoc/>
    public override long ElementOperations => Function == CollectiveFunction.AllGather ? 0 : checked(Rows * Columns * (Ranks - 1));

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> InputTypes() => [Whole];

    /// <inheritdoc/>
    protected override ImmutableArray<(Shape Shape, DataType Type)> OutputTypes() => [Whole];
}
