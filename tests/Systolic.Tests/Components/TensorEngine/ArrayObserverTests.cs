using Systolic.Components;
using Systolic.Numerics;

namespace Systolic.Tests.Components;

/// <summary>What an observer sees at ports and in registers.</summary>
public class ArrayObserverTests
{
    // A = [1 2; 3 4], B = [5 6; 7 8], O = [19 22; 43 50].
    private static readonly Matrix A = Matrix.From(2, 2, (i, j) => 1 + (2 * i) + j);
    private static readonly Matrix B = Matrix.From(2, 2, (i, j) => 5 + (2 * i) + j);

    [Fact]
    public void Weight_stationary_ports_carry_the_operands_skewed()
    {
        // Cycles 0, 1: rows of B, the bottom one first. Row 0 takes column 0 of A in cycles 2, 3; row 1 takes column 1 a cycle later.
        // O(m, n) leaves column n in cycle 2 + m + 1 + n.
        Observe(new ArraySpec(2, 2, Dataflow.WeightStationary)).Should().Equal(
            "0 Load left - - top 7 8 bottom - -",
            "1 Load left - - top 5 6 bottom - -",
            "2 Fill left 1 - top - - bottom - -",
            "3 Fill left 3 2 top - - bottom 19 -",
            "4 Drain left - 4 top - - bottom 43 22",
            "5 Drain left - - top - - bottom - 50");
    }

    [Fact]
    public void With_a_second_register_columns_load_one_after_another()
    {
        Observe(new ArraySpec(2, 2, Dataflow.WeightStationary, FoldOverlap.BackgroundLoad)).Should().Equal(
            "0 Load left - - top 7 - bottom - -",
            "1 Load left - - top 5 8 bottom - -",
            "2 Fill left 1 - top - 6 bottom - -",
            "3 Fill left 3 2 top - - bottom 19 -",
            "4 Drain left - 4 top - - bottom 43 22",
            "5 Drain left - - top - - bottom - 50");
    }

    [Fact]
    public void Output_stationary_columns_give_one_result_a_cycle_from_the_top_row_down()
    {
        // k = 0, 1 enter row and column 0 in cycles 0, 1; cell (i, j) is done in cycle 1 + i + j.
        Observe(new ArraySpec(2, 2, Dataflow.OutputStationary)).Should().Equal(
            "0 Fill left 1 - top 5 - bottom - -",
            "1 Fill left 2 3 top 7 6 bottom 19 -",
            "2 Drain left - 4 top - 8 bottom 43 22",
            "3 Drain left - - top - - bottom - 50");
    }

    [Fact]
    public void Input_stationary_holds_a_and_streams_b()
    {
        // Tile: rows K, columns M, so its bottom row (k = 1) is A(0, 1) A(1, 1) = 2 4. Column m gives O(m, n) in cycle 2 + n + 1 + m.
        Observe(new ArraySpec(2, 2, Dataflow.InputStationary)).Should().Equal(
            "0 Load left - - top 2 4 bottom - -",
            "1 Load left - - top 1 3 bottom - -",
            "2 Fill left 5 - top - - bottom - -",
            "3 Fill left 6 7 top - - bottom 19 -",
            "4 Drain left - 8 top - - bottom 22 43",
            "5 Drain left - - top - - bottom - 50");
    }

    [Fact]
    public void The_picture_shows_the_wavefront_and_the_ragged_edge()
    {
        // 3x4 cells; K = 2 of 3 rows and N = 3 of 4 columns are used; M = 2 elements, so two diagonals at a time.
        var observer = new Pictures([]);
        RegisterArray.Multiply(new ArraySpec(3, 4, Dataflow.WeightStationary), new Matrix(2, 2), new Matrix(2, 3), DataType.Bf16, ref observer);

        observer.Seen.Skip(3).Take(4).Should().Equal(
            "#...\n....\n....\n",
            "##..\n#...\n....\n",
            ".##.\n##..\n....\n",
            "..#.\n.##.\n....\n");
    }

    [Theory]
    [InlineData(Dataflow.WeightStationary, FoldOverlap.None)]
    [InlineData(Dataflow.WeightStationary, FoldOverlap.BackgroundLoad)]
    [InlineData(Dataflow.OutputStationary, FoldOverlap.None)]
    [InlineData(Dataflow.OutputStationary, FoldOverlap.BackgroundLoad)]
    [InlineData(Dataflow.InputStationary, FoldOverlap.None)]
    [InlineData(Dataflow.InputStationary, FoldOverlap.BackgroundLoad)]
    public void Every_register_equals_the_scalar_model_in_every_cycle(Dataflow dataflow, FoldOverlap overlap)
    {
        foreach ((int rows, int columns, int m, int k, int n) in new[] { (3, 4, 5, 7, 9), (2, 5, 1, 5, 7), (5, 2, 3, 11, 4), (1, 3, 2, 3, 4), (4, 1, 1, 9, 2), (6, 18, 9, 8, 37) })
        {
            var array = new ArraySpec(rows, columns, dataflow, overlap);
            Matrix a = Matrix.From(m, k, (i, j) => 1 + i + (10 * j));
            Matrix b = Matrix.From(k, n, (i, j) => 3 + (7 * i) - j);
            var scalar = new List<float>();
            var observer = new Registers([]);
            ScalarArray.Run(array, a, b, DataType.Fp32, scalar.AddRange);
            RegisterArray.Multiply(array, a, b, DataType.Fp32, ref observer);
            observer.Seen.Should().Equal(scalar, "{0}", array);
        }
    }

    [Fact]
    public void Observing_changes_neither_values_nor_cycles()
    {
        var array = new ArraySpec(5, 7, Dataflow.OutputStationary, FoldOverlap.BackgroundLoad);
        Matrix a = Matrix.From(11, 13, (i, j) => (i - j) / 8f);
        Matrix b = Matrix.From(13, 17, (i, j) => (i + j) / 8f);
        var observer = default(CostObserver);

        ArrayProduct observed = RegisterArray.Multiply(array, a, b, DataType.Bf16, ref observer);
        ArrayProduct plain = RegisterArray.Multiply(array, a, b, DataType.Bf16);

        observed.Cycles.Should().Be(plain.Cycles);
        observed.Output.Values.ToArray().Should().Equal(plain.Output.Values.ToArray());
    }

    private static List<string> Observe(ArraySpec array)
    {
        var observer = new Ports([]);
        RegisterArray.Multiply(array, A, B, DataType.Bf16, ref observer);
        return observer.Seen;
    }

    private readonly struct Ports(List<string> seen) : IArrayObserver
    {
        public static bool IsActive => true;

        public List<string> Seen => seen;

        public void Observe(ArrayState state) => seen.Add(
            $"{state.Cycle} {state.Phase} left {Text(state.LeftPort(0))} {Text(state.LeftPort(1))} top {Text(state.TopPort(0))} {Text(state.TopPort(1))} bottom {Text(state.BottomPort(0))} {Text(state.BottomPort(1))}");

        private static string Text(float? value) => value is { } number ? FormattableString.Invariant($"{number}") : "-";
    }

    private readonly struct Pictures(List<string> seen) : IArrayObserver
    {
        public static bool IsActive => true;

        public List<string> Seen => seen;

        public void Observe(ArrayState state) => seen.Add(state.Picture());
    }

    // Moving, top in use and next top of every cell; sums are compared as results.
    private readonly struct Registers(List<float> seen) : IArrayObserver
    {
        public static bool IsActive => true;

        public List<float> Seen => seen;

        public void Observe(ArrayState state)
        {
            for (int row = 0; row < state.Spec.Rows; row++)
            {
                for (int column = 0; column < state.Spec.Columns; column++)
                {
                    seen.AddRange([state.MovingRegister(row, column), state.TopRegister(row, column), state.NextTopRegister(row, column)]);
                }
            }
        }
    }
}
