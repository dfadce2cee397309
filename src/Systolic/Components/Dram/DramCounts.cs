namespace Systolic.Components;

/// <summary>What a controller did: the facts that energy and reports need.</summary>
public readonly record struct DramCounts
{
    /// <summary>Rows opened.</summary>
    public long Activates { get; init; }

    /// <summary>Precharge commands, of one bank or of all.</summary>
    public long Precharges { get; init; }

    /// <summary>Bursts read from a device.</summary>
    public long Reads { get; init; }

    /// <summary>Bursts written to a device.</summary>
    public long Writes { get; init; }

    /// <summary>Refreshes of all banks of a pseudo-channel.</summary>
    public long RefreshesAll { get; init; }

    /// <summary>Refreshes of one bank.</summary>
    public long RefreshesBank { get; init; }

    /// <summary>Requests that found their row open.</summary>
    public long RowHits { get; init; }

    /// <summary>Requests that found no row open.</summary>
    public long RowMisses { get; init; }

    /// <summary>Requests that found another row open.</summary>
    public long RowConflicts { get; init; }

    /// <summary>Requests answered without a command: reads of a waiting write, reads and writes merged with a waiting one.</summary>
    public long Merged { get; init; }

    /// <summary>Sum.</summary>
    public static DramCounts operator +(DramCounts left, DramCounts right) => new()
    {
        Activates = left.Activates + right.Activates,
        Precharges = left.Precharges + right.Precharges,
        Reads = left.Reads + right.Reads,
        Writes = left.Writes + right.Writes,
        RefreshesAll = left.RefreshesAll + right.RefreshesAll,
        RefreshesBank = left.RefreshesBank + right.RefreshesBank,
        RowHits = left.RowHits + right.RowHits,
        RowMisses = left.RowMisses + right.RowMisses,
        RowConflicts = left.RowConflicts + right.RowConflicts,
        Merged = left.Merged + right.Merged,
    };

    /// <summary>What was done since an earlier moment, so many times.</summary>
    internal DramCounts Since(DramCounts earlier, long times) => new()
    {
        Activates = (Activates - earlier.Activates) * times,
        Precharges = (Precharges - earlier.Precharges) * times,
        Reads = (Reads - earlier.Reads) * times,
        Writes = (Writes - earlier.Writes) * times,
        RefreshesAll = (RefreshesAll - earlier.RefreshesAll) * times,
        RefreshesBank = (RefreshesBank - earlier.RefreshesBank) * times,
        RowHits = (RowHits - earlier.RowHits) * times,
        RowMisses = (RowMisses - earlier.RowMisses) * times,
        RowConflicts = (RowConflicts - earlier.RowConflicts) * times,
        Merged = (Merged - earlier.Merged) * times,
    };
}
