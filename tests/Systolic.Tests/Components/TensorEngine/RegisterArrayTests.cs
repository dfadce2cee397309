using CsCheck;
using Systolic.Components;
using Systolic.Numerics;

namespace Systolic.Tests.Components;

/// <summary>Values that flow through the cells: bit for bit those of the scalar model, and within the bound that the order of additions implies.</summary>
public class RegisterArrayTests
{
    private static readonly DataType[] Types =
        [DataType.Fp32, DataType.Tf32, DataType.Bf16, DataType.Fp16, DataType.Fp8E4M3, DataType.Fp8E5M2, DataType.Int8];

    private static readonly Gen<(ArraySpec Array, TileShape Shape, int Seed)> Cases =
        from rows in Gen.Frequency((1, Gen.Const(1)), (2, Gen.Int[1, 15]), (4, Gen.Int[16, 50]))
        from columns in Gen.Frequency((1, Gen.Const(1)), (4, Gen.Int[1, 50]))
        from dataflow in Gen.Enum<Dataflow>()
        from overlap in Gen.Enum<FoldOverlap>()
        from m in Extent
        from k in Extent
        from n in Extent
        from seed in Gen.Int[0, 1 << 20]
        select (new ArraySpec(rows, columns, dataflow, overlap), new TileShape(m, k, n), seed);

    private static Gen<int> Extent => Gen.Frequency((1, Gen.Const(1)), (5, Gen.Int[1, 90]));

    public static TheoryData<DataType> AllTypes => [.. Types];

    [Theory]
    [InlineData(Dataflow.WeightStationary)]
    [InlineData(Dataflow.OutputStationary)]
    [InlineData(Dataflow.InputStationary)]
    public void Two_by_two_product_by_hand(Dataflow dataflow)
    {
        // [1 2; 3 4] x [5 6; 7 8] = [1x5 + 2x7, 1x6 + 2x8; 3x5 + 4x7, 3x6 + 4x8] = [19 22; 43 50]
        Matrix a = Matrix.From(2, 2, (i, j) => 1 + (2 * i) + j);
        Matrix b = Matrix.From(2, 2, (i, j) => 5 + (2 * i) + j);

        RegisterArray.Multiply(new ArraySpec(2, 2, dataflow), a, b, DataType.Bf16).Output.Values.ToArray().Should().Equal(19, 22, 43, 50);
    }

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void Every_bit_equals_the_scalar_model(DataType type) =>
        Cases.Sample(
            test =>
            {
                (Matrix a, Matrix b) = Operands(test.Shape, test.Seed, type);
                (_, Matrix expected) = ScalarArray.Run(test.Array, a, b, type);
                ArrayProduct product = RegisterArray.Multiply(test.Array, a, b, type);
                Bits(product.Output).Should().Equal(Bits(expected));
                product.Cycles.Should().Be(ClosedForm.Cost(test.Array, test.Shape).Total);
            },
            iter: 25,
            threads: 2);

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void The_error_is_within_the_bound_of_the_order_of_additions(DataType type) =>
        Cases.Sample(test => CheckError(test.Array, test.Shape, test.Seed, type), iter: 25, threads: 2);

    [Theory]
    [InlineData(Dataflow.WeightStationary, FoldOverlap.None)]
    [InlineData(Dataflow.WeightStationary, FoldOverlap.BackgroundLoad)]
    [InlineData(Dataflow.OutputStationary, FoldOverlap.None)]
    [InlineData(Dataflow.OutputStationary, FoldOverlap.BackgroundLoad)]
    [InlineData(Dataflow.InputStationary, FoldOverlap.BackgroundLoad)]
    public void A_large_array_is_within_the_bound_and_on_time(Dataflow dataflow, FoldOverlap overlap)
    {
        var array = new ArraySpec(128, 128, dataflow, overlap);
        var shape = new TileShape(300, 290, 200);

        CheckError(array, shape, 1, DataType.Bf16);
        RegisterArray.Multiply(array, new Matrix(300, 290), new Matrix(290, 200), DataType.Bf16).Cycles.Should().Be(ClosedForm.Cost(array, shape).Total);
    }

    [Fact]
    public void Int8_sums_are_exact_and_wrap_beyond_int32()
    {
        // 127 x 127 = 16129; 2 sums of 32258. Beyond int32: 140000 x 16384 = 2293760000 = 2^31 + 146276352, which wraps to 146276352 - 2^31 = -2001207296.
        Matrix small = RegisterArray.Multiply(new ArraySpec(2, 2, Dataflow.WeightStationary), Constant(1, 2, 127), Constant(2, 1, 127), DataType.Int8).Output;
        Matrix large = RegisterArray.Multiply(
            new ArraySpec(1, 1, Dataflow.OutputStationary), Constant(1, 140000, -128), Constant(140000, 1, -128), DataType.Int8).Output;

        small[0, 0].Should().Be(32258);
        large[0, 0].Should().Be(-2001207296f);
    }

    [Fact]
    public void Folds_along_k_are_added_in_order()
    {
        // One row of cells, so each K is a fold: fp32 sums 2^24 + 1 = 2^24 (tie to even), + 1 = 2^24. From the other end: 1 + 1 + 2^24 = 2^24 + 2.
        var array = new ArraySpec(1, 1, Dataflow.WeightStationary);
        Matrix ones = Constant(3, 1, 1);

        RegisterArray.Multiply(array, Matrix.From(1, 3, (_, k) => k == 0 ? 1 << 24 : 1), ones, DataType.Fp32).Output[0, 0].Should().Be(1 << 24);
        RegisterArray.Multiply(array, Matrix.From(1, 3, (_, k) => k == 2 ? 1 << 24 : 1), ones, DataType.Fp32).Output[0, 0].Should().Be((1 << 24) + 2);
    }

    [Fact]
    public void Infinite_values_stay_in_their_own_outputs()
    {
        // Row 0 of A and nothing else is infinite: row 0 of O is infinite, the others are finite, whatever unused cells compute.
        foreach (Dataflow dataflow in Enum.GetValues<Dataflow>())
        {
            foreach (FoldOverlap overlap in Enum.GetValues<FoldOverlap>())
            {
                Matrix a = Matrix.From(3, 5, (m, _) => m == 0 ? float.PositiveInfinity : 1);
                Matrix output = RegisterArray.Multiply(new ArraySpec(2, 4, dataflow, overlap), a, Constant(5, 6, 2), DataType.Bf16).Output;
                output.Row(0).ToArray().Should().OnlyContain(value => float.IsPositiveInfinity(value));
                output.Values[6..].ToArray().Should().OnlyContain(value => value == 10);
            }
        }
    }

    [Fact]
    public void Extents_that_do_not_match_are_an_error()
    {
        Action multiply = () => RegisterArray.Multiply(new ArraySpec(2, 2, Dataflow.WeightStationary), new Matrix(2, 3), new Matrix(4, 2), DataType.Bf16);

        multiply.Should().Throw<ArgumentException>().WithMessage("found A of 2x3 and B of 4x2, expected as many rows of B as columns of A*");
    }

    [Fact]
    public void Int32_operands_are_an_error()
    {
        Action multiply = () => RegisterArray.Multiply(new ArraySpec(2, 2, Dataflow.WeightStationary), new Matrix(2, 2), new Matrix(2, 2), DataType.Int32);

        multiply.Should().Throw<ArgumentException>().WithMessage("found int32 operands*");
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(1, 20000)]
    public void Impossible_arrays_are_an_error(int rows, int columns)
    {
        Action create = () => _ = new ArraySpec(rows, columns, Dataflow.WeightStationary);

        create.Should().Throw<ArgumentOutOfRangeException>();
    }

    // n roundings per term at most: one for each addition within a fold (K of the fold, the first to zero counted), and one for each fold added after
    // the first. The error of a sum of n roundings is at most n u / (1 - n u) times the sum of magnitudes, u = 2^-24, and half the smallest subnormal a rounding.
    private static void CheckError(ArraySpec array, TileShape shape, int seed, DataType type)
    {
        (Matrix a, Matrix b) = Operands(shape, seed, type);
        Matrix output = RegisterArray.Multiply(array, a, b, type).Output;
        (Matrix x, Matrix y) = (a.Rounded(type), b.Rounded(type));
        int chain = array.Dataflow == Dataflow.OutputStationary ? shape.K : Math.Min(shape.K, array.Rows);
        int folds = array.Dataflow == Dataflow.OutputStationary ? 1 : (shape.K + array.Rows - 1) / array.Rows;
        int roundings = chain + folds - 1;
        double unit = roundings * Math.Pow(2, -24);
        double bound = type == DataType.Int8 ? 0 : unit / (1 - unit);
        for (int m = 0; m < shape.M; m++)
        {
            for (int n = 0; n < shape.N; n++)
            {
                (double exact, double magnitude) = (0, 0);
                for (int k = 0; k < shape.K; k++)
                {
                    double product = (double)x[m, k] * y[k, n];
                    (exact, magnitude) = (exact + product, magnitude + Math.Abs(product));
                }

                // The double-precision sum itself is off by at most K 2^-53 of the magnitudes.
                double allowed = (magnitude * (bound + (shape.K * Math.Pow(2, -53)))) + (roundings * Math.Pow(2, -150));
                Math.Abs(output[m, n] - exact).Should().BeLessThanOrEqualTo(allowed);
            }
        }
    }

    private static (Matrix A, Matrix B) Operands(TileShape shape, int seed, DataType type)
    {
        var random = new Random(seed);
        float scale = type == DataType.Int8 ? 100 : 1;
        return (Values(shape.M, shape.K), Values(shape.K, shape.N));

        Matrix Values(int rows, int columns) => Matrix.From(rows, columns, (_, _) => scale * ((random.NextSingle() * 2) - 1));
    }

    private static Matrix Constant(int rows, int columns, float value) => Matrix.From(rows, columns, (_, _) => value);

    private static int[] Bits(Matrix matrix) => [.. matrix.Values.ToArray().Select(BitConverter.SingleToInt32Bits)];
}
