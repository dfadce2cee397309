using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Tests.Kernels;
using Systolic.Workloads;

namespace Systolic.Tests.Simulation.Values;

/// <summary>Kernels on rows against their definition in double precision.</summary>
/// <remarks>u is fp32's unit roundoff, t that of the type; every bound counts the roundings of the kernel's own instructions and allows a hundredth more for their products.</remarks>
public class RowValuesTests
{
    private const double Slack = 1.01;

    public static TheoryData<string, DataType> MachinesAndTypes => new()
    {
        { "trn1-core", DataType.Fp32 }, { "trn1-core", DataType.Bf16 }, { "trn2-core", DataType.Bf16 }, { "trn3-core", DataType.Fp32 }, { "trn2-core", DataType.Fp16 },
    };

    [Theory]
    [MemberData(nameof(MachinesAndTypes))]
    public void Rms_normalization_is_x_over_its_root_mean_square_times_the_gain(string machine, DataType type)
    {
        // Rows per partition in 3 tiles; features over partitions, even and with a rest.
        foreach ((int rows, int columns) in new[] { (300, 700), (16, 256), (3, 77) })
        {
            var op = new Norm("rms", NormFunction.Rms, rows, columns) { Type = type };
            Matrix x = Values.Random(rows, columns, 1, type, 3), gain = Values.Random(1, columns, 2, type);
            double t = Values.UnitOf(type);

            // The sum of squares (all positive), its scaling, epsilon and root: half of (n + 4) u, and three roundings more to the normalized row; x / rms and the product are rounded to the type.
            double relative = Slack * ((((columns + 4) / 2.0) + 4) * Values.U + (2 * t));
            double[] squares = Rows(x, values => Mean(values, value => value * value));
            Values.Within(Values.Run(op, KernelRuns.Machine(machine), x, gain), (row, column) =>
            {
                double exact = x[row, column] * gain[0, column] / Math.Sqrt(squares[row] + 1e-5);
                return (exact, (relative * Math.Abs(exact)) + Values.SmallestOf(type));
            });
        }
    }

    [Theory]
    [MemberData(nameof(MachinesAndTypes))]
    public void Layer_normalization_subtracts_the_mean_and_divides_by_the_deviation(string machine, DataType type)
    {
        foreach ((int rows, int columns) in new[] { (140, 1100), (16, 256), (5, 77) })
        {
            var op = new Norm("layer", NormFunction.Layer, rows, columns) { Type = type };
            Matrix x = Values.Random(rows, columns, 3, type, 3), parameters = Values.Random(2, columns, 4, type);
            double t = Values.UnitOf(type), n = columns;
            double[] means = Rows(x, values => Mean(values, value => value)), squares = Rows(x, values => Mean(values, value => value * value)), magnitudes = Rows(x, values => Mean(values, Math.Abs));
            Values.Within(Values.Run(op, KernelRuns.Machine(machine), x, parameters), (row, column) =>
            {
                (double mean, double square, double magnitude) = (means[row], squares[row], magnitudes[row]);
                double variance = square - (mean * mean), inverse = 1 / Math.Sqrt(variance + 1e-5);
                double normalized = (x[row, column] - mean) * inverse, scaled = normalized * parameters[0, column], exact = scaled + parameters[1, column];

                // Mean: (n + 3) u of the mean magnitude. Variance: (2n + 12) u of the mean square, whichever way it is summed; half of that, relative, in its root.
                double variation = (((2 * n) + 12) * Values.U * square / (variance + 1e-5) / 2) + (4 * Values.U);
                double error = (((n + 8) * Values.U * magnitude) + (4 * Values.U * Math.Abs(x[row, column]))) * inverse;
                error += Math.Abs(normalized) * variation;
                error += 2 * t * (Math.Abs(normalized) + (Math.Abs(mean) * inverse)); // features over partitions: x / deviation is rounded before the mean is taken off
                error = (error * Math.Abs(parameters[0, column])) + (t * Math.Abs(scaled)) + (t * Math.Abs(exact));
                return (exact, (Slack * error) + Values.SmallestOf(type));
            });
        }
    }

    [Theory]
    [MemberData(nameof(MachinesAndTypes))]
    public void Rotation_turns_pairs_of_features_by_the_angles_of_their_token(string machine, DataType type)
    {
        // A row of heads per partition in two tiles; and one token whose heads are dealt to partitions.
        foreach ((int rows, int heads) in new[] { (150, 3), (1, 8), (5, 6) })
        {
            const int Dimension = 64, Half = Dimension / 2;
            var op = new Rope("rope", rows, heads * Dimension, Dimension) { Type = type };
            Matrix x = Values.Random(rows, heads * Dimension, 5, type), table = Table(rows, Dimension, type);
            double t = Values.UnitOf(type);
            Values.Within(Values.Run(op, KernelRuns.Machine(machine), x, table), (row, column) =>
            {
                int feature = column % Dimension, pair = feature % Half;
                double own = (double)x[row, column] * table[row, pair];
                double other = (feature < Half ? -(double)x[row, column + Half] : x[row, column - Half]) * table[row, Half + pair];

                // Two products and a sum, each rounded to the type.
                return (own + other, (Slack * ((t * (Math.Abs(own) + Math.Abs(other))) + (t * Math.Abs(own + other)))) + Values.SmallestOf(type));
            });
        }
    }

    [Theory]
    [MemberData(nameof(MachinesAndTypes))]
    public void Softmax_of_a_row_in_one_piece_and_in_several(string machine, DataType type)
    {
        // 130,000 columns exceed a partition in every type, so the row is read twice in pieces with a running maximum.
        foreach ((int rows, int columns) in new[] { (200, 500), (2, 130_000) })
        {
            var op = new Softmax("softmax", rows, columns) { Type = type };
            Matrix x = Values.Random(rows, columns, 6, type, 10);
            double[] largest = Rows(x, values => values.Max()), sums = Rows(x, SumOfExponentials);
            double t = Values.UnitOf(type);
            Values.Within(Values.Run(op, KernelRuns.Machine(machine), x), (row, column) =>
            {
                double exact = Math.Exp(x[row, column] - largest[row]) / sums[row];

                // x - max is rounded (range 20), so is its exponential; the sum of n positive terms, rescaled once a piece (40 pieces at most); 1 / sum; exponential and result rounded to the type.
                double relative = Slack * ((((columns < 1000 ? columns : 4096 + (3 * 40)) + (20 * 2) + 8) * Values.U) + (2 * t));
                return (exact, (relative * exact) + (3 * Values.SmallestOf(type)));
            });
        }
    }

    [Theory]
    [MemberData(nameof(MachinesAndTypes))]
    public void Elementwise_functions_are_the_functions(string machine, DataType type)
    {
        foreach (ElementwiseFunction function in Enum.GetValues<ElementwiseFunction>())
        {
            // 9 x 1,111 = 9,999 elements: 126 partitions of 79, and a rest of 45 in one more.
            var op = new Elementwise("function", function, 9, 1111) { Type = type };
            Matrix a = Values.Random(9, 1111, 7, type, 6), b = Values.Random(9, 1111, 8, type);
            double t = Values.UnitOf(type);
            Matrix result = Values.Run(op, KernelRuns.Machine(machine), op.Binary ? [a, b] : [a]);

            // The function rounded to fp32 and to the type, and the product once more.
            Values.Within(result, (row, column) =>
            {
                double exact = Function(function, a[row, column], b[row, column]);
                return (exact, (Slack * 2 * (t + Values.U) * Math.Abs(exact)) + (2 * Values.SmallestOf(type)));
            });
        }
    }

    [Theory]
    [MemberData(nameof(MachinesAndTypes))]
    public void Appended_keys_and_values_and_gathered_rows_are_copies(string machine, DataType type)
    {
        Accelerator core = KernelRuns.Machine(machine);
        Matrix keys = Values.Random(150, 96, 9, type), values = Values.Random(150, 96, 10, type);
        Matrix[] appended = Values.RunAll(Values.Lower(new KvAppend("append", 150, 96) { Type = type }, core), core, keys, values);
        appended[0].Values.SequenceEqual(keys.Values).Should().BeTrue();
        appended[1].Values.SequenceEqual(values.Values).Should().BeTrue();

        Matrix table = Values.Random(1000, 96, 11, type), indices = Matrix.From(300, 1, (row, _) => row * 7919 % 1000);
        Matrix gathered = Values.Run(new Embedding("embedding", 300, 96, 1000) { Type = type }, core, table, indices);
        Values.Within(gathered, (row, column) => (table[(int)indices[row, 0], column], 0));
    }

    [Fact]
    public void Gradients_scattered_into_a_table_are_added_across_tiles()
    {
        // Rows 0 and 128 are of one token: the second tile gathers what the first scattered.
        var op = new Embedding("embedding", 200, 32, 1000, Backward: true) { Type = DataType.Fp32 };
        Accelerator core = KernelRuns.Machine("trn2-core");
        Matrix gradient = Values.Random(200, 32, 12, op.Type), table = Values.Random(1000, 32, 13, op.Type), indices = Matrix.From(200, 1, (row, _) => row % 128);

        Matrix result = Values.RunAll(Values.Lower(op, core), core, gradient, table, indices)[0];

        Values.Within(result, (row, column) =>
        {
            double exact = table[row, column] + (row < 128 ? gradient[row, column] : 0) + (row < 72 ? gradient[row + 128, column] : 0);
            return (exact, 3 * Values.U * 3);
        });
    }

    [Fact]
    public void An_index_outside_the_table_is_an_error()
    {
        var op = new Embedding("embedding", 4, 32, 10);

        FluentActions.Invoking(() => Values.Run(op, KernelRuns.Machine("trn2-core"), new Matrix(10, 32), Matrix.From(4, 1, (row, _) => row * 5)))
            .Should().Throw<InvalidOperationException>().WithMessage("embedding: partition 2 of indices (tile 0) holds index 10, expected a row of table: 0 to 9.");
    }

    private static double Function(ElementwiseFunction function, double a, double b) => function switch
    {
        ElementwiseFunction.Add => a + b,
        ElementwiseFunction.Multiply => a * b,
        ElementwiseFunction.Relu => Math.Max(a, 0),
        ElementwiseFunction.Gelu => a * Normal(a),
        ElementwiseFunction.Silu => a / (1 + Math.Exp(-a)),
        ElementwiseFunction.Tanh => Math.Tanh(a),
        ElementwiseFunction.GatedRelu => Math.Max(a, 0) * b,
        ElementwiseFunction.GatedGelu => a * Normal(a) * b,
        _ => a / (1 + Math.Exp(-a)) * b,
    };

    /// <summary>The normal distribution by Simpson's rule, from -40 in the lower half so that the tail keeps its relative accuracy.</summary>
    private static double Normal(double x)
    {
        const int Steps = 2000;
        double from = x < 0 ? x - 12 : 0, width = (x - from) / Steps, sum = 0;
        for (int i = 0; i <= Steps; i++)
        {
            double at = from + (i * width);
            sum += Math.Exp(-0.5 * at * at) * (i is 0 or Steps ? 1 : i % 2 == 0 ? 2 : 4);
        }

        return (x < 0 ? 0 : 0.5) + (sum * width / 3 / Math.Sqrt(2 * Math.PI));
    }

    internal static Matrix Table(int rows, int dimension, DataType type, int first = 0) => Matrix.From(rows, dimension, (row, column) =>
    {
        double angle = (row + first) * Math.Pow(10_000, -2.0 * (column % (dimension / 2)) / dimension);
        return (float)(column < dimension / 2 ? Math.Cos(angle) : Math.Sin(angle));
    }).Rounded(type);

    private static double[] Rows(Matrix x, Func<float[], double> function) => [.. Enumerable.Range(0, x.Rows).Select(row => function(x.Row(row).ToArray()))];

    private static double Mean(float[] values, Func<double, double> function) => values.Sum(value => function(value)) / values.Length;

    private static double SumOfExponentials(float[] values)
    {
        double largest = values.Max();
        return values.Sum(value => Math.Exp(value - largest));
    }
}
