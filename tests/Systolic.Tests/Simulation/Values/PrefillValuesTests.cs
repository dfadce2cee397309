using CsCheck;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Simulation;
using Systolic.Tests.Kernels;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Simulation.Values;

public class PrefillValuesTests
{
    [Fact]
    public void Random_options_give_what_they_mean_within_the_bound_of_their_accumulation_order() =>
        Gen.Select(PrefillOptions.Random, Gen.Int[0, 1_000_000]).Sample((op, seed) => AssertBound(op, seed), iter: 8);

    [Theory]
    [InlineData(0, 0, false)] // diagonal tiles masked by position
    [InlineData(100, 0, false)] // a short window: bounds in every tile, more groups at work
    [InlineData(300, 0, false)] // a long window: masked twice by position
    [InlineData(0, 600, false)] // prior keys: bounds in their tiles only
    [InlineData(0, 0, true)] // context parallelism: bounds in every tile, none left out
    [InlineData(100, 600, true)] // with a window: keys are loaded from a place found at run time
    public void Each_mask_hides_what_it_must(int window, int prior, bool anywhere) => AssertBound(Small() with { Window = window, PriorKeys = prior, QueriesAnywhere = anywhere }, 7);

    [Fact]
    public void Sections_of_prior_keys_are_rescaled_to_the_largest_maximum() =>
        AssertBound(Small() with { Heads = 1, KvHeads = 1, PriorKeys = 10_100, Sink = true, OutputByToken = false }, 11);

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void Sections_that_a_group_does_not_see_are_left_out(int window)
    {
        // 10,300 keys are 21 tiles in sections of 16: groups from 64 on see the second.
        var op = new PrefillAttention { Heads = 1, KvHeads = 1, Queries = 10_300, Keys = 10_300, HeadDim = 4, Causal = true, Window = window, QueriesByToken = true, OutputByToken = true };
        AssertBound(op, 13, everyOrder: false);
    }

    private static PrefillAttention Small() => new() { Heads = 2, KvHeads = 1, Queries = 300, Keys = 700, HeadDim = 64, Causal = true, QueriesByToken = true, OutputByToken = true };

    /// <summary>|o - exact| as in <see cref="AttentionValuesTests"/>, for bf16 operands: probabilities are rounded to bf16, and a section of up to 10,240 keys adds three roundings.</summary>
    private static void AssertBound(PrefillAttention op, int seed, bool everyOrder = true)
    {
        var random = new Random(seed);
        int used = random.Next(op.PriorKeys + 1), first = op.QueriesAnywhere ? random.Next(op.Keys - op.Queries + 1) : 0;
        Matrix q = Random(op.Heads, op.Queries, 1.5), k = Random(op.KvHeads, op.Keys, 1.5), v = Random(op.KvHeads, op.Keys, 1);
        Matrix priorK = Random(op.KvHeads, Math.Max(1, op.PriorKeys), 1.5), priorV = Random(op.KvHeads, Math.Max(1, op.PriorKeys), 1);
        Matrix sinks = Matrix.From(op.Heads, 1, (_, _) => (float)random.NextDouble());
        var inputs = new List<Matrix>();
        inputs.AddRange(op.QueriesAnywhere ? [One(first)] : []);
        inputs.AddRange(op.PriorKeys > 0 ? [One(used)] : []);
        inputs.AddRange([Laid(q, op.Heads, op.QueriesByToken), Laid(k, op.KvHeads, op.KeysByToken), v]);
        inputs.AddRange(op.PriorKeys > 0 ? [Laid(priorK, op.KvHeads, op.KeysByToken), priorV] : []);
        inputs.AddRange(op.Sink ? [sinks] : []);
        Accelerator machine = KernelRuns.Machine("trn2-core");
        Program program = PrefillKernel.Write(op, PrefillPart.Of(op, 0, 1), machine, values: true);
        Matrix output = everyOrder ? Values.RunAll(program, machine, [.. inputs])[0] : Values.Execute(program, ExecutionOrder.Written, [.. inputs])[0];
        (q, k, v, priorK, priorV) = (q.Rounded(DataType.Bf16), k.Rounded(DataType.Bf16), v.Rounded(DataType.Bf16), priorK.Rounded(DataType.Bf16), priorV.Rounded(DataType.Bf16));
        double t = Values.UnitOf(DataType.Bf16), sums = Values.Gamma(128 + ((op.Keys + op.PriorKeys) / 128.0) + 16);
        for (int head = 0; head < op.Heads; head++)
        {
            int kvHead = head / op.Sharing;
            for (int query = 0; query < op.Queries; query++)
            {
                int position = first + query;
                List<(Matrix Keys, Matrix Values, int Row)> seen =
                [
                    .. Enumerable.Range(0, used).Where(j => op.Window == 0 || j > used + position - op.Window).Select(j => (priorK, priorV, (kvHead * op.PriorKeys) + j)),
                    .. Enumerable.Range(0, op.Keys).Where(j => (!op.Causal || j <= position) && (op.Window == 0 || j > position - op.Window)).Select(j => (k, v, (kvHead * op.Keys) + j)),
                ];
                (double[] weights, double delta) = Weights(q.Row((head * op.Queries) + query), seen, op.Sink ? sinks[head, 0] : null);
                for (int feature = 0; feature < op.HeadDim; feature++)
                {
                    (double exact, double size) = (0, 0);
                    for (int i = 0; i < seen.Count; i++)
                    {
                        double term = weights[i] * seen[i].Values[seen[i].Row, feature];
                        (exact, size) = (exact + term, size + Math.Abs(term));
                    }

                    double bound = (1.01 * ((size * (t + delta + sums)) + (Math.Abs(exact) * (delta + sums + Values.UnitOf(op.Type))))) + (2 * Values.SmallestOf(op.Type));
                    double found = op.OutputByToken ? output[(head * op.Queries) + query, feature] : output[(head * op.HeadDim) + feature, query];
                    if (!(Math.Abs(found - exact) <= bound))
                    {
                        Assert.Fail(FormattableString.Invariant($"{op}, {used} prior keys used, first query {first}: head {head}, query {query}, feature {feature}: found {found:R}, expected {exact:R} within {bound:E2}"));
                    }
                }
            }
        }

        Matrix Random(int heads, int tokens, double scale) => Values.Random(heads * tokens, op.HeadDim, random.Next(), op.Type, scale);

        Matrix Laid(Matrix tokens, int heads, bool byToken)
        {
            int count = tokens.Rows / heads;
            return byToken ? tokens : Matrix.From(heads * op.HeadDim, count, (row, token) => tokens[(row / op.HeadDim * count) + token, row % op.HeadDim]);
        }
    }

    private static Matrix One(int value) => Matrix.From(1, 1, (_, _) => value);

    private static (double[] Weights, double Delta) Weights(ReadOnlySpan<float> query, List<(Matrix Keys, Matrix Values, int Row)> seen, double? sink)
    {
        double largest = sink ?? double.NegativeInfinity, delta = 0, range = Math.Abs(sink ?? 0);
        var weights = new double[seen.Count];
        for (int i = 0; i < weights.Length; i++)
        {
            (double sum, double size) = (0, 0);
            ReadOnlySpan<float> key = seen[i].Keys.Row(seen[i].Row);
            for (int feature = 0; feature < query.Length; feature++)
            {
                double term = (double)query[feature] * key[feature];
                (sum, size) = (sum + term, size + Math.Abs(term));
            }

            weights[i] = sum;
            (largest, range, delta) = (Math.Max(largest, sum), Math.Max(range, Math.Abs(sum)), Math.Max(delta, Values.Gamma(query.Length + 2) * size));
        }

        double total = sink is { } score ? Math.Exp(score - largest) : 0;
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = Math.Exp(weights[i] - largest);
            total += weights[i];
        }

        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] /= total;
        }

        return (weights, delta + (6 * Values.U * range) + (2 * Values.U));
    }
}
