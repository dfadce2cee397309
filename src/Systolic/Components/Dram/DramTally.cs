namespace Systolic.Components;

/// <summary><see cref="DramCounts"/> while a controller counts.</summary>
internal struct DramTally
{
    public long Activates;
    public long Precharges;
    public long Reads;
    public long Writes;
    public long RefreshesAll;
    public long RefreshesBank;
    public long RowHits;
    public long RowMisses;
    public long RowConflicts;
    public long Merged;

    public readonly DramCounts Counts => new()
    {
        Activates = Activates,
        Precharges = Precharges,
        Reads = Reads,
        Writes = Writes,
        RefreshesAll = RefreshesAll,
        RefreshesBank = RefreshesBank,
        RowHits = RowHits,
        RowMisses = RowMisses,
        RowConflicts = RowConflicts,
        Merged = Merged,
    };

    public void Refresh(DramCommand command) => _ = command == DramCommand.RefreshAll ? RefreshesAll++ : RefreshesBank++;
}
