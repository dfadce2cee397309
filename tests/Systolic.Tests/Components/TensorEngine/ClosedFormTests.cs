using CsCheck;
using Systolic.Components;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Tests.Components;

/// <summary>The closed form equals the register level as records and in every cycle's occupancy; the register level equals the scalar model.</summary>
public class ClosedFormTests
{
    private static readonly Dataflow[] Dataflows = Enum.GetValues<Dataflow>();
    private static readonly FoldOverlap[] Overlaps = Enum.GetValues<FoldOverlap>();

    private static readonly Gen<(ArraySpec Array, TileShape Shape)> Cases =
        from rows in Gen.Frequency((1, Gen.Const(1)), (4, Gen.Int[1, 24]))
        from columns in Gen.Frequency((1, Gen.Const(1)), (4, Gen.Int[1, 40]))
        from dataflow in Gen.Enum<Dataflow>()
        from overlap in Gen.Enum<FoldOverlap>()
        from m in Extent
        from k in Extent
        from n in Extent
        select (new ArraySpec(rows, columns, dataflow, overlap), new TileShape(m, k, n));

    private static Gen<int> Extent => Gen.Frequency((1, Gen.Const(1)), (5, Gen.Int[1, 70]));

    [Fact]
    public void A_dataflow_of_ones_own_has_two_fidelities_that_agree_and_its_values_are_the_product() =>
        Cases.Sample(one =>
        {
            (ArraySpec array, TileShape shape) = one;
            TileCost cost = ClosedForm.Cost<Swapped>(array, shape);
            cost.Should().Be(RegisterArray.Measure<Swapped>(array, shape));
            cost.Should().Be(ClosedForm.Cost(new ArraySpec(array.Rows, array.Columns, Dataflow.OutputStationary, array.Overlap), new TileShape(shape.N, shape.K, shape.M)));

            Matrix a = Matrix.From(shape.M, shape.K, (m, k) => ((m + (2 * k)) % 5) - 2), b = Matrix.From(shape.K, shape.N, (k, n) => ((k * n) % 3) - 1);
            RegisterArray.Multiply<Swapped>(array, a, b, DataType.Fp32).Output.Values.ToArray().Should()
                .Equal(RegisterArray.Multiply(new ArraySpec(array.Rows, array.Columns, Dataflow.OutputStationary), a, b, DataType.Fp32).Output.Values.ToArray());
        }, iter: 60);

    [Fact]
    public void A_dataflow_whose_operands_do_not_fit_its_extents_is_refused()
    {
        Action run = () => RegisterArray.Multiply<Unfitting>(new ArraySpec(2, 2, Dataflow.OutputStationary), new Matrix(3, 4), new Matrix(4, 5), DataType.Fp32);

        run.Should().Throw<ArgumentException>().WithMessage("Unfitting: found a left operand of 3x4, expected 5x4 from its extents");
    }

    [Fact]
    public void Weight_stationary_loads_four_rows_streams_three_and_drains_six()
    {
        // 4x4 array, K = N = 4 fill it, M = 3 rows stream. Load 4. Row 0 takes its three elements in cycles 4-6; the last of them is in the
        // far corner (3, 3) six cycles later, in cycle 12: 13 cycles = 4 + 3 + 6. The far corner is first reached in cycle 10, so all 3 are fill.
        TileCost cost = ClosedForm.Cost(new ArraySpec(4, 4, Dataflow.WeightStationary), new TileShape(3, 4, 4));

        cost.Should().Be(new TileCost
        {
            Folds = 1,
            Load = new Cycles(4),
            Fill = new Cycles(3),
            Steady = Cycles.Zero,
            Drain = new Cycles(6),
            LeftReads = 12, // 3 x 4 of A
            TopReads = 16, // 4 x 4 of B
            BottomWrites = 12, // 3 x 4 of O
            ActiveCellCycles = 48, // 3 x 4 x 4
            CellCycles = 208, // 16 cells x 13 cycles
        });
        cost.Total.Should().Be(new Cycles(13));
    }

    [Fact]
    public void Output_stationary_four_cubed_takes_ten_cycles()
    {
        // k = 0..3 enter row 0 in cycles 0-3; the last meets in the far corner (3, 3) in cycle 3 + 6 = 9: 10 cycles.
        TileCost cost = ClosedForm.Cost(new ArraySpec(4, 4, Dataflow.OutputStationary), new TileShape(4, 4, 4));

        (cost.Load.Value, cost.Fill.Value, cost.Steady.Value, cost.Drain.Value, cost.Total.Value).Should().Be((0, 4, 0, 6, 10));
        (cost.LeftReads, cost.TopReads, cost.BottomWrites).Should().Be((16, 16, 16));
    }

    [Theory]
    // 5x7x6 on 2x3: K on rows gives ceil(7/2) = 4 row folds, N on columns ceil(6/3) = 2: 8 folds. Each 2 + 5 + (2 + 3 - 2) = 10, apart: 80.
    [InlineData(Dataflow.WeightStationary, FoldOverlap.None, 16, 24, 16, 24, 80, 70, 42, 120)]
    // Overlapped: load 2 once, 8 streams of max(5, 2) = 5, drain 3 once: 45; only the first 3 cycles are fill.
    [InlineData(Dataflow.WeightStationary, FoldOverlap.BackgroundLoad, 2, 3, 37, 3, 45, 70, 42, 120)]
    // M on rows: ceil(5/2) x ceil(6/3) = 6 folds of 7 + 3 = 10. A (35) for 2 column folds, B (42) for 3 row folds, O (30) once.
    [InlineData(Dataflow.OutputStationary, FoldOverlap.None, 0, 18, 24, 18, 60, 70, 126, 30)]
    // Overlapped: 6 streams of 7, drain 3.
    [InlineData(Dataflow.OutputStationary, FoldOverlap.BackgroundLoad, 0, 3, 39, 3, 45, 70, 126, 30)]
    // K on rows, M on columns: 4 x ceil(5/3) = 8 folds of 2 + 6 + 3 = 11. B (42) for 2 column folds, A (35) once, O (30) for 4 folds along K.
    [InlineData(Dataflow.InputStationary, FoldOverlap.None, 16, 24, 24, 24, 88, 84, 35, 120)]
    [InlineData(Dataflow.InputStationary, FoldOverlap.BackgroundLoad, 2, 3, 45, 3, 53, 84, 35, 120)]
    public void Five_by_seven_by_six_on_two_by_three(
        Dataflow dataflow, FoldOverlap overlap, int load, int fill, int steady, int drain, int total, int left, int top, int bottom)
    {
        TileCost cost = ClosedForm.Cost(new ArraySpec(2, 3, dataflow, overlap), new TileShape(5, 7, 6));

        (cost.Load.Value, cost.Fill.Value, cost.Steady.Value, cost.Drain.Value, cost.Total.Value).Should().Be((load, fill, steady, drain, total));
        (cost.LeftReads, cost.TopReads, cost.BottomWrites).Should().Be((left, top, bottom));
        cost.ActiveCellCycles.Should().Be(210);
    }

    [Fact]
    public void A_short_stream_waits_for_the_next_tile()
    {
        // 4x1 array, weights, M = 1, K = 8: two folds. Load 4; stream in cycle 4; the next tile loads in 4-7, three of them exposed; stream in 8; drain 3.
        TileCost cost = ClosedForm.Cost(new ArraySpec(4, 1, Dataflow.WeightStationary, FoldOverlap.BackgroundLoad), new TileShape(1, 8, 1));

        (cost.Load.Value, cost.Fill.Value, cost.Steady.Value, cost.Drain.Value).Should().Be((7, 1, 1, 3));
    }

    [Fact]
    public void Occupancy_rises_and_falls_along_the_diagonals()
    {
        // 2x3, weights, all cells used, M = 2: the two elements cover the diagonals 1 2 2 1, each a cycle after the other: 1 3 4 3 1, after 2 load cycles.
        var array = new ArraySpec(2, 3, Dataflow.WeightStationary);
        var shape = new TileShape(2, 2, 3);

        Enumerable.Range(-1, 9).Select(cycle => ClosedForm.ActiveCells(array, shape, cycle)).Should().Equal(0, 0, 0, 1, 3, 4, 3, 1, 0);
    }

    [Fact]
    public void Every_small_shape_on_every_small_array_equals_the_register_level()
    {
        long products = 0;
        var failures = new List<string>();
        Parallel.ForEach(SmallArrays(), array =>
        {
            foreach (TileShape shape in SmallShapes())
            {
                if (ClosedForm.Cost(array, shape) != RegisterArray.Measure(array, shape))
                {
                    lock (failures)
                    {
                        failures.Add($"{array}, {shape}");
                    }
                }

                Interlocked.Increment(ref products);
            }
        });
        failures.Should().BeEmpty();
        products.Should().Be(36 * 6 * 729); // arrays x (dataflows x overlaps) x shapes
    }

    [Fact]
    public void Random_products_equal_the_register_level_and_the_scalar_model() =>
        Cases.Sample(
            test =>
            {
                (ArraySpec array, TileShape shape) = test;
                TileCost cost = ClosedForm.Cost(array, shape);
                (ScalarArray scalar, _) = ScalarArray.Run(array, new Matrix(shape.M, shape.K), new Matrix(shape.K, shape.N), DataType.Fp32);
                RegisterArray.Measure(array, shape).Should().Be(cost);
                scalar.Cost.Should().Be(cost);
                scalar.Occupancy.Should().Equal(Enumerable.Range(0, (int)cost.Total.Value).Select(cycle => ClosedForm.ActiveCells(array, shape, cycle)));
            },
            iter: 60,
            threads: 2,
            seed: "0000KlvtpH5r");

    [Fact]
    public void Occupancy_equals_the_register_level_in_every_cycle() =>
        Cases.Sample(
            test =>
            {
                var observer = new OccupancyObserver([]);
                RegisterArray.Multiply(test.Array, new Matrix(test.Shape.M, test.Shape.K), new Matrix(test.Shape.K, test.Shape.N), DataType.Fp32, ref observer);
                observer.Active.Should().Equal(Enumerable.Range(0, observer.Active.Count).Select(cycle => ClosedForm.ActiveCells(test.Array, test.Shape, cycle)));
                ClosedForm.ActiveCells(test.Array, test.Shape, observer.Active.Count).Should().Be(0);
            },
            iter: 60,
            threads: 2,
            seed: "0000KlvtpH5r");

    [Fact]
    public void Small_products_equal_the_scalar_model()
    {
        foreach (ArraySpec array in SmallArrays().Where(array => array.Rows <= 3 && array.Columns <= 3))
        {
            foreach (TileShape shape in SmallShapes().Where(shape => shape.M % 3 == 1 && shape.K % 2 == 1 && shape.N % 2 == 1))
            {
                (ScalarArray scalar, _) = ScalarArray.Run(array, new Matrix(shape.M, shape.K), new Matrix(shape.K, shape.N), DataType.Fp32);
                if (scalar.Cost != ClosedForm.Cost(array, shape))
                {
                    Assert.Fail($"{array}, {shape}: {scalar.Cost} against {ClosedForm.Cost(array, shape)}");
                }
            }
        }
    }

    [Fact]
    public void Large_products_do_not_overflow()
    {
        // Weights on 128x128: 2^20 / 128 = 8192 folds each way, 2^26 in all, each 128 + 2^20 + 254.
        TileCost cost = ClosedForm.Cost(new ArraySpec(128, 128, Dataflow.WeightStationary), new TileShape(1 << 20, 1 << 20, 1 << 20));

        cost.Total.Value.Should().Be((1L << 26) * ((1 << 20) + 382));
    }

    [Fact]
    public void The_array_of_a_tensor_engine_keeps_weights_and_loads_in_the_background()
    {
        var engine = new TensorEngineSpec
        {
            Rows = 64,
            Columns = 32,
            Clock = Frequency.FromGigahertz(1),
            SustainedRate = Frequency.FromGigahertz(1),
            MaximumMoving = 512,
            MinimumInterval = 64,
            Fp32Passes = 4,
            Fp8RowsPerCell = 1,
            LoadColumnsPerCycle = 4,
            ResultLatency = default,
        };

        ArraySpec.Of(engine).Should().Be(new ArraySpec(64, 32, Dataflow.WeightStationary, FoldOverlap.BackgroundLoad));
    }

    private static IEnumerable<ArraySpec> SmallArrays() =>
        from rows in Enumerable.Range(1, 6)
        from columns in Enumerable.Range(1, 6)
        from dataflow in Dataflows
        from overlap in Overlaps
        select new ArraySpec(rows, columns, dataflow, overlap);

    private static IEnumerable<TileShape> SmallShapes() =>
        from m in Enumerable.Range(1, 9)
        from k in Enumerable.Range(1, 9)
        from n in Enumerable.Range(1, 9)
        select new TileShape(m, k, n);

    private readonly struct OccupancyObserver(List<long> active) : IArrayObserver
    {
        public static bool IsActive => true;

        public List<long> Active => active;

        public void Observe(ArrayState state) => active.Add(state.ActiveCells());
    }

    /// <summary>Output stationary with N on rows and M on columns.</summary>
    private readonly struct Swapped : IDataflow
    {
        public static bool SumsMove => false;

        public static ArrayExtents Extents(TileShape shape) => new(shape.N, shape.M, shape.K);

        public static MatrixView Left(Matrix a, Matrix b) => new(b, Transposed: true);

        public static MatrixView Top(Matrix a, Matrix b) => new(a, Transposed: true);

        public static MatrixView Output(Matrix output) => new(output, Transposed: true);

        public static EdgeCounts Edges(TileShape shape, in FoldPlan folds) =>
            new((long)shape.N * shape.K * folds.ColumnFolds, (long)shape.M * shape.K * folds.RowFolds, (long)shape.M * shape.N);
    }

    /// <summary>Names the extents of one dataflow and lays out the operands of another.</summary>
    private readonly struct Unfitting : IDataflow
    {
        public static bool SumsMove => false;

        public static ArrayExtents Extents(TileShape shape) => Swapped.Extents(shape);

        public static MatrixView Left(Matrix a, Matrix b) => new(a, Transposed: false);

        public static MatrixView Top(Matrix a, Matrix b) => new(b, Transposed: false);

        public static MatrixView Output(Matrix output) => new(output, Transposed: false);

        public static EdgeCounts Edges(TileShape shape, in FoldPlan folds) => default;
    }
}
