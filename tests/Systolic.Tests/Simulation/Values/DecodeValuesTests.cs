using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Simulation.Values;

/// <summary>The kernels of the public kernel library on values, against double precision.</summary>
public class DecodeValuesTests
{
    private const double Slack = 1.01;
    private const double Bf16 = 1.0 / (1 << 8);
    private const double Fp8 = 1.0 / (1 << 4);
    private const float WeightScale = 1f / 512;

    private static readonly Accelerator Trn2 = Core.Trn2;

    /// <summary>A value in double precision and how far from it the kernel's may lie.</summary>
    private readonly record struct Value(double Exact, double Bound);

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(true, 0.5f)]
    public void Rows_are_normalized_and_quantized_with_a_scale_each(bool normalize, float clamp)
    {
        // Two tiles of rows, two banks of gamma.
        const int Rows = 130, Columns = 700;
        Program program = RmsNormQuantKernel.Write(Trn2, new RmsNormQuantShape(Rows, Columns, normalize, clamp), values: true);
        Matrix x = Values.Random(Rows, Columns, 1, DataType.Bf16, 3), gamma = Values.Random(1, Columns, 2, DataType.Bf16);
        Matrix[] outputs = Values.RunAll(program, Trn2, normalize ? [x, gamma] : [x]);
        Matrix quantized = outputs[0], scales = outputs[1];
        for (int row = 0; row < Rows; row++)
        {
            double meanSquare = Enumerable.Range(0, Columns).Average(column => Square(x[row, column]));
            Value[] normalized = [.. Enumerable.Range(0, Columns).Select(column =>
            {
                double exact = normalize ? x[row, column] / Math.Sqrt(meanSquare + RmsNormQuantKernel.Epsilon) * gamma[0, column] : x[row, column];
                // The sum of squares in fp32, the power, two products in fp32; then bf16.
                return Clamp(new Value(exact, normalize ? ((Columns * Values.U) + Bf16) * Slack * Math.Abs(exact) : 0), clamp);
            })];
            double largest = normalized.Max(value => Math.Abs(value.Exact)), reached = normalized.Max(value => value.Bound);
            scales[row, 0].Should().BeApproximately((float)(largest / RmsNormQuantKernel.Fp8Range), (float)(Slack * ((reached / RmsNormQuantKernel.Fp8Range) + (4 * Values.U * largest))));
            for (int column = 0; column < Columns; column++)
            {
                // value = fp8 x scale: half a step of fp8, and what the operand was off by.
                double bound = (Slack * (normalized[column].Bound + (Fp8 * Math.Abs(normalized[column].Exact)))) + (scales[row, 0] * Values.SmallestOf(DataType.Fp8E4M3));
                ((double)quantized[row, column] * scales[row, 0]).Should().BeApproximately(normalized[column].Exact, bound);
            }
        }
    }

    [Theory]
    [InlineData(3, null, false)]
    [InlineData(40, NormFunction.Rms, false)]
    [InlineData(3, NormFunction.Layer, false)]
    [InlineData(70, null, true)]
    [InlineData(3, NormFunction.Rms, true)]
    public void Queries_keys_and_values_of_a_decode_step(int tokens, NormFunction? norm, bool residuals)
    {
        // 33 columns of features in blocks of 16, 16 and 1; two banks; four, two and one strips of the array.
        const int Outputs = 600;
        int hidden = (tokens > 32 ? 9 : 33) * 128;
        Program program = DecodeQkvKernel.Write(Trn2, new DecodeQkvShape(tokens, hidden, Outputs, norm, residuals), values: true);
        Dictionary<string, Matrix> inputs = Tokens(tokens, hidden);
        inputs["weights"] = Values.Random(hidden, Outputs, 3, DataType.Bf16, 0.1);
        Value[,] x = Normalized(inputs, tokens, hidden, norm, residuals ? ["x", "attention", "mlp"] : ["x"]);

        Values.Within(Run(program, inputs), (row, column) => Rounded(Dot(hidden, h => (x[row, h], inputs["weights"][h, column])), 5));
    }

    [Theory]
    [InlineData(3, true, true, false, null, nameof(WeightScaling.None))]
    [InlineData(40, true, true, false, NormFunction.Rms, nameof(WeightScaling.Row))]
    [InlineData(3, true, false, false, NormFunction.Layer, nameof(WeightScaling.Static))]
    [InlineData(3, false, true, false, NormFunction.Rms, nameof(WeightScaling.Row))]
    [InlineData(5, false, false, false, null, nameof(WeightScaling.None))]
    [InlineData(4, false, false, true, NormFunction.Rms, nameof(WeightScaling.Row))]
    [InlineData(70, true, true, false, null, nameof(WeightScaling.Static))]
    public void The_feed_forward_block_of_a_decode_step(int tokens, bool gateUpColumns, bool downColumns, bool permuted, NormFunction? norm, string weights)
    {
        WeightScaling scaling = Enum.Parse<WeightScaling>(weights);
        foreach ((bool gate, bool bias, bool residual, bool store) in new[] { (true, false, false, false), (false, true, true, false), (true, true, true, true) })
        {
            // Tokens stationary: three pieces of weights, two banks. Weights stationary: eight banks hold 1,024 intermediate features, so 76 are left for a second round.
            (int columns, int intermediate) = !gateUpColumns ? (5, 1100) : (tokens > 32 ? 9 : 33, 600);
            int hidden = columns * 128;
            var shape = new DecodeMlpShape(tokens, hidden, intermediate, norm)
            {
                Gate = gate,
                Bias = bias,
                AddResidual = residual,
                StoreSum = store,
                GateUpColumns = gateUpColumns,
                DownColumns = downColumns,
                DownPermuted = permuted,
                Scaling = scaling,
            };
            Dictionary<string, Matrix> inputs = Tokens(tokens, hidden);
            AddWeights(inputs, hidden, intermediate, shape.WeightType, scaling);
            inputs["gate bias"] = Values.Random(1, intermediate, 21, DataType.Bf16);
            inputs["up bias"] = Values.Random(1, intermediate, 22, DataType.Bf16);
            inputs["down bias"] = Values.Random(1, hidden, 23, DataType.Bf16);
            Value[,] x = Normalized(inputs, tokens, hidden, norm, residual ? ["x", "residual"] : ["x"]);
            Value[,] product = Product(inputs, shape, x, tokens, intermediate);

            Values.Within(Run(DecodeMlpKernel.Write(Trn2, shape, values: true), inputs), (row, column) =>
            {
                // Where columns lie permuted, block c of 128 holds those that go to column c of each partition.
                int stored = permuted ? ((column % columns) * 128) + (column / columns) : column;
                Value sum = Dot(intermediate, i => (product[row, i], inputs["down"][i, stored]));
                return Rounded(WithScaleAndBias(inputs, "down", sum, bias, scaling, column), 3);
            });
        }
    }

    [Theory]
    [InlineData(nameof(WeightScaling.None), 640, 1408, null, true)]
    [InlineData(nameof(WeightScaling.None), 456, 1408, NormFunction.Rms, true)]
    [InlineData(nameof(WeightScaling.None), 456, 896, NormFunction.Layer, false)]
    [InlineData(nameof(WeightScaling.Static), 640, 1536, null, true)]
    [InlineData(nameof(WeightScaling.Row), 2176, 1536, null, true)]
    [InlineData(nameof(WeightScaling.Row), 640, 1536, null, false)]
    public void The_feed_forward_block_of_a_prefill(string weights, int intermediate, int hidden, NormFunction? norm, bool gate)
    {
        // Two blocks of rows in one tile, the second of two rows; 2,176 intermediate features fill five banks, so each block is a tile. 456 end with a block of 72, 1,408 and 896 features with half a bank or more.
        const int Rows = 130;
        WeightScaling scaling = Enum.Parse<WeightScaling>(weights);
        var shape = new PrefillMlpShape(Rows, hidden, intermediate, scaling) { Norm = norm, Gate = gate };
        var inputs = new Dictionary<string, Matrix> { ["x"] = Values.Random(Rows, hidden, 1, shape.OperandType, scaling == WeightScaling.None ? 1 : 200) };
        if (scaling == WeightScaling.Row)
        {
            inputs["x scales"] = Matrix.From(Rows, 1, (row, _) => (1 + (row % 3)) / 256f);
        }

        AddWeights(inputs, hidden, intermediate, shape.OperandType, scaling);
        Value[,] x = Normalized(inputs, Rows, hidden, norm, ["x"], roundings: 2);
        Matrix actual = Run(PrefillMlpKernel.Write(Trn2, shape, values: true), inputs);
        foreach (int row in new[] { 0, 77, 129 })
        {
            Value[] product = PrefillProduct(inputs, shape, x, row);
            for (int column = 0; column < hidden; column += 5)
            {
                Value sum = WithScaleAndBias(inputs, "down", Dot(intermediate, i => (product[i], inputs["down"][i, column])), false, scaling, column);
                (double exact, double bound) = Rounded(sum, 3);
                ((double)actual[row, column]).Should().BeApproximately(exact, bound);
            }
        }
    }

    private static Value[] PrefillProduct(Dictionary<string, Matrix> inputs, PrefillMlpShape shape, Value[,] x, int row)
    {
        double rowScale = shape.Scaling == WeightScaling.Row ? inputs["x scales"][row, 0] : 1;
        var product = new Value[shape.Intermediate];
        for (int i = 0; i < product.Length; i++)
        {
            Value Sum(string name) => WithScaleAndBias(inputs, name, Dot(shape.Hidden, h => (x[row, h], inputs[name][h, i])), false, shape.Scaling, i);
            if (!shape.Gate)
            {
                product[i] = Rounding(Silu(Scaled(Sum("up"), rowScale, 1)), 1);
                continue;
            }

            // The scaled sum, silu, the product with up and each of its scales are rounded to bf16.
            Value gate = Scaled(Sum("gate"), rowScale, 1), up = Scaled(Sum("up"), rowScale, 0);
            Value silu = Rounding(Silu(gate), 1);
            double exact = silu.Exact * up.Exact;
            product[i] = Rounding(new Value(exact, (Math.Abs(up.Exact) * silu.Bound) + ((Math.Abs(silu.Exact) + silu.Bound) * up.Bound)), 3);
        }

        if (shape.Scaling == WeightScaling.None)
        {
            return product;
        }

        double step = product.Max(value => Math.Abs(value.Exact) + value.Bound) / RmsNormQuantKernel.Fp8Range * Values.SmallestOf(DataType.Fp8E4M3);
        return [.. product.Select(value => new Value(value.Exact, value.Bound + (Slack * Fp8 * (Math.Abs(value.Exact) + value.Bound)) + step))];
    }

    private static Value[,] Product(Dictionary<string, Matrix> inputs, DecodeMlpShape shape, Value[,] x, int tokens, int intermediate)
    {
        var product = new Value[tokens, intermediate];
        for (int t = 0; t < tokens; t++)
        {
            for (int i = 0; i < intermediate; i++)
            {
                Value Sum(string name) => WithScaleAndBias(inputs, name, Dot(shape.Hidden, h => (x[t, h], inputs[name][h, i])), shape.Bias, shape.Scaling, i);
                Value up = Sum("up"), silu = Silu(shape.Gate ? Sum("gate") : up);
                Value exact = shape.Gate ? new Value(silu.Exact * up.Exact, (Math.Abs(up.Exact) * silu.Bound) + ((Math.Abs(silu.Exact) + silu.Bound) * up.Bound)) : silu;
                product[t, i] = Rounding(exact, 1);
            }
        }

        return product;
    }

    private static Dictionary<string, Matrix> Tokens(int tokens, int hidden) => new()
    {
        ["x"] = Values.Random(tokens, hidden, 1, DataType.Bf16),
        ["attention"] = Values.Random(tokens, hidden, 5, DataType.Bf16),
        ["mlp"] = Values.Random(tokens, hidden, 6, DataType.Bf16),
        ["residual"] = Values.Random(tokens, hidden, 7, DataType.Bf16),
    };

    private static void AddWeights(Dictionary<string, Matrix> inputs, int hidden, int intermediate, DataType type, WeightScaling scaling)
    {
        double size = scaling == WeightScaling.None ? 0.05 : 200;
        inputs["gate"] = Values.Random(hidden, intermediate, 11, type, size);
        inputs["up"] = Values.Random(hidden, intermediate, 12, type, size);
        inputs["down"] = Values.Random(intermediate, hidden, 13, type, size);
        foreach ((string name, int columns) in new[] { ("gate", intermediate), ("up", intermediate), ("down", hidden) })
        {
            // A row for each partition, all alike; powers of two, so that only the kernel rounds.
            inputs[name + " scales"] = Matrix.From(128, scaling == WeightScaling.Row ? columns : 1, (_, column) => (float)Scale(scaling, column));
        }
    }

    private static double Scale(WeightScaling scaling, int column) => scaling switch
    {
        WeightScaling.None => 1,
        WeightScaling.Static => WeightScale,
        _ => WeightScale * (1 << (column % 3)),
    };

    private static Value WithScaleAndBias(Dictionary<string, Matrix> inputs, string name, Value sum, bool bias, WeightScaling scaling, int column)
    {
        double scale = Scale(scaling, column);
        double added = bias ? inputs[name + " bias"][0, column] : 0;
        double exact = (sum.Exact * scale) + added;
        return new Value(exact, (sum.Bound * scale) + (4 * Values.U * (Math.Abs(exact) + Math.Abs(added))));
    }

    /// <summary>Tokens, the sum of some inputs rounded to bf16, normalized.</summary>
    private static Value[,] Normalized(Dictionary<string, Matrix> inputs, int tokens, int hidden, NormFunction? norm, string[] terms, int roundings = 1)
    {
        int vectors = norm == NormFunction.Layer ? 2 : 1;
        inputs["norm parameters"] = Values.Random(vectors, hidden, 4, DataType.Bf16);
        Matrix sum = Matrix.From(tokens, hidden, (row, column) => terms.Aggregate(0f, (total, name) => total + inputs[name][row, column])).Rounded(DataType.Bf16);
        var result = new Value[tokens, hidden];
        for (int t = 0; t < tokens; t++)
        {
            double mean = norm == NormFunction.Layer ? Enumerable.Range(0, hidden).Average(h => (double)sum[t, h]) : 0;
            double variance = Enumerable.Range(0, hidden).Average(h => Square(sum[t, h])) - Square(mean);
            double inverse = norm is null ? 1 : 1 / Math.Sqrt(variance + RmsNormQuantKernel.Epsilon);
            for (int h = 0; h < hidden; h++)
            {
                double gamma = norm is null ? 1 : inputs["norm parameters"][0, h], beta = vectors == 2 ? inputs["norm parameters"][1, h] : 0;
                double scaled = (sum[t, h] - mean) * inverse * gamma;
                // Statistics of hidden terms in fp32; the mean of values up to one; layer norm rounds to bf16 four times, RMS norm as often as said.
                double fp32 = hidden * Values.U * (Math.Abs(scaled) + (vectors - 1));
                result[t, h] = new Value(scaled + beta, norm is null ? 0 : Slack * (fp32 + (vectors == 1 ? roundings * Bf16 * Math.Abs(scaled) : Bf16 * ((3.1 * Math.Abs(scaled)) + Math.Abs(scaled + beta)))));
            }
        }

        return result;
    }

    /// <summary>A sum of n products in fp32 in any order, and what its first factors are off by.</summary>
    private static Value Dot(int n, Func<int, (Value First, float Second)> terms)
    {
        double exact = 0, size = 0, off = 0;
        for (int k = 0; k < n; k++)
        {
            (Value first, float second) = terms(k);
            exact += first.Exact * second;
            size += (Math.Abs(first.Exact) + first.Bound) * Math.Abs(second);
            off += first.Bound * Math.Abs(second);
        }

        return new Value(exact, off + (Values.Gamma(n + 8) * size));
    }

    private static Value Silu(Value x) => new(x.Exact / (1 + Math.Exp(-x.Exact)), (1.1 * x.Bound) + (8 * Values.U * Math.Abs(x.Exact)));

    private static Value Scaled(Value value, double scale, int roundings) => Rounding(new Value(value.Exact * scale, value.Bound * scale), roundings);

    private static Value Clamp(Value value, double limit) => limit == 0 ? value : value with { Exact = Math.Clamp(value.Exact, -(double)(float)limit, limit) };

    /// <summary>After some roundings to bf16.</summary>
    private static Value Rounding(Value value, int roundings) => value with { Bound = value.Bound + (Slack * roundings * Bf16 * (Math.Abs(value.Exact) + value.Bound)) };

    private static (double Exact, double Bound) Rounded(Value value, int roundings)
    {
        Value rounded = Rounding(value, roundings);
        return (rounded.Exact, rounded.Bound + Values.SmallestOf(DataType.Bf16));
    }

    private static double Square(double value) => value * value;

    private static Matrix Run(Program program, Dictionary<string, Matrix> inputs) =>
        Values.RunAll(program, Trn2, [.. program.Tensors.Where(tensor => tensor.Role == MemoryRole.Input).Select(tensor => inputs[tensor.Name])])[^1];
}
