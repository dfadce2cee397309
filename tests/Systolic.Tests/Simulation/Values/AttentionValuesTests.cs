using CsCheck;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Tests.Kernels;
using Systolic.Workloads;

namespace Systolic.Tests.Simulation.Values;

public class AttentionValuesTests
{
    private static readonly DataType[] Types = [DataType.Bf16, DataType.Fp32];

    private static readonly int[] HeadDimensions = [16, 64, 80, 128, 192];

    private static readonly Gen<Attention> Operators =
        from batch in Gen.Int[1, 2]
        from kvHeads in Gen.Int[1, 2]
        from sharing in Gen.Int[1, 3]
        from queries in Gen.Int[1, 200]
        from cached in Gen.Int[0, 700]
        from dimension in Gen.Int[0, 4].Select(i => HeadDimensions[i])
        from causal in Gen.Bool
        from type in Gen.Int[0, 1].Select(i => Types[i])
        from window in Gen.Int[0, 600]
        from cap in Gen.Int[0, 2].Select(i => i == 0 ? (double?)null : 25.0 * i * i)
        from value in Gen.Int[1, dimension]
        select new Attention("attention", batch, kvHeads * sharing, kvHeads, queries, queries + cached, dimension, causal)
        {
            Type = type,
            Window = causal && window > 0 ? window : null,
            SoftCap = cap,
            ValueDim = value,
        };

    [Fact]
    public void Random_attention_is_within_its_bound_on_every_machine() =>
        Gen.Select(Operators, Gen.Int[0, 2].Select(i => KernelRuns.Machines[i]), Gen.Int[0, 1_000_000]).Sample(AssertBound, iter: 12);

    [Theory]
    [InlineData("trn1-core", DataType.Bf16, 1, 2, 1, 300, 300, 64, true)] // array transposes, masks
    [InlineData("trn2-core", DataType.Bf16, 1, 2, 1, 300, 300, 64, true)] // transposes by DMA
    [InlineData("trn1-core", DataType.Fp32, 1, 8, 2, 1, 2500, 32, false)] // decode: two sections, running maximum
    [InlineData("trn2-core", DataType.Bf16, 2, 8, 2, 1, 2500, 128, false)]
    [InlineData("trn2-core", DataType.Bf16, 1, 8, 2, 5, 700, 64, true)] // five new tokens stacked, masked token by token
    [InlineData("trn1-core", DataType.Fp32, 1, 1, 1, 130, 4400, 64, true)] // three sections, masks in the last
    public void Attention_is_the_mean_of_values_weighted_by_the_softmax_of_scores(string machine, DataType type, int batch, int queryHeads, int kvHeads, int queries, int keys, int dimension, bool causal) =>
        AssertBound(new Attention("attention", batch, queryHeads, kvHeads, queries, keys, dimension, causal) { Type = type }, KernelRuns.Machine(machine), 17);

    // Of 700 keys a query sees 100, or 600: tiles of 512 keys are cut at either end, at both, or not seen; all keys of a tile are hidden from some of its rows.
    [Theory]
    [InlineData("trn1-core", 100, null, 64)]
    [InlineData("trn2-core", 600, null, 64)]
    [InlineData("trn2-core", 100, 5.0, 64)]
    [InlineData("trn2-core", null, 5.0, 64)]
    [InlineData("trn2-core", 1, null, 64)]
    [InlineData("trn2-core", null, null, 24)]
    public void So_it_is_with_a_window_a_soft_cap_and_values_of_another_width(string machine, int? window, double? cap, int values) =>
        AssertBound(new Attention("attention", 1, 2, 1, 700, 700, 64, Causal: true) { Type = DataType.Fp32, Window = window, SoftCap = cap, ValueDim = values }, KernelRuns.Machine(machine), 29);

    // Query 2,400 of 128 more sees keys from 2,301 on: its first tile is the last of a section, and rows behind see no key of it.
    [Fact]
    public void A_window_may_begin_in_the_last_tile_of_a_section() =>
        AssertBound(new Attention("attention", 1, 1, 1, 160, 2560, 16, Causal: true) { Type = DataType.Fp32, Window = 380, SoftCap = 50 }, KernelRuns.Machine("trn2-core"), 31);

    [Fact]
    public void Streamed_keys_give_what_resident_ones_give()
    {
        // 20,000 keys and values of 128 features do not stay in SBUF, so several query tiles share a pass.
        Accelerator machine = KernelRuns.Machine("trn2-core");
        Accelerator small = machine with { Sbuf = machine.Sbuf with { PartitionSize = new Systolic.Units.Bytes(100 * 1024) } };

        AssertBound(new Attention("attention", 1, 1, 1, 300, 6000, 128, false), small, 23);
    }

    /// <summary>|o - exact| for o = sum(p v) / sum(p), p = exp(scale s - max).</summary>
    /// <remarks>
    /// A score has gamma(d + 2) of sum |q||k|, times the scale, and three roundings of the argument. Its exponential, so perturbed by delta, is off by about delta; in the product it is rounded to the
    /// type. So numerator and denominator are each off by that much of sum p |v|, and by the roundings of their sums: 128 in a column of the array, one for each 128 keys, and three for each section
    /// of 2,048 keys (the factor, its product, the sum). Reciprocal, product, and the rounding of the result.
    /// </remarks>
    private static void AssertBound(Attention op, Accelerator machine, int seed)
    {
        int d = (int)op.HeadDim, group = (int)(op.QueryHeads / op.KvHeads), dv = (int)op.ValueDim, keys = (int)op.KvTokens, queries = (int)op.QueryTokens;
        Matrix q = Values.Random((int)op.Batch * queries, (int)op.QueryHeads * d, seed, op.Type, 2);
        Matrix k = Values.Random((int)op.Batch * keys, (int)op.KvHeads * d, seed + 1, op.Type, 2), v = Values.Random((int)op.Batch * keys, (int)op.KvHeads * dv, seed + 2, op.Type);
        double t = Values.UnitOf(op.Type), sums = Values.Gamma(128 + (keys / 128.0) + (3 * ((keys / 2048) + 1)) + 2);
        Matrix output = Values.Run(op, machine, q, k, v);
        for (int row = 0; row < output.Rows; row++)
        {
            for (int head = 0; head < op.QueryHeads; head++)
            {
                int token = row % queries, visible = op.Causal ? keys - queries + token + 1 : keys, first = row / queries * keys;
                (double[] weights, double delta) = Weights(op, q.Row(row).Slice(head * d, d), k, first, head / group * d, visible);
                for (int feature = 0; feature < dv; feature++)
                {
                    (double exact, double size) = (0, 0);
                    for (int key = 0; key < visible; key++)
                    {
                        double term = weights[key] * v[first + key, (head / group * dv) + feature];
                        (exact, size) = (exact + term, size + Math.Abs(term));
                    }

                    double bound = (1.01 * ((size * (t + delta + sums)) + (Math.Abs(exact) * (delta + sums + t)))) + (2 * Values.SmallestOf(op.Type));
                    double found = output[row, (head * dv) + feature];
                    if (!(Math.Abs(found - exact) <= bound))
                    {
                        Assert.Fail(FormattableString.Invariant($"{op} on {machine.Name}: row {row}, head {head}, feature {feature}: found {found:R}, expected {exact:R} within {bound:E2}"));
                    }
                }
            }
        }
    }

    private static (double[] Weights, double Delta) Weights(Attention op, ReadOnlySpan<float> query, Matrix k, int first, int column, int visible)
    {
        double scale = 1 / Math.Sqrt(op.HeadDim), largest = double.NegativeInfinity, delta = 0, range = 0;
        var weights = new double[visible];
        for (int key = (int)Math.Max(0, visible - (op.Window ?? visible)); key < visible; key++)
        {
            (double sum, double size) = (0, 0);
            for (int feature = 0; feature < query.Length; feature++)
            {
                double term = (double)query[feature] * k[first + key, column + feature];
                (sum, size) = (sum + term, size + Math.Abs(term));
            }

            weights[key] = op.SoftCap is { } cap ? cap * Math.Tanh(sum * scale / cap) : sum * scale;
            largest = Math.Max(largest, weights[key]);
            range = Math.Max(range, Math.Abs(weights[key]));
            delta = Math.Max(delta, Values.Gamma(query.Length + 2) * size * scale);
        }

        double total = 0;
        for (int key = 0; key < visible; key++)
        {
            weights[key] = op.Window is { } window && key < visible - window ? 0 : Math.Exp(weights[key] - largest);
            total += weights[key];
        }

        for (int key = 0; key < visible; key++)
        {
            weights[key] /= total;
        }

        // The maximum is subtracted from every score alike, so its own error cancels; each argument is rounded three times at twice the largest magnitude. A tangent rises by at most its argument; it and its
        // argument are rounded.
        return (weights, delta + (6 * Values.U * range) + (2 * Values.U) + (op.SoftCap is null ? 0 : 6 * Values.U * range));
    }
}
