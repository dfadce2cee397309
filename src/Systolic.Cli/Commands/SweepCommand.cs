using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Systolic.Cli.Output;
using Systolic.Cli.Rendering;
using Systolic.Exploration;

namespace Systolic.Cli.Commands;

/// <summary>`systolic sweep FILE`: many machines or workloads, and the best of them.</summary>
internal sealed class SweepCommand : Command, IHasExamples
{
    private const int MostThreads = 1024;
    private static readonly TimeSpan SnapshotPeriod = TimeSpan.FromSeconds(30);
    private readonly Terminal _terminal;
    private readonly Argument<string> _file = new("FILE") { Description = "The sweep, as JSON." };
    private readonly Option<string?> _out = new("--out") { Description = "The folder for journal, results so far, and at the end report (the file's name without its extension). A run that was stopped goes on there.", HelpName = "DIR" };
    private readonly Option<int?> _threads = new("--threads") { Description = "Points simulated at once (as many as there are cores).", HelpName = "N", CustomParser = ParseThreads };
    private readonly Option<SweepShard?> _shard = new("--shard")
    {
        Description = "Run one of N parts, I from 0 to N-1; auto takes I from SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX. Merge the parts at the end.",
        HelpName = "I/N|auto/N",
        CustomParser = ParseShard,
    };

    public SweepCommand(Terminal terminal)
        : base("sweep", "Runs a design-space sweep and shows its Pareto front.")
    {
        _terminal = terminal;
        Add(_file);
        Add(_out);
        Add(_threads);
        Add(_shard);
        Add(new SweepMergeCommand(terminal));
        SetAction(RunAsync);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } =
    [
        "systolic sweep w4-sweep.json",
        "systolic sweep w4-sweep.json --out results --threads 8",
        "systolic sweep w4-sweep.json --out results --shard auto/8",
        "systolic sweep merge results",
    ];

    /// <summary>The shard of "I/N" or "auto/N", or why it is none.</summary>
    /// <param name="text">The text.</param>
    /// <param name="variable">The value of an environment variable.</param>
    internal static (SweepShard? Shard, string Problem) Shard(string text, Func<string, string?> variable)
    {
        string[] parts = text.Split('/');
        string index = parts[0] == "auto" ? variable("SLURM_ARRAY_TASK_ID") ?? variable("JOB_COMPLETION_INDEX") ?? "" : parts[0];
        return parts.Length == 2 && int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out int i)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count) && i < count
            ? (new SweepShard(i, count), "")
            : (null, $"--shard: found \"{text}\"{(parts[0] == "auto" ? $" with index \"{index}\" (SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX)" : "")}, expected I/N with I from 0 to N-1, such as 3/8 or auto/8.");
    }

    private static SweepShard? ParseShard(ArgumentResult result)
    {
        (SweepShard? shard, string problem) = Shard(result.Tokens[0].Value, Environment.GetEnvironmentVariable);
        if (shard is null)
        {
            result.AddError(problem);
        }

        return shard;
    }

    private static int? ParseThreads(ArgumentResult result)
    {
        string found = result.Tokens[0].Value;
        if (int.TryParse(found, NumberStyles.None, CultureInfo.InvariantCulture, out int threads) && threads is >= 1 and <= MostThreads)
        {
            return threads;
        }

        result.AddError(FormattableString.Invariant($"--threads: found \"{found}\", expected a whole number from 1 to {MostThreads}."));
        return null;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string file = parsed.GetRequiredValue(_file);
        Sweep sweep = SweepReader.Load(file);
        SweepFiles files = SweepFiles.Create(parsed.GetValue(_out) ?? Path.ChangeExtension(file, null), file);
        var options = new SweepOptions { Threads = parsed.GetValue(_threads), Shard = parsed.GetValue(_shard) ?? SweepShard.Whole };
        options = options with { Journal = files.Journal(options.Shard) };
        bool isWhole = options.Shard.Count == 1;
        var snapshots = new SweepSnapshots(files, SnapshotPeriod);
        SweepResult result;
        try
        {
            result = await SweepProgressView.RunAsync(_terminal, progress => sweep.Run(options, progress, cancellation), isWhole ? snapshots.Take : null, cancellation);
        }
        finally
        {
            await snapshots.FinishAsync();
        }

        if (!isWhole)
        {
            _terminal.Out.WriteLine(FormattableString.Invariant($"{options.Journal}: {result.Rows.Length} points, shard {options.Shard.Index} of {options.Shard.Count}. When all are done: systolic sweep merge {Path.GetDirectoryName(files.Sweep)}"));
            return ExitCode.Success;
        }

        await files.WriteAsync(sweep, result);
        new SweepView(_terminal.Results).Show(result, files["report.html"]);
        return ExitCode.Success;
    }
}

/// <summary>`systolic sweep merge DIR`: the results of all shards as those of one run.</summary>
internal sealed class SweepMergeCommand : Command, IHasExamples
{
    private readonly Argument<string> _folder = new("DIR") { Description = "The --out folder of the shards." };

    public SweepMergeCommand(Terminal terminal)
        : base("merge", "Makes one result of the shards of a sweep, the same bytes as of a run in one process.")
    {
        Add(_folder);
        SetAction(async (parsed, _) =>
        {
            SweepFiles files = SweepFiles.Open(parsed.GetRequiredValue(_folder));
            Sweep sweep = SweepReader.Load(files.Sweep);
            SweepResult result = sweep.Merge(files.Journals);
            await files.WriteAsync(sweep, result);
            new SweepView(terminal.Results).Show(result, files["report.html"]);
            return ExitCode.Success;
        });
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } = ["systolic sweep merge results"];
}
