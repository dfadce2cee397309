using CsCheck;
using Systolic.Exploration;

namespace Systolic.Tests.Exploration;

public sealed class SurrogateTests
{
    [Fact]
    public void Known_points_come_back_and_linear_figures_hold_everywhere() =>
        Gen.Select(Gen.Int[0, 124].HashSet[26, 40], Gen.Int[-5, 5].Array[4], Gen.Double[0, 1].Array[3]).Sample((cells, plane, at) =>
        {
            // Of a lattice of 5 x 5 x 5, more than lie in one plane.
            double[][] points = [.. cells.Select(cell => new[] { cell % 5 / 4.0, cell / 5 % 5 / 4.0, cell / 25 / 4.0 })];
            double Linear(double[] point) => plane[3] + point.Zip(plane, (x, slope) => x * slope).Sum();
            double Curved(double[] point) => (point[0] * point[1]) + Math.Exp(point[2]);
            Interpolation fit = Interpolation.TryFit(points, [.. points.Select(point => new[] { Linear(point), Curved(point) })])!;

            fit.At(at)[0].Should().BeApproximately(Linear(at), 1e-6);
            fit.At(points[0])[1].Should().BeApproximately(Curved(points[0]), 1e-6);
        }, iter: 100);

    [Fact]
    public void Points_in_a_plane_or_too_few_give_nothing()
    {
        Interpolation.TryFit([[0, 0], [0.5, 0.5], [0.7, 0.7], [1, 1]], [[1], [2], [3], [4]]).Should().BeNull();
        Interpolation.TryFit([[0, 0], [1, 0]], [[1], [2]]).Should().BeNull();
        Interpolation.TryFit([[0, 0], [1, 0], [0, 1]], [[1], [2], [3]])!.At([1, 1])[0].Should().BeApproximately(4, 1e-9);
    }

    // Time 8 / clock and a constraint on area, by words of two technologies; the smallest SBUF does not run.
    [Fact]
    public void Products_of_numbers_words_and_constraints_are_expected_where_nothing_was_run()
    {
        var space = new DesignSpace("trn2-core", SmallSpaces.Layer,
        [
            new DesignParameter("clock", 1, 2, 4, 8).To(),
            new DesignParameter("node", "old", "new").To(),
            new DesignParameter("sbuf", 1, 2, 3, 4, 5, 6).To(),
        ]);
        SweepGoals goals = new SweepGoals { Objectives = ["time", "max clock"], Constraints = ["area <= 4"] }.For(space);
        SweepRow[] rows = [.. Enumerable.Range(0, (int)space.Size).Where(point => point % 3 != 1).Select(point => Row(space, goals, point))];
        Surrogate surrogate = Surrogate.TryFit(space, rows)!;

        foreach (long point in Enumerable.Range(0, (int)space.Size).Where(point => point % 3 == 1))
        {
            SweepRow run = Row(space, goals, point);
            Expected expected = surrogate.At(point);
            if (run.HasRun)
            {
                expected.Objectives.Zip(surrogate.Of(run), (one, other) => Math.Abs(one - other)).Should().OnlyContain(error => error < 0.05);
                expected.Violation.Should().BeApproximately(run.Violation, 0.1);
            }
        }

        surrogate.Of(rows[^1]).Should().Equal(Math.Log(0.5), -Math.Log(8));
    }

    private static SweepRow Row(DesignSpace space, SweepGoals goals, long point)
    {
        DesignPoint at = space[point];
        (double clock, double sbuf) = (at.Values[0].Number, at.Values[2].Number);
        double area = at.Values[1].Text == "old" ? sbuf : 0.7 * sbuf;
        return new SweepRow(at, goals, sbuf < 2
            ? PointOutcome.None("does not fit")
            : new PointOutcome(null, [.. SweepFigures.Names.Select(name => name switch { "time" => (at.Values[1].Text == "old" ? 8 : 4) / clock, "area" => area, _ => 1 })], []));
    }
}
