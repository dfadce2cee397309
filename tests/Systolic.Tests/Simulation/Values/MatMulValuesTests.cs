using CsCheck;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Kernels;
using Systolic.Workloads;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Simulation.Values;

public class MatMulValuesTests
{
    private static readonly DataType[] Types = [DataType.Bf16, DataType.Fp32, DataType.Fp8E4M3, DataType.Fp16];

    private static readonly Gen<MatMul> Products =
        from m in Gen.Int[1, 300]
        from k in Gen.Int[1, 600]
        from n in Gen.Int[1, 700]
        from batch in Gen.Int[1, 2]
        from left in Gen.Bool
        from right in Gen.Bool
        from bias in Gen.Bool
        from type in Gen.Int[0, 3].Select(i => Types[i])
        select new MatMul("product", m, k, n, batch, left, right, bias) { Type = type, OutputType = type };

    [Theory]
    [InlineData(DataType.Bf16)]
    [InlineData(DataType.Fp16)]
    [InlineData(DataType.Fp32)]
    [InlineData(DataType.Tf32)]
    [InlineData(DataType.Fp8E4M3)]
    [InlineData(DataType.Fp8E5M2)]
    [InlineData(DataType.Int8)]
    public void Every_bit_of_a_product_is_that_of_the_register_level_array(DataType type)
    {
        // 3 x 3 x 1 folds of 128 x 128, ragged in every dimension; one block, so that PSUM adds the folds of K in order, as the array's accumulator does.
        // int8: sums below 300 x 100 x 100 = 3e6 are exact in fp32 and int32 alike.
        double scale = type == DataType.Int8 ? 100 : 1;
        Matrix a = Values.Random(300, 290, 1, type, scale), b = Values.Random(290, 270, 2, type, scale);
        var op = new MatMul("product", 300, 290, 270) { Type = type, OutputType = DataType.Fp32 };
        Program program = MatMulKernel.Write(op, KernelRuns.Machine("trn1-core"), new MatMulMapping(300, 270, 290, true, 2), values: true);

        Matrix product = Values.RunAll(program, KernelRuns.Machine("trn1-core"), a, b)[0];

        Matrix expected = RegisterArray.Multiply(new ArraySpec(128, 128, Dataflow.WeightStationary), a, b, type).Output;
        product.Values.SequenceEqual(expected.Values).Should().BeTrue();
    }

    [Fact]
    public void Random_products_are_within_the_error_bound_of_their_accumulation_order_on_every_machine() =>
        Gen.Select(Products, Gen.Int[0, 2].Select(i => KernelRuns.Machines[i]), Gen.Int[0, 1_000_000]).Sample((op, machine, seed) =>
        {
            Matrix[] inputs = [.. op.Reads.Select((tensor, i) => Values.Random((int)(tensor.Shape.Rows * tensor.Shape.Batch), (int)tensor.Shape.Columns, seed + i, op.Type))];
            AssertBound(op, inputs, Values.Run(op, machine, inputs));
        }, iter: 25);

    [Theory]
    [InlineData(DataType.Fp32)]
    [InlineData(DataType.Bf16)]
    public void Cancelling_sums_are_within_the_bound_and_reach_a_ten_thousandth_of_it(DataType type)
    {
        // Every row holds x, -x in pairs far apart, the large ones first: the exact sums are far below the terms, so relative errors are large and only the bound on |a||b| holds.
        var op = new MatMul("cancelling", 64, 512, 64, LeftTransposed: true) { Type = type, OutputType = DataType.Fp32 };
        Matrix half = Values.Random(256, 64, 3, type, 1000), ones = Values.Random(256, 64, 4, type);
        Matrix a = Matrix.From(512, 64, (k, m) => k < 256 ? half[k, m] : -half[k - 256, m]);
        Matrix b = Matrix.From(512, 64, (k, n) => ones[k % 256, n] * (k % 97 == 0 ? 1 + (float)Values.UnitOf(type) * 2 : 1)).Rounded(type);

        Matrix product = Values.Run(op, KernelRuns.Machine("trn2-core"), a, b);

        AssertBound(op, [a, b], product);
        double worst = 0;
        for (int m = 0; m < 64; m++)
        {
            for (int n = 0; n < 64; n++)
            {
                (double exact, double magnitude) = Exact(op, [a, b], 0, m, n);
                worst = Math.Max(worst, Math.Abs(product[m, n] - exact) / (Values.Gamma(Roundings(op)) * magnitude));
            }
        }

        worst.Should().BeGreaterThan(1e-4, "the bound says something");
    }

    [Fact]
    public void Blocks_in_all_three_dimensions_with_partial_sums_in_the_scratchpad_add_up()
    {
        // 2 x 3 blocks of M and N, 4 of K: sums of the blocks of K are added in SBUF.
        var op = new MatMul("blocked", 400, 500, 1300, Bias: true) { Type = DataType.Bf16, OutputType = DataType.Fp32 };
        foreach (Accelerator machine in KernelRuns.Machines)
        {
            Program program = MatMulKernel.Write(op, machine, new MatMulMapping(256, 512, 128, false, 2), values: true);
            Matrix[] inputs = [Values.Random(400, 500, 5, op.Type), Values.Random(500, 1300, 6, op.Type), Values.Random(1, 1300, 7, op.Type)];

            AssertBound(op, inputs, Values.RunAll(program, machine, inputs)[0]);
        }
    }

    [Fact]
    public void A_program_that_lost_its_waits_computes_something_else_in_some_order()
    {
        var op = new MatMul("careless", 256, 512, 512);
        Accelerator machine = KernelRuns.Machine("trn1-core");
        Program careful = Values.Lower(op, machine);
        Matrix[] inputs = [Values.Random(256, 512, 8, op.Type), Values.Random(512, 512, 9, op.Type)];

        var careless = Values.WithoutWaits(careful, StreamId.Tensor);

        FluentActions.Invoking(() => Values.Execute(careless, ExecutionOrder.Eager(StreamId.Tensor), inputs)).Should().Throw<InvalidOperationException>().WithMessage("careless: tensor instruction * reads what nothing wrote: partition * of * (tile *");
        Values.Execute(careless, ExecutionOrder.Written, inputs)[0].Values.SequenceEqual(Values.Execute(careful, ExecutionOrder.Written, inputs)[0].Values).Should().BeTrue();
    }

    [Fact]
    public void A_program_written_for_timing_only_is_refused()
    {
        Program program = KernelLibrary.Lower(new MatMul("product", 8, 8, 8), KernelRuns.Machine("trn2-core")).Passes.First().Program;

        FluentActions.Invoking(() => Interpreter.Run(program, new Dictionary<string, Matrix>())).Should().Throw<NotSupportedException>().WithMessage("product: *values: true*");
    }

    [Theory]
    [InlineData("left", 8, 8, "found no input \"right\", expected \"left\" (8x8), \"right\" (8x8)")]
    [InlineData("left", 8, 9, "found input \"left\" of 8x9, expected 8x8")]
    public void Inputs_that_do_not_match_are_refused(string name, int rows, int columns, string message)
    {
        Program program = Values.Lower(new MatMul("product", 8, 8, 8), KernelRuns.Machine("trn2-core"));

        FluentActions.Invoking(() => Interpreter.Run(program, new Dictionary<string, Matrix> { [name] = new Matrix(rows, columns) })).Should().Throw<ArgumentException>().WithMessage($"product: {message}*");
    }

    [Fact]
    public void An_input_too_many_is_refused()
    {
        Program program = Values.Lower(new MatMul("product", 8, 8, 8), KernelRuns.Machine("trn2-core"));
        var inputs = new Dictionary<string, Matrix> { ["left"] = new Matrix(8, 8), ["right"] = new Matrix(8, 8), ["bias"] = new Matrix(1, 8) };

        FluentActions.Invoking(() => Interpreter.Run(program, inputs)).Should().Throw<ArgumentException>().WithMessage("product: found input \"bias\", expected \"left\" (8x8), \"right\" (8x8).*");
    }

    /// <summary>|computed - exact| &lt;= gamma(n) sum |a||b| (+ |bias|) + the output's rounding, n the roundings that a term passes.</summary>
    /// <remarks>
    /// A product of two inputs is added by a fused multiply-add, so it is rounded with the sum: at most 256 of them down a column (128 cells, two rows each in fp8).
    /// The column's sum is added to PSUM, and PSUM to the sums in SBUF: at most one addition per 128 rows of K in all. The bias is one more (Higham, 3.1 and 3.4).
    /// </remarks>
    private static void AssertBound(MatMul op, Matrix[] inputs, Matrix product)
    {
        double unit = Values.UnitOf(op.OutputType), gamma = Values.Gamma(Roundings(op));
        Values.Within(product, (row, n) =>
        {
            (double exact, double magnitude) = Exact(op, inputs, row / (int)op.M, row % (int)op.M, n);
            double inner = (gamma * magnitude) + (1e-14 * magnitude);
            return (exact, inner + (unit * (Math.Abs(exact) + inner)) + Values.SmallestOf(op.OutputType));
        });
    }

    private static double Roundings(MatMul op) => Math.Min(op.K, 256) + Math.Ceiling(op.K / 128.0) + 1;

    private static (double Sum, double Magnitude) Exact(MatMul op, Matrix[] inputs, int batch, int m, int n)
    {
        (int k0, int m0, int n0) = (batch * (int)op.K, batch * (int)op.M, batch * (int)op.N);
        double sum = op.Bias ? inputs[2][batch, n] : 0, magnitude = Math.Abs(sum);
        for (int k = 0; k < op.K; k++)
        {
            double a = op.LeftTransposed ? inputs[0][k0 + k, m] : inputs[0][m0 + m, k];
            double b = op.RightTransposed ? inputs[1][n0 + n, k] : inputs[1][k0 + k, n];
            (sum, magnitude) = (sum + (a * b), magnitude + Math.Abs(a * b));
        }

        return (sum, magnitude);
    }
}
