using System.Diagnostics;
using Parquet;
using Systolic.Cli.Commands;
using Systolic.Cli.Output;
using Systolic.Exploration;

namespace Systolic.Tests.Cli;

public class SweepTests
{
    private const string Sweep = """
        {
          "machine": "trn2-core",
          "workload": { "model": "gpt2", "tokens": 16, "layers": "1" },
          "parameters": [
            { "name": "clock", "paths": ["tensorEngine.clock", "tensorEngine.sustainedRate"], "from": "0.8 GHz", "to": "2.4 GHz", "count": 5 },
            { "path": "sbuf.partitionSize", "values": ["2 KiB", "64 KiB", "192 KiB"] }
          ]
        }
        """;

    private static readonly string[] Results = ["results.csv", "results.jsonl", "results.parquet", "report.html", "front.svg", "front.png"];

    [Fact]
    public async Task A_sweep_leaves_tables_report_and_pictures_and_shows_its_front()
    {
        using ScratchFolder folder = Folder();

        CommandLine run = await CommandLine.RunAsync("sweep", folder["s.json"]);

        run.Code.Should().Be(0, run.Error);
        run.Out.Should().Contain("Pareto front over time, energy:").And.Contain("15 points: 10 run, 5 that do not fit");
        Directory.EnumerateFiles(folder["s"]).Select(Path.GetFileName).Should().BeEquivalentTo([.. Results, "journal.jsonl", "sweep.json"]);
        File.ReadAllLines(folder["s/results.csv"]).Should().HaveCount(16).And.Contain(line => line.StartsWith("0,0.8 GHz,2 KiB,,", StringComparison.Ordinal));
        File.ReadAllText(folder["s/report.html"]).Should().NotContain("/*DATA*/").And.NotContainAny("http://", "https://", "src=");
        await using ParquetReader parquet = await ParquetReader.CreateAsync(folder["s/results.parquet"], cancellationToken: TestContext.Current.CancellationToken);
        parquet.Schema.DataFields.Select(field => field.Name).Should().Equal(File.ReadLines(folder["s/results.csv"]).First().Split(','));
        parquet.Metadata!.NumRows.Should().Be(15);
    }

    [Fact]
    public async Task While_a_sweep_runs_its_tables_hold_the_points_that_are_finished()
    {
        using ScratchFolder folder = Folder();
        var sweep = SweepReader.Load(folder["s.json"]);
        var snapshots = new SweepSnapshots(SweepFiles.Create(folder["s"], folder["s.json"]), TimeSpan.Zero);
        var seen = new List<string[]>();
        void Report(SweepProgress progress)
        {
            snapshots.Take(progress);
            snapshots.FinishAsync().GetAwaiter().GetResult();
            seen.Add(File.ReadAllLines(folder["s/results.csv"]));
        }

        SweepResult result = sweep.Run(new SweepOptions { Threads = 1 }, new Told(Report), TestContext.Current.CancellationToken);

        // The next snapshot waits for twenty times the time that the one before took.
        seen.Should().HaveCount(15);
        seen[0].Should().HaveCount(2);
        seen.Select(lines => lines.Length).Should().BeInAscendingOrder();
        string[] points = [.. result.Rows.Select(row => $"{row.Point.Number}")];
        seen.Should().OnlyContain(lines => lines.Skip(1).Select(line => line.Substring(0, line.IndexOf(',', StringComparison.Ordinal))).All(points.Contains));
        await using ParquetReader parquet = await ParquetReader.CreateAsync(folder["s/results.parquet"], cancellationToken: TestContext.Current.CancellationToken);
        parquet.Metadata!.NumRows.Should().Be(seen[^1].Length - 1);
        File.ReadAllLines(folder["s/results.jsonl"]).Should().HaveCount(seen[^1].Length - 1);
    }

    [Fact]
    public async Task Shards_merge_to_the_bytes_of_one_run()
    {
        using ScratchFolder folder = Folder();
        foreach (string part in (string[])["0/3", "1/3", "2/3"])
        {
            (await CommandLine.RunAsync("sweep", folder["s.json"], "--out", folder["parts"], "--shard", part)).Code.Should().Be(0);
        }

        (await CommandLine.RunAsync("sweep", folder["s.json"], "--threads", "1")).Code.Should().Be(0);
        (await CommandLine.RunAsync("sweep", "merge", folder["parts"])).Code.Should().Be(0);

        // SkiaSharp counts the clips of vector pictures over the life of the process.
        foreach (string result in Results.Except(["front.svg"]))
        {
            File.ReadAllBytes(folder[$"parts/{result}"]).Should().Equal(File.ReadAllBytes(folder[$"s/{result}"]), result);
        }
    }

    [Fact]
    public async Task A_sweep_that_was_killed_goes_on_where_it_was_without_losing_or_repeating_a_point()
    {
        using ScratchFolder folder = Folder();
        File.WriteAllText(folder["s.json"], Sweep.Replace("\"count\": 5", "\"count\": 100", StringComparison.Ordinal));
        string journal = folder["s/journal.jsonl"];
        int before;
        using (Process child = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Systolic.Cli.dll"), "sweep", folder["s.json"], "--threads", "1"]) { RedirectStandardOutput = true, RedirectStandardError = true })!)
        {
            // The header, and a few of the points, of some 400 B each.
            while (!child.HasExited && !(File.Exists(journal) && new FileInfo(journal).Length > 6000))
            {
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }

            child.Kill();
            await child.WaitForExitAsync(TestContext.Current.CancellationToken);
            before = File.ReadAllText(journal).Count(letter => letter == '\n') - 1;
        }

        before.Should().BeInRange(1, 299);
        CommandLine resumed = await CommandLine.RunAsync("sweep", folder["s.json"]);
        CommandLine whole = await CommandLine.RunAsync("sweep", folder["s.json"], "--out", folder["whole"]);

        (resumed.Code, whole.Code).Should().Be((0, 0));
        string[] lines = [.. File.ReadAllLines(journal).Skip(1)];
        lines.Select(line => line[..line.IndexOf(',', StringComparison.Ordinal)]).Should().OnlyHaveUniqueItems().And.HaveCount(300);
        lines.Should().BeEquivalentTo(File.ReadAllLines(folder["whole/journal.jsonl"]).Skip(1));
        File.ReadAllBytes(folder["s/results.csv"]).Should().Equal(File.ReadAllBytes(folder["whole/results.csv"]));
    }

    [Fact]
    public async Task A_folder_of_another_sweep_is_refused()
    {
        using ScratchFolder folder = Folder();
        await CommandLine.RunAsync("sweep", folder["s.json"], "--shard", "0/20");
        File.WriteAllText(folder["s.json"], Sweep.Replace("16", "17", StringComparison.Ordinal));

        CommandLine other = await CommandLine.RunAsync("sweep", folder["s.json"]);

        other.Code.Should().Be(2);
        other.Error.Should().StartWith("--out: found another sweep in ");
        (await CommandLine.RunAsync("sweep", "merge", folder["nowhere"])).Error.Should().StartWith("DIR: found no sweep.json and journal in ");
    }

    [Theory]
    [InlineData("3/8", null, null, 3, 8)]
    [InlineData("auto/8", "5", null, 5, 8)]
    [InlineData("auto/8", null, "0", 0, 8)]
    public void The_shard_is_given_or_that_of_the_array(string text, string? slurm, string? kubernetes, int index, int count) =>
        SweepCommand.Shard(text, name => name == "SLURM_ARRAY_TASK_ID" ? slurm : kubernetes).Shard.Should().Be(new SweepShard(index, count));

    [Theory]
    [InlineData("8/8")]
    [InlineData("-1/8")]
    [InlineData("3")]
    [InlineData("auto/8")]
    [InlineData("auto")]
    public void A_shard_that_cannot_be_is_told(string text) =>
        SweepCommand.Shard(text, _ => null).Problem.Should().StartWith($"--shard: found \"{text}\"").And.EndWith("expected I/N with I from 0 to N-1, such as 3/8 or auto/8.");

    private static ScratchFolder Folder()
    {
        var folder = new ScratchFolder();
        File.WriteAllText(folder["s.json"], Sweep);
        return folder;
    }

    private sealed class Told(Action<SweepProgress> report) : IProgress<SweepProgress>
    {
        public void Report(SweepProgress value) => report(value);
    }
}
