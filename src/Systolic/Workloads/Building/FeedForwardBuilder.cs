namespace Systolic.Workloads;

/// <summary>The feed-forward block of a layer: dense, or experts behind a router.</summary>
/// <remarks>
/// Experts are assumed balanced: of rows x k copies, each active expert takes the same number, rounded up. With fewer copies than experts,
/// as in decoding, only as many experts as copies are active, and only their weights are read. Ranks divide the features of every expert, so
/// that all of them work however few experts are active.
/// </remarks>
/// <param name="shape">The model.</param>
/// <param name="operators">Where the operators go.</param>
/// <param name="layer">The layer's name with its slash.</param>
/// <param name="rows">Tokens.</param>
/// <param name="sparse">The layer has experts.</param>
internal sealed class FeedForwardBuilder(ModelShape shape, OperatorList operators, string layer, long rows, bool sparse)
{
    /// <summary>The block on <paramref name="input"/>.</summary>
    public string Build(string input) => !sparse ? Block(layer + "mlp/", input, shape.Experts > 0 ? shape.DenseIntermediate : shape.Intermediate, rows, 1)
        : shape.SharedIntermediate == 0 ? Mixture(input)
        : operators.Sum(layer + "moe/add_shared", rows, shape.Hidden, Mixture(input), Block(layer + "shared/", input, shape.SharedIntermediate, rows, 1));

    private string Mixture(string input)
    {
        string name = layer + "moe/";
        long copies = checked(rows * shape.ExpertsPerToken);
        long active = Math.Min(shape.Experts, copies);
        long perExpert = 1 + ((copies - 1) / active);
        string scores = operators.Project(new MatMul(name + "router", rows, shape.Hidden, shape.Experts) { Split = Splits.Rows(rows) }, input);
        Operand indices = new(name + "experts_chosen", TensorRole.Index);
        string weights = operators.Append(new MoeRouting(name + "routing", rows, shape.Experts, shape.ExpertsPerToken)
        {
            Inputs = [scores],
            Outputs = [name + "routing", indices],
            Split = Splits.Rows(rows),
        });
        string dispatched = Permute(name + "dispatch", [input, indices], combine: false);
        string computed = Block(name, dispatched, shape.Intermediate, perExpert, active);
        return Permute(name + "combine", [computed, indices, weights], combine: true);
    }

    private string Permute(string name, Operand[] inputs, bool combine) => operators.Append(new MoePermute(name, rows, shape.Hidden, shape.ExpertsPerToken, combine)
    {
        Inputs = [.. inputs],
        Outputs = [name],
        Split = Splits.Rows(rows),
    });

    private string Block(string name, string input, long features, long m, long batch)
    {
        string[] inputs = shape.Gated
            ? [operators.Project(Inward("gate"), input), operators.Project(Inward("up"), input)]
            : [operators.Project(Inward("in"), input)];
        string activated = operators.Apply(new Elementwise(name + "activation", shape.Activation, checked(m * batch), features), Splits.Columns(features), inputs);
        return operators.Project(
            new MatMul(name + (shape.Gated ? "down" : "out") + "_proj", m, features, shape.Hidden, batch, Bias: shape.MlpBias) { Split = Splits.Contraction(features) }, activated);

        MatMul Inward(string part) => new(name + part + "_proj", m, shape.Hidden, features, batch, Bias: shape.MlpBias) { Split = Splits.Columns(features) };
    }
}
