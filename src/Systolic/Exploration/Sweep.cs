using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Exploration;

/// <summary>Runs points of a design space, on all cores, and finds the best of them.</summary>
/// <remarks>
/// Result and order depend on the sweep alone: not on threads, on what a journal holds already, or on shards. Points that differ only in the size of SBUF run one after the
/// other on one thread and share what is the same (mappings tried, programs simulated). A point that does not fit or cannot exist is a row with its reason.
/// </remarks>
public sealed class Sweep
{
    private const int PruningBlock = 64;
    private const long MostPoints = 10_000_000;
    private static readonly string[] Bounded = ["time", "energy", "edp", "area"];

    /// <summary>A sweep over a space.</summary>
    /// <param name="space">Where to look.</param>
    /// <param name="search">Which points; every one when null.</param>
    /// <param name="goals">What for; time and energy when null.</param>
    /// <exception cref="InvalidDocumentException">Goals that cannot be read, or more points than can be listed.</exception>
    public Sweep(DesignSpace space, SweepSearch? search = null, SweepGoals? goals = null)
    {
        ArgumentNullException.ThrowIfNull(space);
        (Space, Search, Goals) = (space, search ?? SweepSearch.Grid, (goals ?? new SweepGoals()).For(space));
        if (Search.Count(space) > MostPoints)
        {
            throw new InvalidDocumentException(FormattableString.Invariant($"search: found {Search.Count(space)} points, expected at most {MostPoints}; take fewer values, or a search that looks at some of them"));
        }
    }

    /// <summary>Where it looks.</summary>
    public DesignSpace Space { get; }

    /// <summary>Which points it looks at.</summary>
    public SweepSearch Search { get; }

    /// <summary>What it is after.</summary>
    public SweepGoals Goals { get; }

    /// <summary>Leave out points whose lower bounds of time, energy and area another point beats already; the front stays the same.</summary>
    public bool Prune { get; init; }

    /// <summary>Runs the points, or those of a shard.</summary>
    /// <exception cref="InvalidDocumentException">The journal cannot be used, or pruning or shards do not go with the goals or the search.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the journal keeps what was finished.</exception>
    public SweepResult Run(SweepOptions? options = null, IProgress<SweepProgress>? progress = null, CancellationToken cancellation = default)
    {
        options ??= new SweepOptions();
        using SweepJournal? journal = options.Journal is { } path ? SweepJournal.Open(path, Space) : null;
        return new SweepRun(this, options, journal?.Outcomes.ToDictionary() ?? [], journal, progress, cancellation).All();
    }

    /// <summary>The result from journals of its shards; nothing is run.</summary>
    /// <exception cref="InvalidDocumentException">A journal belongs to another sweep, or points are missing.</exception>
    public SweepResult Merge(IEnumerable<string> journals)
    {
        ArgumentNullException.ThrowIfNull(journals);
        var outcomes = new Dictionary<long, PointOutcome>();
        foreach (string path in journals)
        {
            foreach ((long point, PointOutcome outcome) in SweepJournal.Load(path, Space))
            {
                outcomes[point] = outcome;
            }
        }

        return new SweepRun(this, new SweepOptions { Threads = 0 }, outcomes, null, null, default).All();
    }

    /// <summary>One run of a sweep.</summary>
    private sealed class SweepRun(Sweep sweep, SweepOptions options, Dictionary<long, PointOutcome> known, SweepJournal? journal, IProgress<SweepProgress>? progress, CancellationToken cancellation)
    {
        private readonly Dictionary<long, SweepRow> _rows = [];
        private readonly List<long> _order = [];
        private readonly long _start = Stopwatch.GetTimestamp();
        private readonly Lock _finished = new();
        private long _total;
        private long _done;
        private long _doneNow;
        private long _pruned;

        private DesignSpace Space => sweep.Space;

        public SweepResult All()
        {
            RequireCompatible();
            _total = sweep.Search.Count(Space);
            foreach (IReadOnlyList<long> batch in sweep.Search.Batches(Space, _rows))
            {
                IReadOnlyList<long> own = OfShard(batch);
                _total -= batch.Count - own.Count;
                foreach (long[] block in sweep.Prune ? own.Chunk(PruningBlock) : [[.. own]])
                {
                    _order.AddRange(block);
                    Run(block);
                }
            }

            return SoFar();
        }

        private SweepResult SoFar() => new(Space, sweep.Goals, [.. _order.Where(_rows.ContainsKey).Select(point => _rows[point])], _pruned);

        private void RequireCompatible()
        {
            bool sharded = options.Shard.Count > 1;
            if (sharded && (sweep.Prune || sweep.Search is Nsga2Search))
            {
                throw new InvalidDocumentException($"shard: found a sweep {(sweep.Prune ? "with pruning" : "by nsga2")}, whose next points depend on those before; expected one without. Run it in one process.");
            }

            if (sweep.Prune && sweep.Goals.Parsed.Objectives.FirstOrDefault(objective => objective.Maximize || !Bounded.Concat(Space.Parameters.Select(parameter => parameter.Name)).Contains(objective.Value.Text)) is { } unbounded)
            {
                throw new InvalidDocumentException($"prune: found the objective \"{unbounded.Text}\", expected only those with a lower bound: {string.Join(", ", Bounded)} and parameters, to be minimised");
            }
        }

        /// <summary>The points of this shard: points that share simulations stay together, and the groups are dealt out in turn.</summary>
        private IReadOnlyList<long> OfShard(IReadOnlyList<long> batch) => options.Shard.Count == 1
            ? batch
            : [.. batch.GroupBy(Space.GroupOf).Where((_, i) => i % options.Shard.Count == options.Shard.Index).SelectMany(group => group)];

        private void Run(long[] block)
        {
            SweepRow[] best = sweep.Prune ? [.. ParetoFront.Of(_rows.Values).Rows] : [];
            var open = new List<long>();
            foreach (long point in block)
            {
                if (known.TryGetValue(point, out PointOutcome? outcome))
                {
                    _done++;
                    Keep(point, outcome);
                }
                else if (Dominating(point, best) is { } better)
                {
                    _done++;
                    _pruned++;
                    Keep(point, PointOutcome.None(FormattableString.Invariant($"pruned: its lower bound is dominated by point {better.Point.Number}")));
                }
                else
                {
                    open.Add(point);
                }
            }

            if (open.Count > 0 && options.Threads == 0)
            {
                throw new InvalidDocumentException(FormattableString.Invariant($"found {open.Count} of {_total} points in no journal, expected all: the first is point {open[0]} ({Space[open[0]]}). Run the shards that were stopped again."));
            }

            int threads = options.Threads ?? Environment.ProcessorCount;
            long[][] groups = [.. open.GroupBy(Space.GroupOf).Select(group => group.ToArray())];
            if (groups.Length < 2 * threads)
            {
                groups = [.. open.Select(point => (long[])[point])];
            }

            try
            {
                Parallel.ForEach(
                    Partitioner.Create(groups, EnumerablePartitionerOptions.NoBuffering),
                    new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, threads), CancellationToken = cancellation },
                    group => new PointGroup(Space, cancellation).Run(group, Finish));
            }
            catch (AggregateException several)
            {
                throw several.InnerExceptions.FirstOrDefault(one => one is OperationCanceledException) ?? several.InnerExceptions[0];
            }
        }

        private void Keep(long point, PointOutcome outcome) => _rows.Add(point, new SweepRow(Space[point], sweep.Goals, outcome));

        private void Finish(long point, PointOutcome outcome)
        {
            lock (_finished)
            {
                journal?.Add(point, outcome);
                Keep(point, outcome);
                _done++;
                _doneNow++;
                TimeSpan elapsed = Stopwatch.GetElapsedTime(_start);
                progress?.Report(new SweepProgress(_done, _total, elapsed, elapsed * ((double)(_total - _done) / _doneNow)) { Finished = SoFar });
            }
        }

        /// <summary>A row that is at least as good as the lower bounds of a point, and better in one.</summary>
        private SweepRow? Dominating(long point, SweepRow[] best)
        {
            if (best.Length == 0)
            {
                return null;
            }

            try
            {
                double[] bounds = Bounds(Space[point]);
                return best.FirstOrDefault(row => ParetoFront.Dominates(row.Objectives, bounds));
            }
            catch (Exception refused) when (PointGroup.IsOfPoint(refused))
            {
                return null;
            }
        }

        /// <summary>Peak arithmetic or compulsory traffic, whichever takes longer, as <see cref="RunReport.LowerBound"/>; static power over that time; the area itself.</summary>
        private double[] Bounds(DesignPoint point)
        {
            MachineProfile machine = point.Machine().Profile;
            OperatorGraph graph = point.Workload();
            double fastest = machine.PeakMacsPerSecond.Values.Max();
            double arithmetic = graph.Sections.Sum(section => section.Repeat * section.Operators.Sum(op => op.Macs.Value / machine.PeakMacsPerSecond.GetValueOrDefault(op.Type, fastest)));
            double time = Math.Max(arithmetic, graph.CompulsoryBytes.Value / machine.MainMemory.BytesPerSecond);
            EnergyModel energy = machine.Energy;
            double joules = time * (energy.MemoryBackground.Watts + ((energy.Idle - energy.MemoryBackground).Watts * (1 - (energy.Gating?.PowerShare ?? 0))));
            return
            [
                .. sweep.Goals.Parsed.Objectives.Select(objective => objective.Value.Value(name => name switch
                {
                    "time" => time,
                    "energy" => joules,
                    "edp" => joules * time,
                    "area" => machine.Area?.Total ?? 0,
                    _ => point.Values[Space.Parameters.IndexOf(Space.Parameters.First(parameter => parameter.Name == name))].Number,
                })),
            ];
        }
    }
}
