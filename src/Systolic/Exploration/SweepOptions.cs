namespace Systolic.Exploration;

/// <summary>How a sweep is run. Nothing here changes what is found.</summary>
public sealed record SweepOptions
{
    /// <summary>Points simulated at once; as many as there are cores when null, and with 0 only those that a journal holds already.</summary>
    public int? Threads { get; init; }

    /// <summary>A file that keeps every finished point, so that a run that was stopped goes on; null for none.</summary>
    public string? Journal { get; init; }

    /// <summary>The part of the points that is run: one of equal parts of the simulations.</summary>
    public SweepShard Shard { get; init; } = SweepShard.Whole;
}

/// <summary>One of several parts of a sweep.</summary>
/// <param name="Index">Which, from 0.</param>
/// <param name="Count">How many there are.</param>
public sealed record SweepShard(int Index, int Count)
{
    /// <summary>All of it.</summary>
    public static SweepShard Whole { get; } = new(0, 1);
}

/// <summary>How far a sweep has come.</summary>
/// <param name="Done">Points finished, those of earlier runs included.</param>
/// <param name="Total">Points to finish.</param>
/// <param name="Elapsed">Since this run began.</param>
/// <param name="Remaining">At the rate so far; null before the first point.</param>
public readonly record struct SweepProgress(long Done, long Total, TimeSpan Elapsed, TimeSpan? Remaining)
{
    /// <summary>Copies the rows of finished points.</summary>
    internal Func<SweepResult>? Finished { get; init; }

    /// <summary>What was found so far, in the order of the search. To be called while the progress is reported, when no row is added; what it returns stays as it is.</summary>
    /// <exception cref="InvalidOperationException">The progress is of no run.</exception>
    public SweepResult ResultSoFar() => (Finished ?? throw new InvalidOperationException("This progress is of no run; take the one that a sweep reports."))();
}
