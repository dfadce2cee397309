namespace Systolic.Components;

/// <summary>The array's controller: decides in every cycle what lane 0 of the edges takes, knowing only what it has sent so far.</summary>
internal sealed class Sequencer(FoldPlan plan, bool tilesLoad, bool overlaps)
{
    private readonly int _folds = checked((int)plan.Folds);
    private int _streamFold;
    private int _streamStep;
    private int _loadFold;
    private int _loadStep;
    private long _foldStart;
    private long _phaseStart;
    private long _lastSent = -2 - plan.Depth;

    /// <summary>The present cycle; -1 before the first.</summary>
    public long Cycle { get; private set; } = -1;

    /// <summary>Row of a stationary tile that enters at the top of column 0; step 0 is the bottom row of the tile.</summary>
    public Slot Load { get; private set; } = Slot.None;

    /// <summary>Element that enters at the left of row 0.</summary>
    public Slot Stream { get; private set; } = Slot.None;

    /// <summary>What the cycle counts as.</summary>
    public ArrayPhase Phase => Stream.IsNone
        ? Load.IsNone ? ArrayPhase.Drain : ArrayPhase.Load
        : Cycle < _phaseStart + plan.Depth ? ArrayPhase.Fill : ArrayPhase.Steady;

    private bool IsEmpty => Cycle > _lastSent + plan.Depth;

    /// <summary>Goes to the next cycle; false once every fold was sent and has left the array.</summary>
    public bool TryAdvance()
    {
        Cycle++;
        if (_streamFold == _folds && IsEmpty)
        {
            return false;
        }

        Stream = NextElement();
        Load = tilesLoad ? NextTileRow() : Slot.None;
        return true;
    }

    private Slot NextElement()
    {
        if (_streamStep == 0 && !StartsFold())
        {
            return Slot.None;
        }

        var element = new Slot(_streamFold, _streamStep++);
        _lastSent = Cycle;
        if (_streamStep == plan.Streamed)
        {
            (_streamFold, _streamStep) = (_streamFold + 1, 0);
        }

        return element;
    }

    private bool StartsFold()
    {
        if (_streamFold == _folds || !MayStart)
        {
            return false;
        }

        _phaseStart = overlaps && _streamFold > 0 ? _phaseStart : Cycle;
        _foldStart = Cycle;
        return true;
    }

    // A tile must be in place; without tiles, each column's output port must have passed the results of the fold before.
    private bool MayStart => tilesLoad
        ? _loadFold > _streamFold
        : _streamFold == 0 || (overlaps ? Cycle >= _foldStart + plan.ArrayRows : IsEmpty);

    private Slot NextTileRow()
    {
        if (_loadStep == 0 && !MayLoad)
        {
            return Slot.None;
        }

        var row = new Slot(_loadFold, _loadStep++);
        if (_loadStep == plan.ArrayRows)
        {
            (_loadFold, _loadStep) = (_loadFold + 1, 0);
        }

        return row;
    }

    // The registers that take a tile are free once the tile before is in use (a second register) or used up (only one).
    private bool MayLoad => _loadFold < _folds && (overlaps
        ? _loadFold == 0 || HasStarted(_loadFold - 1)
        : _streamFold == _loadFold && IsEmpty);

    private bool HasStarted(int fold) => _streamFold > fold || (_streamFold == fold && _streamStep > 0);
}
