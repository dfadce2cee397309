using System.Globalization;
using Systolic.Components;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Tests.Components;

/// <summary>Both fidelities against a weight-stationary array in Verilog; Reference/rtl_array.csv is written by tests/rtl/run.sh, with tool, version and date.</summary>
public class RtlArrayTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Reference", "rtl_array.csv"));

    public static TheoryData<string> Rows => [.. Lines.Skip(1)];

    [Fact]
    public void The_reference_has_both_overlaps_of_twenty_shapes()
    {
        Lines[0].Should().Be("tool,version,date,rows,columns,overlap,m,k,n,cycles,left_reads,top_reads,bottom_writes,output");
        Lines.Should().HaveCount(1 + (2 * 20));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Cycles_counts_and_every_output_equal_the_rtl(string row)
    {
        string[] fields = row.Split(',');
        int[] numbers = [.. fields[3..13].Select(field => int.Parse(field, CultureInfo.InvariantCulture))];
        var array = new ArraySpec(numbers[0], numbers[1], Dataflow.WeightStationary, numbers[2] == 1 ? FoldOverlap.BackgroundLoad : FoldOverlap.None);
        var shape = new TileShape(numbers[3], numbers[4], numbers[5]);

        TileCost cost = ClosedForm.Cost(array, shape);
        ArrayProduct product = RegisterArray.Multiply(array, A(shape), B(shape), DataType.Int8);

        cost.Total.Should().Be(new Cycles(numbers[6]));
        (cost.LeftReads, cost.TopReads, cost.BottomWrites).Should().Be((numbers[7], numbers[8], numbers[9]));
        RegisterArray.Measure(array, shape).Should().Be(cost);
        product.Cycles.Should().Be(cost.Total);
        product.Output.Values.ToArray().Should().Equal(fields[13].Split(';').Select(value => float.Parse(value, CultureInfo.InvariantCulture)));
    }

    // The operands of tests/rtl/testbench.v.
    private static Matrix A(TileShape shape) => Matrix.From(shape.M, shape.K, (m, k) => (((7 * m) + (3 * k) + (m * k)) % 17) - 8);

    private static Matrix B(TileShape shape) => Matrix.From(shape.K, shape.N, (k, n) => (((5 * k) + (11 * n) + (k * n)) % 15) - 7);
}
