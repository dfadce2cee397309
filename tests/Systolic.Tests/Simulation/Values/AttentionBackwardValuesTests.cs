using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Kernels;
using Systolic.Units;
using Systolic.Workloads;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Simulation.Values;

/// <summary>The gradients of attention against their definition in double precision: dv = p'g, ds = p (g v' - row sums of g o), dq = scale ds k, dk = scale ds' q.</summary>
public class AttentionBackwardValuesTests
{
    [Theory]
    [InlineData("trn1-core", DataType.Bf16, 1, 4, 2, 300, 300, 64, true)] // two query heads to a key/value head, the last tiles cut short
    [InlineData("trn2-core", DataType.Bf16, 2, 2, 2, 300, 300, 64, true)]
    [InlineData("trn3-core", DataType.Bf16, 1, 3, 1, 256, 256, 128, false)]
    [InlineData("trn1-core", DataType.Fp32, 1, 1, 1, 130, 700, 64, true)] // two blocks of keys, gradients of queries accumulate
    [InlineData("trn2-core", DataType.Fp32, 1, 2, 1, 100, 600, 192, true)] // two slices of features, three blocks of 256 keys
    [InlineData("trn3-core", DataType.Fp32, 1, 2, 1, 200, 77, 16, false)]
    [InlineData("trn2-core", DataType.Bf16, 1, 8, 2, 5, 700, 80, true)] // five tokens of four heads in one tile
    public void Gradients_are_those_of_the_softmax_of_scores(string machine, DataType type, int batch, int queryHeads, int kvHeads, int queries, int keys, int dimension, bool causal) =>
        AssertBound(new Attention("backward", batch, queryHeads, kvHeads, queries, keys, dimension, causal, Backward: true) { Type = type }, KernelRuns.Machine(machine));

    [Fact]
    public void Gradients_of_queries_that_wait_in_main_memory_are_the_same()
    {
        // Eleven query tiles of 128 fp32 sums are 5.5 KiB a partition.
        Accelerator machine = KernelRuns.Machine("trn2-core");
        var op = new Attention("backward", 1, 1, 1, 1300, 1300, 128, true, Backward: true);
        Accelerator small = machine with { Sbuf = machine.Sbuf with { PartitionSize = Bytes.FromKibibytes(28) } };
        KernelLibrary.Lower(op, small).Mapping.Should().EndWith("gradient of queries in main memory");
        KernelLibrary.Lower(op, machine).Mapping.Should().EndWith("gradient of queries in SBUF");

        AssertBound(op, small);
    }

    [Theory]
    [InlineData("trn1-core", DataType.Bf16, 1, 4, 2, 300, 300, 64, true)]
    [InlineData("trn2-core", DataType.Bf16, 2, 4, 2, 200, 2300, 64, true)] // two sections of keys
    [InlineData("trn3-core", DataType.Fp32, 1, 3, 1, 256, 256, 128, false)]
    [InlineData("trn2-core", DataType.Fp32, 1, 8, 2, 5, 700, 80, true)] // five tokens of four heads in one tile
    public void The_forward_pass_keeps_the_logarithms_of_its_sums(string machine, DataType type, int batch, int queryHeads, int kvHeads, int queries, int keys, int dimension, bool causal)
    {
        var op = new Attention("forward", batch, queryHeads, kvHeads, queries, keys, dimension, causal) { Type = type, KeepsSums = true };
        Accelerator core = KernelRuns.Machine(machine);
        Matrix[] inputs = Inputs(op);

        Matrix[] results = Values.RunAll(Values.Lower(op, core), core, inputs[0], inputs[1], inputs[2]);

        // The largest score cancels out of the sum; the scores' products, their scaling, the exponential and the sum, its logarithm and the difference.
        double size = Math.Sqrt(dimension) * 4;
        Values.Within(results[1], (row, head) => (inputs[5][row, head], Values.Gamma(dimension + 8) * size + Values.Gamma(keys + 60) + (4 * Values.U * Math.Abs(inputs[5][row, head]))));
        results[0].Values.SequenceEqual(Values.Run(op with { KeepsSums = false }, core, inputs[0], inputs[1], inputs[2]).Values).Should().BeTrue();
    }

    [Fact]
    public void Without_its_waits_an_engine_reads_what_nothing_wrote()
    {
        var op = new Attention("backward", 1, 1, 1, 300, 300, 64, true, Backward: true);
        Matrix[] inputs = Inputs(op);
        Program program = Values.WithoutWaits(Values.Lower(op, KernelRuns.Machine("trn2-core")), StreamId.Vector);

        FluentActions.Invoking(() => Values.Execute(program, ExecutionOrder.Eager(StreamId.Vector), inputs)).Should().Throw<InvalidOperationException>().WithMessage("*reads what nothing wrote*");
    }

    /// <summary>As a forward pass leaves them: queries, keys, values, output, its gradient, and of each row and head the negative logarithm of the sum of exponentials.</summary>
    private static Matrix[] Inputs(Attention op)
    {
        int d = (int)op.HeadDim, queries = (int)(op.Batch * op.QueryTokens), keys = (int)(op.Batch * op.KvTokens), heads = (int)op.QueryHeads;
        Matrix q = Values.Random(queries, heads * d, 1, op.Type, 2), g = Values.Random(queries, heads * d, 4, op.Type);
        Matrix k = Values.Random(keys, (int)op.KvHeads * d, 2, op.Type, 2), v = Values.Random(keys, (int)op.KvHeads * d, 3, op.Type);
        var output = new float[queries * heads * d];
        var sums = new float[queries * heads];
        for (int row = 0; row < queries; row++)
        {
            for (int head = 0; head < heads; head++)
            {
                (double[] scores, int first, int column) = Scores(op, q, k, row, head);
                double largest = scores.Max(), sum = scores.Sum(score => Math.Exp(score - largest));
                sums[(row * heads) + head] = (float)-(largest + Math.Log(sum));
                for (int feature = 0; feature < d; feature++)
                {
                    double value = 0;
                    for (int key = 0; key < scores.Length; key++)
                    {
                        value += Math.Exp(scores[key] - largest) / sum * v[first + key, column + feature];
                    }

                    output[(((row * heads) + head) * d) + feature] = (float)value;
                }
            }
        }

        Matrix o = Matrix.From(queries, heads * d, (row, column) => output[(row * heads * d) + column]).Rounded(op.Type);
        return [q, k, v, o, g, Matrix.From(queries, heads, (row, head) => sums[(row * heads) + head])];
    }

    /// <summary>Scaled scores of the keys that a row sees, the first key, and the first column of its head's keys.</summary>
    private static (double[] Scores, int First, int Column) Scores(Attention op, Matrix q, Matrix k, int row, int head)
    {
        int d = (int)op.HeadDim, queries = (int)op.QueryTokens, keys = (int)op.KvTokens, token = row % queries;
        int visible = op.Causal ? keys - queries + token + 1 : keys, first = row / queries * keys, column = head / (int)(op.QueryHeads / op.KvHeads) * d;
        var scores = new double[visible];
        for (int key = 0; key < visible; key++)
        {
            for (int feature = 0; feature < d; feature++)
            {
                scores[key] += (double)q[row, (head * d) + feature] * k[first + key, column + feature];
            }

            scores[key] /= Math.Sqrt(d);
        }

        return (scores, first, column);
    }

    /// <summary>Every gradient within the sum of its roundings.</summary>
    /// <remarks>
    /// p is off by a share delta: its score by gamma(d + 2) of sum |q||k| times the scale, three roundings of the exponential's argument at the largest score or statistic, the function, and the rounding to the type.
    /// ds is off by p times what g v' and the row sum are off (the products of the row sum are rounded to the type), by delta and by its own rounding. Products of K terms have gamma(K) of the sum of their terms' sizes.
    /// </remarks>
    private static void AssertBound(Attention op, Accelerator machine)
    {
        Matrix[] inputs = Inputs(op);
        (Matrix q, Matrix k, Matrix v, Matrix o, Matrix g, Matrix statistics) = (inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], inputs[5]);
        Matrix[] found = Values.RunAll(Values.Lower(op, machine), machine, inputs);
        int d = (int)op.HeadDim, heads = (int)op.QueryHeads;
        double t = Values.UnitOf(op.Type), scale = 1 / Math.Sqrt(d), sums = Values.Gamma(128 + ((double)op.QueryTokens * heads / 128) + (op.KvTokens / 128.0) + 8);
        var (dq, dk, dv) = (new Sum(q), new Sum(k), new Sum(v));
        for (int row = 0; row < q.Rows; row++)
        {
            for (int head = 0; head < heads; head++)
            {
                (double[] scores, int first, int column) = Scores(op, q, k, row, head);
                (double rowSum, double rowSize) = Dot(d, i => g[row, (head * d) + i], i => o[row, (head * d) + i]);
                double rowError = (t + Values.Gamma(d + 1)) * rowSize, statistic = statistics[row, head];
                for (int key = 0; key < scores.Length; key++)
                {
                    int at = first + key;
                    double scoreSize = scale * Dot(d, i => q[row, (head * d) + i], i => k[at, column + i]).Size;
                    double delta = (Values.Gamma(d + 2) * scoreSize) + (6 * Values.U * Math.Max(Math.Abs(scores[key]), Math.Abs(statistic))) + (2 * Values.U) + t;
                    double p = Math.Exp(scores[key] + statistic);
                    (double slope, double slopeSize) = Dot(d, i => g[row, (head * d) + i], i => v[at, column + i]);
                    double ds = p * (slope - rowSum);
                    double error = (p * ((Values.Gamma(d + 1) * slopeSize) + rowError + (2 * Values.U * (Math.Abs(slope) + Math.Abs(rowSum))))) + (Math.Abs(ds) * (delta + t));
                    for (int i = 0; i < d; i++)
                    {
                        dv.Add(at, column + i, p * g[row, (head * d) + i], Math.Abs(p * g[row, (head * d) + i]) * delta);
                        dk.Add(at, column + i, scale * ds * q[row, (head * d) + i], Math.Abs(scale * error * q[row, (head * d) + i]));
                        dq.Add(row, (head * d) + i, scale * ds * k[at, column + i], Math.Abs(scale * error * k[at, column + i]));
                    }
                }
            }
        }

        foreach ((Matrix actual, Sum expected) in found.Zip([dq, dk, dv]))
        {
            Values.Within(actual, (row, column) => expected.Of(row, column, sums, op.Type));
        }
    }

    private static (double Value, double Size) Dot(int length, Func<int, float> one, Func<int, float> other)
    {
        (double value, double size) = (0, 0);
        for (int i = 0; i < length; i++)
        {
            double term = (double)one(i) * other(i);
            (value, size) = (value + term, size + Math.Abs(term));
        }

        return (value, size);
    }

    /// <summary>Sums of the shape of a matrix, with the sizes and errors of their terms.</summary>
    private sealed class Sum(Matrix like)
    {
        private readonly double[] _value = new double[like.Rows * like.Columns], _size = new double[like.Rows * like.Columns], _error = new double[like.Rows * like.Columns];

        public void Add(int row, int column, double term, double error)
        {
            int at = (row * like.Columns) + column;
            (_value[at], _size[at], _error[at]) = (_value[at] + term, _size[at] + Math.Abs(term), _error[at] + error);
        }

        public (double Exact, double Bound) Of(int row, int column, double sums, DataType type)
        {
            int at = (row * like.Columns) + column;
            double roundings = _error[at] + (_size[at] * sums) + (Math.Abs(_value[at]) * (Values.UnitOf(type) + (2 * Values.U)));
            return (_value[at], (1.02 * roundings) + (2 * Values.SmallestOf(type)));
        }
    }
}
