using CsCheck;
using Systolic.Exploration;

namespace Systolic.Tests.Exploration;

public class ParetoFrontTests
{
    private static readonly DesignSpace Space = new("trn2-core", SmallSpaces.Layer, [new DesignParameter("any", [.. Enumerable.Range(0, 100).Select(i => (DesignValue)i)]).To()]);

    [Fact]
    public void The_front_is_what_nothing_dominates()
    {
        // (3, 2) loses to (2, 2); (1, 4) and (4, 1) are best in one.
        SweepRow[] rows = Rows((3, 2), (1, 4), (2, 2), (4, 1), (5, 5));

        ParetoFront.Of(rows).Rows.Select(row => row.Point.Number).Should().Equal(1, 2, 3);
    }

    [Fact]
    public void Equal_rows_are_all_on_the_front() => ParetoFront.Of(Rows((1, 1), (1, 1), (2, 2))).Rows.Should().HaveCount(2);

    [Fact]
    public void Maximising_turns_an_objective_round_and_constraints_keep_rows_off()
    {
        var goals = new SweepGoals { Objectives = ["max time", "energy"], Constraints = ["time <= 4"] };

        ParetoFront.Of(Rows(goals, (3, 2), (1, 4), (2, 2), (4, 1), (5, 5))).Rows.Select(row => row.Point.Number).Should().Equal(3);
    }

    [Fact]
    public void The_volume_is_the_share_of_the_box_that_the_points_dominate()
    {
        // 0.5 x 0.5 each, above (0.5, 0) and (0, 0.5), overlapping above (0.5, 0.5): 0.5 + 0.5 - 0.25
        ParetoFront.Volume([[0.5, 0], [0, 0.5]]).Should().BeApproximately(0.75, 1e-12);
        // Boxes of 0.5, 0.5 and 0.5 of the cube; pairs overlap in 0.25, all in 0.125.
        ParetoFront.Volume([[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]).Should().BeApproximately(1.5 - 0.75 + 0.125, 1e-12);
        ParetoFront.Of(Rows((1, 4), (2, 2), (4, 1), (5, 5))).Hypervolume(Rows((1, 1), (5, 5))).Should().BeApproximately(
            // Above (1, 4): 4 x 1; above (2, 2) and below that: 3 x 2; above (4, 1) and below that: 1 x 1; of 4 x 4.
            11.0 / 16, 1e-12);
    }

    [Fact]
    public void A_front_dominates_every_other_row_and_none_of_its_own() => Gen.Int[0, 9].Select(Gen.Int[0, 9]).Array[1, 30].Sample(pairs =>
    {
        SweepRow[] rows = Rows([.. pairs.Select(pair => ((double)pair.Item1, (double)pair.Item2))]);
        ParetoFront front = ParetoFront.Of(rows);
        front.Rows.Should().OnlyContain(row => !rows.Any(other => ParetoFront.Dominates(other.Objectives, row.Objectives)));
        rows.Except(front.Rows).All(row => front.Rows.Any(other => ParetoFront.Dominates(other.Objectives, row.Objectives))).Should().BeTrue();
    });

    private static SweepRow[] Rows(params (double Time, double Energy)[] values) => Rows(new SweepGoals(), values);

    private static SweepRow[] Rows(SweepGoals goals, params (double Time, double Energy)[] values)
    {
        goals = goals.For(Space);
        return [.. values.Select((value, i) => new SweepRow(Space[i], goals, new PointOutcome(null, [value.Time, value.Energy, .. new double[SweepFigures.All.Length - 2]], [.. new long[SweepFigures.StackNames.Length]])))];
    }
}
