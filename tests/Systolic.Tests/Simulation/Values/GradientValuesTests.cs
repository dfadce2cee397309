using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Tests.Kernels;
using Systolic.Workloads;

namespace Systolic.Tests.Simulation.Values;

/// <summary>Kernels of the backward pass and the optimizer against their definition in double precision.</summary>
public class GradientValuesTests
{
    [Theory]
    [InlineData("trn1-core", DataType.Fp32, 300, 200)]
    [InlineData("trn2-core", DataType.Bf16, 300, 200)]
    [InlineData("trn2-core", DataType.Bf16, 4, 60_000)]
    public void Softmax_backward_is_y_times_dy_less_their_sum(string machine, DataType type, int rows, int columns)
    {
        var op = new Softmax("softmax", rows, columns, Backward: true) { Type = type };
        Matrix dy = Values.Random(rows, columns, 1, type), y = Values.Random(rows, columns, 2, type, 2.0 / columns);
        double t = Values.UnitOf(type);
        var sums = new (double Sum, double Magnitude)[rows];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                double product = (double)y[row, column] * dy[row, column];
                sums[row] = (sums[row].Sum + product, sums[row].Magnitude + Math.Abs(product));
            }
        }

        // Products are rounded to the type and summed in order; dy - sum and its product with y are rounded to the type.
        Values.Within(Values.Run(op, KernelRuns.Machine(machine), dy, y), (row, column) =>
        {
            double difference = dy[row, column] - sums[row].Sum, exact = difference * y[row, column];
            double error = ((t + Values.Gamma(columns + 20)) * sums[row].Magnitude) + (t * Math.Abs(difference));
            return (exact, 1.01 * ((error * Math.Abs(y[row, column])) + (t * Math.Abs(exact))) + Values.SmallestOf(type));
        });
    }

    [Theory]
    [InlineData("trn1-core", DataType.Fp32, 300, 200)]
    [InlineData("trn2-core", DataType.Bf16, 130, 9000)] // three pieces
    [InlineData("trn3-core", DataType.Bf16, 100, 140_000)] // 100 x 140,000 addresses are exact in fp32
    [InlineData("trn2-core", DataType.Fp32, 70, 300_000)] // 70 x 300,000 are not: three gathers of 32 labels
    public void Cross_entropy_is_the_logarithm_of_the_sum_less_the_label_and_its_gradient(string machine, DataType type, int rows, int columns)
    {
        var op = new CrossEntropy("loss", rows, columns) { Type = type };
        Accelerator core = KernelRuns.Machine(machine);
        Matrix x = Values.Random(rows, columns, 1, type, 8);
        var random = new Random(2);
        Matrix labels = Matrix.From(rows, 1, (row, _) => row == 0 ? columns - 1 : random.Next(columns));
        var facts = new (double Largest, double Sum)[rows];
        for (int row = 0; row < rows; row++)
        {
            double largest = x.Row(row).ToArray().Max();
            facts[row] = (largest, x.Row(row).ToArray().Sum(value => Math.Exp(value - largest)));
        }

        Matrix[] results = Values.RunAll(Values.Lower(op, core), core, x, labels);

        // The sum: x - max rounded (range 16), its exponential, at most 4,096 positive terms in order and three roundings a piece.
        double t = Values.UnitOf(type), pieces = Math.Ceiling(columns / 4096.0), sum = Values.Gamma(16 + 4 + Math.Min(columns, 4096) + (3 * pieces));
        Values.Within(results[0], (row, column) =>
        {
            // The exponential as before and rounded to the type, 1 / sum, the product, and the result rounded to the type.
            double p = Math.Exp(x[row, column] - facts[row].Largest) / facts[row].Sum, exact = p - (labels[row, 0] == column ? 1 : 0);
            return (exact, (1.01 * ((p * (sum + (24 * Values.U) + t)) + ((t + Values.U) * Math.Abs(exact)))) + (2 * Values.SmallestOf(type)));
        });
        Values.Within(results[1], (row, _) =>
        {
            // An error of the sum moves its logarithm by as much; the function and two sums are rounded.
            double log = Math.Log(facts[row].Sum), whole = log + facts[row].Largest, exact = whole - x[row, (int)labels[row, 0]];
            return (exact, 1.01 * (sum + (Values.U * (log + Math.Abs(whole) + Math.Abs(exact)))));
        });
    }

    [Theory]
    [InlineData("trn1-core", DataType.Fp32, NormFunction.Rms, 300, 200)]
    [InlineData("trn2-core", DataType.Bf16, NormFunction.Rms, 300, 5000)]
    [InlineData("trn1-core", DataType.Fp32, NormFunction.Layer, 200, 1100)]
    [InlineData("trn2-core", DataType.Bf16, NormFunction.Layer, 130, 300)]
    [InlineData("trn2-core", DataType.Bf16, NormFunction.Layer, 130, 2500)] // too wide for sums as rows
    public void Norm_backward_is_the_gradient_of_the_norm(string machine, DataType type, NormFunction function, int rows, int columns)
    {
        var op = new Norm("norm", function, rows, columns, Backward: true) { Type = type };
        bool layer = function == NormFunction.Layer;
        Accelerator core = KernelRuns.Machine(machine);
        Matrix dy = Values.Random(rows, columns, 3, type), x = Values.Random(rows, columns, 4, type), parameters = Values.Random(layer ? 2 : 1, columns, 5, type);
        double unit = Values.UnitOf(type), n = columns;
        var normalized = new double[rows, columns];
        var facts = new (double Inverse, double MeanT, double MeanTn, double SizeT, double SizeTn)[rows];
        for (int row = 0; row < rows; row++)
        {
            double mean = 0, square = 0;
            for (int column = 0; column < columns; column++)
            {
                (mean, square) = (mean + (x[row, column] / n), square + ((double)x[row, column] * x[row, column] / n));
            }

            mean = layer ? mean : 0;
            double inverse = 1 / Math.Sqrt(square - (mean * mean) + 1e-5);
            facts[row].Inverse = inverse;
            for (int column = 0; column < columns; column++)
            {
                normalized[row, column] = (x[row, column] - mean) * inverse;
                double t = (double)dy[row, column] * parameters[0, column], product = t * normalized[row, column];
                facts[row] = (inverse, facts[row].MeanT + (layer ? t / n : 0), facts[row].MeanTn + (product / n), facts[row].SizeT + (layer ? Math.Abs(t) / n : 0), facts[row].SizeTn + (Math.Abs(product) / n));
            }
        }

        Matrix[] results = Values.RunAll(Values.Lower(op, core), core, dy, x, parameters);

        // n has the error of the forward pass: (2n + 20) u and a rounding to the type, of at most 2 in magnitude here. t, t n and the sums carry 3 roundings to the type, n (mean) two more, and the difference one.
        double forward = (((2 * n) + 40) * Values.U) + unit;
        Values.Within(results[0], (row, column) =>
        {
            (double inverse, double meanT, double meanTn, double sizeT, double sizeTn) = facts[row];
            double t = (double)dy[row, column] * parameters[0, column], own = Math.Abs(normalized[row, column]);
            double exact = (t - meanT - (normalized[row, column] * meanTn)) * inverse;
            double error = (Math.Abs(t) * ((2 * unit) + forward)) + (sizeT * ((2 * unit) + forward)) + ((own + 2) * sizeTn * ((4 * unit) + (3 * forward))) + (Math.Abs(meanTn) * 4 * forward);
            return (exact, (error * inverse) + (unit * Math.Abs(exact)) + Values.SmallestOf(type));
        });

        // dy n is rounded to the type; the sum over rows is a product with ones in fp32.
        Values.Within(results[1], (vector, column) =>
        {
            (double exact, double size) = (0, 0);
            for (int row = 0; row < rows; row++)
            {
                double term = vector == 0 ? dy[row, column] * normalized[row, column] : dy[row, column];
                (exact, size) = (exact + term, size + (vector == 0 ? Math.Abs(dy[row, column]) * (2 + Math.Abs(normalized[row, column])) : Math.Abs(term)));
            }

            return (exact, (size * ((vector == 0 ? unit + forward : 0) + Values.Gamma(rows + 4))) + (unit * Math.Abs(exact)));
        });
    }

    [Theory]
    [InlineData("trn1-core")]
    [InlineData("trn3-core")]
    public void AdamW_moves_weights_against_the_corrected_moments(string machine)
    {
        const double Rate = 1e-3, Beta1 = 0.9, Beta2 = 0.999;
        var op = new AdamW("step", 90, 333);
        Accelerator core = KernelRuns.Machine(machine);
        Matrix gradient = Values.Random(90, 333, 6, op.Type), weights = Values.Random(90, 333, 7, DataType.Fp32), first = Values.Random(90, 333, 8, DataType.Fp32, 0.1);
        Matrix second = Matrix.From(90, 333, (row, column) => 0.01f + (first[row, column] * first[row, column]));

        Matrix[] results = Values.RunAll(Values.Lower(op, core), core, gradient, weights, first, second);

        // Weights in bf16, then master weights and moments in fp32; the constants are rounded to fp32, beta2's complement to 2^-14 of itself (1 - 0.999f).
        double Moment(int row, int column) => (Beta1 * first[row, column]) + ((1 - Beta1) * gradient[row, column]);
        double Square(int row, int column) => (Beta2 * second[row, column]) + ((1 - Beta2) * gradient[row, column] * gradient[row, column]);
        double Weight(int row, int column) => ((1 - (Rate * 0.01)) * weights[row, column]) - (Rate * (Moment(row, column) / (1 - Beta1)) / Math.Sqrt(Square(row, column) / (1 - Beta2)));
        Values.Within(results[2], (row, column) => (Moment(row, column), 8 * Values.U));
        Values.Within(results[3], (row, column) => (Square(row, column), 1e-6));
        Values.Within(results[1], (row, column) => (Weight(row, column), 4 * Values.U));
        Values.Within(results[0], (row, column) => (Weight(row, column), (Values.UnitOf(DataType.Bf16) * Math.Abs(Weight(row, column))) + (5 * Values.U)));
    }
}
