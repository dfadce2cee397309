using Systolic.Units;

namespace Systolic.Components;

/// <summary>Counts what happens at the ports and in the cells: the register level's own <see cref="TileCost"/>.</summary>
public struct CostObserver : IArrayObserver
{
    private long _load;
    private long _fill;
    private long _steady;
    private long _drain;
    private long _left;
    private long _top;
    private long _bottom;
    private long _active;
    private long _cellCycles;
    private int _folds;

    /// <inheritdoc/>
    public static bool IsActive => true;

    /// <summary>The counts so far.</summary>
    public readonly TileCost Cost => new()
    {
        Folds = _folds,
        Load = new Cycles(_load),
        Fill = new Cycles(_fill),
        Steady = new Cycles(_steady),
        Drain = new Cycles(_drain),
        LeftReads = _left,
        TopReads = _top,
        BottomWrites = _bottom,
        ActiveCellCycles = _active,
        CellCycles = _cellCycles,
    };

    /// <inheritdoc/>
    public void Observe(ArrayState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        CountPhase(state.Phase);
        CountPorts(state);
        _folds = Math.Max(_folds, state.Fold + 1 ?? 0);
        _active += state.ActiveCells();
        _cellCycles += state.Spec.Rows * state.Spec.Columns;
    }

    private void CountPhase(ArrayPhase phase)
    {
        switch (phase)
        {
            case ArrayPhase.Load: _load++; break;
            case ArrayPhase.Fill: _fill++; break;
            case ArrayPhase.Steady: _steady++; break;
            default: _drain++; break;
        }
    }

    private void CountPorts(ArrayState state)
    {
        for (int row = 0; row < state.Spec.Rows; row++)
        {
            _left += state.LeftPort(row) is null ? 0 : 1;
        }

        for (int column = 0; column < state.Spec.Columns; column++)
        {
            _top += state.TopPort(column) is null ? 0 : 1;
            _bottom += state.BottomPort(column) is null ? 0 : 1;
        }
    }
}
