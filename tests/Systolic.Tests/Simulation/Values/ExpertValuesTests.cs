using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Tests.Kernels;
using Systolic.Tests.Workloads;
using Systolic.Workloads;
using Tensor = Systolic.Workloads.Tensor;

namespace Systolic.Tests.Simulation.Values;

/// <summary>Routing and permutation of experts against their definition in double precision.</summary>
public class ExpertValuesTests
{
    [Theory]
    [InlineData("trn1-core", DataType.Fp32, 96, 8, 2)]
    [InlineData("trn2-core", DataType.Bf16, 320, 64, 6)] // three tiles; many scores are equal
    [InlineData("trn3-core", DataType.Bf16, 64, 16, 12)] // two rounds of eight
    [InlineData("trn2-core", DataType.Fp32, 8, 4, 1)]
    public void Routing_takes_the_largest_scores_and_counts_the_copies_of_each_expert(string machine, DataType type, int rows, int experts, int chosen)
    {
        var op = new MoeRouting("routing", rows, experts, chosen) { Type = type };
        Accelerator core = KernelRuns.Machine(machine);
        Matrix scores = Values.Random(rows, experts, 1, type, 4);

        Matrix[] results = Values.RunAll(Values.Lower(op, core), core, scores);

        int[,] expected = Places(scores, chosen, out int[,] expertOf);
        Values.Within(results[1], (row, choice) => (expected[row, choice], 0));
        expected.Cast<int>().Count(place => place < 0).Should().BeInRange(1, rows * chosen / 2, "some copies exceed their expert's capacity");

        // The argument (range 8), the exponential, the sum of positive terms, 1 / sum and two products; the result rounded to the type.
        double relative = Values.Gamma(experts + 16 + 8) + (1.01 * Values.UnitOf(type));
        Values.Within(results[0], (row, choice) => expected[row, choice] < 0 ? (0, 0) : Relative(Probability(scores, row, expertOf[row, choice]), relative, type));
    }

    [Theory]
    [InlineData("trn1-core", DataType.Fp32, 96, 8, 2)]
    [InlineData("trn2-core", DataType.Bf16, 320, 64, 6)]
    public void Routing_backward_is_the_gradient_of_the_weights_of_copies_that_are_kept(string machine, DataType type, int rows, int experts, int chosen)
    {
        var op = new MoeRouting("routing", rows, experts, chosen, Backward: true) { Type = type };
        Accelerator core = KernelRuns.Machine(machine);
        Matrix scores = Values.Random(rows, experts, 1, type, 4), gradient = Values.Random(rows, chosen, 2, type);
        int[,] places = Places(scores, chosen, out int[,] expertOf);

        Matrix result = Values.RunAll(Values.Lower(op, core), core, gradient, scores, Matrix.From(rows, chosen, (row, choice) => places[row, choice]))[0];

        // Softmax: rounded to the type twice. Its product with the gradient, the sum's product with it and the difference once each.
        double t = Values.UnitOf(type), p = (2 * t) + Values.Gamma(experts + 16 + 8), sums = Values.Gamma(experts);
        Values.Within(result, (row, expert) =>
        {
            double Of(int e) => Enumerable.Range(0, chosen).Sum(choice => places[row, choice] >= 0 && expertOf[row, choice] == e ? gradient[row, choice] : 0.0);
            (double sum, double size) = (0, 0);
            for (int e = 0; e < experts; e++)
            {
                double term = Of(e) * Probability(scores, row, e);
                (sum, size) = (sum + term, size + Math.Abs(term));
            }

            double own = Of(expert) * Probability(scores, row, expert), mean = Probability(scores, row, expert) * sum;
            double error = (Math.Abs(own) * (p + t)) + (Probability(scores, row, expert) * size * (p + t + sums)) + (Math.Abs(mean) * (p + t)) + (t * Math.Abs(own - mean));
            return (own - mean, (1.03 * error) + (4 * Values.SmallestOf(type)));
        });
    }

    [Theory]
    [InlineData("trn1-core", DataType.Fp32, 96, 300)]
    [InlineData("trn2-core", DataType.Bf16, 160, 9000)] // two pieces
    public void Permutations_move_rows_to_their_expert_and_back(string machine, DataType type, int rows, int columns)
    {
        const int Chosen = 3, Experts = 8;
        Accelerator core = KernelRuns.Machine(machine);
        MoePermute Op(bool combine, bool backward) => new("permute", rows, columns, Chosen, combine, backward) { Type = type };
        int[,] places = Places(Values.Random(rows, Experts, 1, type, 4), Chosen, out _);
        Matrix indices = Matrix.From(rows, Chosen, (row, choice) => places[row, choice]);
        Matrix tokens = Values.Random(rows, columns, 2, type), copies = Values.Random(rows * Chosen, columns, 3, type);
        Matrix weights = Matrix.From(rows, Chosen, (row, choice) => places[row, choice] < 0 ? 0 : 0.1f + (0.2f * choice)).Rounded(type);
        double t = Values.UnitOf(type), small = Values.SmallestOf(type);
        (int Row, int Choice)?[] owners = Owners(places);

        Matrix dispatched = Values.RunAll(Values.Lower(Op(false, false), core), core, tokens, indices)[0];
        Values.Within(dispatched, (place, column) => (owners[place] is { } owner ? tokens[owner.Row, column] : 0, 0));

        // A product and a sum for each copy, rounded to the type.
        double sums = Values.Gamma(Chosen + 1, t);
        Matrix combined = Values.RunAll(Values.Lower(Op(true, false), core), core, copies, indices, weights)[0];
        Values.Within(combined, (row, column) => Sum(Chosen, choice => places[row, choice] < 0 ? 0 : (double)weights[row, choice] * copies[places[row, choice], column], sums, small));

        Matrix gradient = Values.RunAll(Values.Lower(Op(false, true), core), core, copies, indices)[0];
        Values.Within(gradient, (row, column) => Sum(Chosen, choice => places[row, choice] < 0 ? 0 : copies[places[row, choice], column], sums, small));

        Matrix[] gradients = Values.RunAll(Values.Lower(Op(true, true), core), core, tokens, indices, weights, copies);
        Values.Within(gradients[0], (place, column) =>
            Relative(owners[place] is { } owner ? (double)weights[owner.Row, owner.Choice] * tokens[owner.Row, column] : 0, 1.01 * t, type));
        Values.Within(gradients[1], (row, choice) => places[row, choice] < 0
            ? (0, 0)
            : Sum(columns, column => (double)copies[places[row, choice], column] * tokens[row, column], (2.01 * t) + Values.Gamma(columns + 2), small));
    }

    [Theory]
    [InlineData("trn1-core", DataType.Fp32, 2e-5)]
    [InlineData("trn2-core", DataType.Bf16, 0.05)]
    public void A_layer_of_experts_is_the_weighted_sum_of_those_that_each_token_chose(string machine, DataType type, double worst)
    {
        const int Tokens = 160, Experts = 8, Chosen = 2, Hidden = 128, Inner = 96;
        ModelShape shape = Presets.Small with { Hidden = Hidden, QueryHeads = 2, KvHeads = 1, HeadDim = 64, Intermediate = Inner, Experts = Experts, ExpertsPerToken = Chosen, Type = type };
        GraphSection layer = TransformerLayer.Prefill(shape, 1, Tokens).Sections.Single(section => section.Name == "layer");
        var tensors = new Dictionary<string, Matrix> { ["hidden"] = Values.Random(Tokens, Hidden, 1, type), ["rope_table"] = RowValuesTests.Table(Tokens, 64, type) };
        int seed = 2;
        foreach (Tensor read in layer.Operators.SelectMany(op => op.Reads).Where(read => read.Operand.Role == TensorRole.Weight))
        {
            (int rows, int columns) = ((int)(read.Shape.Rows * read.Shape.Batch), (int)read.Shape.Columns);
            tensors[read.Operand.Name] = Values.Random(rows, columns, seed++, type, Math.Sqrt(3.0 / read.Shape.Rows));
        }

        new ValueMachine(KernelRuns.Machine(machine)).RunSection(layer, tensors, TestContext.Current.CancellationToken);

        Matrix x = tensors["layer/mlp_norm"], scores = tensors["layer/moe/router"], gate = tensors["layer/moe/gate_proj.weight"], up = tensors["layer/moe/up_proj.weight"], down = tensors["layer/moe/down_proj.weight"];
        int[,] places = Places(scores, Chosen, out int[,] expertOf);
        var expected = new double[Tokens, Hidden];
        for (int token = 0; token < Tokens; token++)
        {
            for (int choice = 0; choice < Chosen; choice++)
            {
                double[] result = places[token, choice] < 0 ? new double[Hidden] : Expert(x, token, expertOf[token, choice]);
                for (int i = 0; i < Hidden; i++)
                {
                    expected[token, i] += Probability(scores, token, expertOf[token, choice]) * result[i];
                }
            }
        }

        // fp32: sums of 128 terms and fewer; bf16: some ten roundings of 2^-9 of either sign, five times that for the worst element.
        double largest = expected.Cast<double>().Max(Math.Abs);
        Values.Within(tensors["layer/moe/combine"], (token, i) => (expected[token, i], worst * largest));

        double[] Expert(Matrix input, int token, int expert)
        {
            double Product(Matrix weight, int rows, Func<int, double> of, int column) => Enumerable.Range(0, rows).Sum(k => of(k) * weight[(expert * rows) + k, column]);
            double[] inner = [.. Enumerable.Range(0, Inner).Select(column =>
            {
                double gated = Product(gate, Hidden, k => input[token, k], column);
                return gated / (1 + Math.Exp(-gated)) * Product(up, Hidden, k => input[token, k], column);
            })];
            return [.. Enumerable.Range(0, Hidden).Select(column => Product(down, Inner, k => inner[k], column))];
        }
    }

    [Fact]
    public void Experts_that_cannot_take_equal_numbers_are_timed_only() =>
        FluentActions.Invoking(() => KernelLibrary.Lower(new MoeRouting("routing", 7, 8, 2), KernelRuns.Machine("trn2-core"), values: true))
            .Should().Throw<NotSupportedException>().WithMessage("routing: found 14 copies for 8 experts, expected a multiple*");

    /// <summary>The row of each copy in expert order, first come, first served; -1 where the expert has its share already. Of equal scores the lower expert comes first.</summary>
    private static int[,] Places(Matrix scores, int chosen, out int[,] expertOf)
    {
        var places = new int[scores.Rows, chosen];
        expertOf = new int[scores.Rows, chosen];
        var counts = new int[scores.Columns];
        int capacity = scores.Rows * chosen / scores.Columns;
        for (int row = 0; row < scores.Rows; row++)
        {
            int at = row;
            foreach ((int choice, int expert) in Enumerable.Range(0, scores.Columns).OrderByDescending(expert => scores[at, expert]).Take(chosen).Index())
            {
                expertOf[row, choice] = expert;
                places[row, choice] = counts[expert] < capacity ? (expert * capacity) + counts[expert] : -1;
                counts[expert]++;
            }
        }

        return places;
    }

    /// <summary>Whose copy fills each row of the expert order.</summary>
    private static (int Row, int Choice)?[] Owners(int[,] places)
    {
        var owners = new (int, int)?[places.Length];
        for (int row = 0; row < places.GetLength(0); row++)
        {
            for (int choice = 0; choice < places.GetLength(1); choice++)
            {
                if (places[row, choice] >= 0)
                {
                    owners[places[row, choice]] = (row, choice);
                }
            }
        }

        return owners;
    }

    private static double Probability(Matrix scores, int row, int expert)
    {
        double largest = scores.Row(row).ToArray().Max();
        return Math.Exp(scores[row, expert] - largest) / scores.Row(row).ToArray().Sum(value => Math.Exp(value - largest));
    }

    private static (double Exact, double Bound) Relative(double exact, double relative, DataType type) => (exact, (relative * Math.Abs(exact)) + Values.SmallestOf(type));

    private static (double Exact, double Bound) Sum(int count, Func<int, double> term, double relative, double small)
    {
        (double sum, double size) = (0, 0);
        for (int i = 0; i < count; i++)
        {
            (sum, size) = (sum + term(i), size + Math.Abs(term(i)));
        }

        return (sum, (relative * size) + ((count + 1) * small));
    }
}
