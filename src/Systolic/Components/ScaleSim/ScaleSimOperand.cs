namespace Systolic.Components;

/// <summary>When the words of ifmap or filter are asked for, and in which order DRAM delivers them.</summary>
/// <remarks>A word's key is its place in the DRAM stream, nulls of unused lanes left out. The requests of one cycle have consecutive keys, in the order of the lanes, so a cycle is two numbers and no word is ever stored.</remarks>
internal abstract class ScaleSimOperand(ScaleSimFolds folds)
{
    /// <summary>The folds.</summary>
    protected ScaleSimFolds Folds { get; } = folds;

    /// <summary>Entries of the operand's matrix.</summary>
    public abstract long Words { get; }

    /// <summary>Length of the DRAM stream with the nulls of unused lanes.</summary>
    public abstract long PaddedWords { get; }

    /// <summary>The first cycle with a request.</summary>
    public abstract long FirstCycle { get; }

    /// <summary>The last cycle with a request.</summary>
    public abstract long LastCycle { get; }

    /// <summary>Runs of requests in order: a block of different words, passed over so many times; blocks have no word in common.</summary>
    public abstract IEnumerable<(long Words, long Times)> Passes { get; }

    /// <summary>The keys asked for in a cycle.</summary>
    public abstract ScaleSimRequests At(long cycle);

    /// <summary>The cycle in which request number <paramref name="index"/> is made.</summary>
    public abstract long CycleOf(long index);

    /// <summary>The first cycle, from <paramref name="cycle"/> on, that asks for a key outside a window; the layer's length if none does.</summary>
    public abstract long NextOutside(long cycle, ScaleSimWindow window);

    /// <summary>The key of an entry.</summary>
    public abstract long Key(long along, long across);

    /// <summary>All entries in the order of the DRAM stream.</summary>
    public abstract IEnumerable<(long Along, long Across)> InStreamOrder();
}

/// <summary>The requests of one cycle. Successive lanes step one entry back along and one across, or, of a stationary operand, across only.</summary>
/// <param name="Low">Key of the first.</param>
/// <param name="Count">How many; 0 if none.</param>
/// <param name="Along">Index of the first along the streamed dimension, or the row of a stationary tile.</param>
/// <param name="Across">Index of the first across the lanes.</param>
/// <param name="Step">What each lane adds to <paramref name="Along"/>: -1 or 0.</param>
internal readonly record struct ScaleSimRequests(long Low, long Count, long Along, long Across, long Step)
{
    /// <summary>The key after the last.</summary>
    public long End => Low + Count;
}
