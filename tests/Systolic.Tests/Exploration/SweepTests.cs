using Systolic.Accounting;
using Systolic.Exploration;
using Systolic.Reporting;
using Systolic.Tests.Cli;
using Systolic.Tests.Docs;
using Systolic.Units;

namespace Systolic.Tests.Exploration;

public class SweepTests
{
    private static readonly SweepResult Grid = new Sweep(SmallSpaces.ClockAndSbuf).Run(new SweepOptions { Threads = 1 }, null, Token);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void A_row_holds_the_figures_of_the_run_alone_though_points_share_simulations()
    {
        SweepRow[] runs = [.. Grid.Rows.Where(row => row.HasRun)];

        runs.Should().HaveCount(9);
        foreach (SweepRow row in runs)
        {
            RunReport alone = row.Point.Machine().Run(row.Point.Workload(), null, null, Token);
            row["time"].Should().Be(alone.Time.Seconds);
            row["energy"].Should().Be(alone.Energy.Joules);
            row["area"].Should().Be(alone.Machine.Area!.Total);
            row["sbuf.partitionSize"].Should().Be(row.Point.Values[1].Number);
            Enum.GetValues<CycleComponent>().Sum(component => row.Spent(component).Value).Should().Be(alone.Time.Value);
        }
    }

    [Fact]
    public void A_point_that_does_not_fit_is_a_row_with_its_reason()
    {
        SweepRow small = Grid.Rows[0];

        small.Reason.Should().Contain("SBUF of trn2-core (2 KiB per partition)").And.NotContain("\n");
        small.IsFeasible.Should().BeFalse();
        Grid.Front.Rows.Should().OnlyContain(row => row.HasRun);
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bytes() =>
        SmallSpaces.Csv(new Sweep(SmallSpaces.ClockAndSbuf).Run(new SweepOptions { Threads = 3 }, null, Token)).Should().Be(SmallSpaces.Csv(Grid));

    [Fact]
    public void Shards_have_no_point_in_common_and_merge_to_the_whole()
    {
        using var folder = new ScratchFolder();
        var sweep = new Sweep(SmallSpaces.ClockAndSbuf);
        SweepResult[] shards = [.. Enumerable.Range(0, 2).Select(i => sweep.Run(new SweepOptions { Journal = folder[$"{i}"], Shard = new SweepShard(i, 2) }, null, Token))];

        // Three groups of four points: the first and the third, and the second.
        shards.Select(shard => shard.Rows.Length).Should().Equal(8, 4);
        SmallSpaces.Csv(sweep.Merge([folder["0"], folder["1"]])).Should().Be(SmallSpaces.Csv(Grid));
        Action half = () => sweep.Merge([folder["0"]]);
        half.Should().Throw<InvalidDocumentException>().WithMessage("found 4 of 12 points in no journal, expected all: the first is point 4 (clock 1.8 GHz*");
    }

    [Fact]
    public void A_journal_spares_what_was_run_and_other_goals_may_use_it()
    {
        using var folder = new ScratchFolder();
        var options = new SweepOptions { Journal = folder["journal"], Threads = 1 };
        using var stop = new CancellationTokenSource();
        Action stopped = () => new Sweep(SmallSpaces.ClockAndSbuf).Run(options, new Progress(progress =>
        {
            if (progress.Done == 5)
            {
                stop.Cancel();
            }
        }), stop.Token);
        stopped.Should().Throw<OperationCanceledException>();
        int kept = File.ReadAllLines(folder["journal"]).Length - 1;
        var ran = new List<long>();

        SweepResult resumed = new Sweep(SmallSpaces.ClockAndSbuf).Run(options, new Progress(progress => ran.Add(progress.Done)), Token);

        kept.Should().Be(5);
        ran.Should().Equal(Enumerable.Range(kept + 1, 12 - kept).Select(i => (long)i));
        SmallSpaces.Csv(resumed).Should().Be(SmallSpaces.Csv(Grid));
        new Sweep(SmallSpaces.ClockAndSbuf, null, new SweepGoals { Objectives = ["area"] }).Run(options, new Progress(_ => throw new InvalidOperationException("ran a point again")), Token)
            .Front.Rows.Select(row => row.Point.Number).Should().Equal(1, 5, 9);
    }

    [Fact]
    public void Metrics_and_constraints_are_expressions()
    {
        SweepResult result = new Sweep(SmallSpaces.ClockAndSbuf, null, new SweepGoals
        {
            Metrics = new SweepGoals().Metrics.Add("per_area", "1 / (time * area)"),
            Objectives = ["max per_area"],
            Constraints = ["clock >= 1.5 GHz", "area <= 40 mm2"],
        }).Run(null, null, Token);

        SweepRow best = result.Front.Rows.Single();
        best["per_area"].Should().Be(1 / (best["time"] * best["area"]));
        result.Rows.Where(row => row.IsFeasible).Should().OnlyContain(row => row["clock"] >= 1.5e9 && row["area"] <= 40).And.OnlyContain(row => row["per_area"] <= best["per_area"]);
    }

    [Fact]
    public void Unknown_names_in_goals_are_told_together()
    {
        Action create = () => _ = new Sweep(SmallSpaces.ClockAndSbuf, null, new SweepGoals { Objectives = ["tim"], Constraints = ["area < 4"] });

        create.Should().Throw<InvalidDocumentException>().WithMessage(
            "objectives[0]: found the name \"tim\", which is unknown; did you mean time?\nconstraints[0]: found \"area < 4\", expected two expressions with <= or >= between them, such as \"area <= 400 mm2\"");
    }

    [Fact]
    public void Pruning_leaves_the_front_as_it_is_and_says_what_it_left_out()
    {
        // A block of 64 is run whole; 113 M multiply-accumulates on 16,384 cells at 2 MHz take 3.5 ms at least, which is more than its slowest.
        var space = new DesignSpace("trn2-core", SmallSpaces.Layer, [
            new DesignParameter("clock", [.. Enumerable.Range(0, 66).Select(i => (DesignValue)$"{(i < 64 ? 2400 - i : 66 - i)} MHz")]).To("tensorEngine.clock", "tensorEngine.sustainedRate")]);
        var all = new Sweep(space, SweepSearch.Grid);
        SweepResult pruned = new Sweep(space, SweepSearch.Grid) { Prune = true }.Run(null, null, Token);

        pruned.Pruned.Should().Be(2);
        pruned.Rows[65].Reason.Should().StartWith("pruned: its lower bound is dominated by point ");
        pruned.Front.Rows.Select(row => row.Point.Number).Should().Equal(all.Run(null, null, Token).Front.Rows.Select(row => row.Point.Number));
    }

    [Fact]
    public void Searches_whose_points_depend_on_others_take_no_shards()
    {
        Action run = () => new Sweep(SmallSpaces.ClockAndSbuf, SweepSearch.Nsga2(5)).Run(new SweepOptions { Shard = new SweepShard(0, 2) }, null, Token);

        run.Should().Throw<InvalidDocumentException>().WithMessage("shard: found a sweep by nsga2*");
    }

    [Fact]
    public void A_Latin_hypercube_takes_every_value_equally_often()
    {
        IReadOnlyList<long> points = SweepSearch.LatinHypercube(20, 3).Batches(SmallSpaces.Wide, new Dictionary<long, SweepRow>()).Single();

        points.Should().OnlyHaveUniqueItems();
        // Were two points equal, one was replaced: none is here.
        for (int i = 0; i < 4; i++)
        {
            points.GroupBy(point => SmallSpaces.Wide.Indices(point)[i]).Should().OnlyContain(value => value.Count() == 20 / SmallSpaces.Wide.Parameters[i].Values.Length);
        }
    }

    [Fact]
    public void A_search_of_all_points_finds_each_once()
    {
        foreach (SweepSearch search in (SweepSearch[])[SweepSearch.Random(100, 1), SweepSearch.LatinHypercube(12, 1), SweepSearch.Nsga2(12, 4, 1)])
        {
            new Sweep(SmallSpaces.ClockAndSbuf, search).Run(null, null, Token).Rows.Select(row => row.Point.Number).Order().Should().Equal(Enumerable.Range(0, 12).Select(i => (long)i));
        }
    }

    /// <summary>On figures by formula, so that many seeds can be tried; docs/sweeps.md has the simulated ones of this space.</summary>
    [Fact]
    public void NSGA_II_finds_the_grids_front_in_a_tenth_of_its_evaluations()
    {
        var sweep = SweepReader.Load(Path.Combine(Pages.Root, "docs", "samples", "w4-sweep.json"));
        SweepRow[] grid = [.. Enumerable.Range(0, (int)sweep.Space.Size).Select(point => ByFormula(sweep, point))];
        double all = ParetoFront.Of(grid).Hypervolume(grid);
        double[] shares = [.. Enumerable.Range(0, 20).Select(seed => Found(SweepSearch.Nsga2(102, seed: seed), sweep, grid).Hypervolume(grid) / all)];

        shares.Should().OnlyContain(share => share > 0.99 && share <= 1);
        Found(SweepSearch.Random(102), sweep, grid).Hypervolume(grid).Should().BeLessThan(0.98 * all);
    }

    private static ParetoFront Found(SweepSearch search, Sweep sweep, SweepRow[] grid)
    {
        var rows = new Dictionary<long, SweepRow>();
        foreach (IReadOnlyList<long> batch in search.Batches(sweep.Space, rows))
        {
            batch.ToList().ForEach(point => rows.Add(point, grid[point]));
        }

        rows.Should().HaveCount(102);
        return ParetoFront.Of(rows.Values);
    }

    /// <summary>A product of 4 G multiply-accumulates, and traffic that shrinks with SBUF, overlapping; static power; area of cells, memory and its interface.</summary>
    private static SweepRow ByFormula(Sweep sweep, long point)
    {
        double[] values = [.. sweep.Space[point].Values.Select(value => value.Number)];
        (double array, double clock, double bandwidth, double sbuf) = (values[0], values[1], values[2], values[3]);
        double time = Math.Max(4e9 / (array * array * clock), 40e6 * (1 + (8e6 / sbuf)) / bandwidth) + 1e-4, area = (array * array * 1e-4) + (sbuf * 0.5e-6) + (bandwidth * 2e-11) + 4;
        return new SweepRow(sweep.Space[point], sweep.Goals, new PointOutcome(null, [time, (time * 15) + (4e9 * 0.6e-12) + (bandwidth * 1e-15), area, .. new double[SweepFigures.All.Length - 3]], [.. new long[SweepFigures.StackNames.Length]]));
    }

    private sealed class Progress(Action<SweepProgress> report) : IProgress<SweepProgress>
    {
        public void Report(SweepProgress value) => report(value);
    }
}
