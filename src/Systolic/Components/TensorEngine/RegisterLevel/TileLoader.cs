namespace Systolic.Components;

/// <summary>Shifts stationary tiles in from the top edge, the bottom row of the tile first.</summary>
/// <remarks>
/// With one register per cell all columns shift together, for Rows cycles. With a second one, column j follows j cycles later and a row that passes cell (i, j)
/// moves on until the cell's own has come; the cell takes it into use with the first element of the fold. So a tile may follow the one before without a gap.
/// What the second registers hold follows from the cycle in which the tile started, so they are read off the tile and not copied.
/// </remarks>
internal sealed class TileLoader<T>
    where T : unmanaged
{
    private readonly FoldPlan _plan;
    private readonly PaddedOperand<T> _tiles;
    private readonly bool _background;
    private readonly Wavefront _rows;
    private readonly Queue<(int Fold, long Cycle)> _starting = new();
    private readonly Queue<(int Fold, long Cycle)> _loads = new();

    public TileLoader(FoldPlan plan, PaddedOperand<T> tiles, bool background)
    {
        (_plan, _tiles, _background) = (plan, tiles, background);
        _rows = new Wavefront(plan.Depth + 1);
    }

    /// <summary>Whether the registers in use change one by one in this cycle.</summary>
    public bool Changes(Sequencer sequencer) =>
        _background && (_starting.Count > 0 || (!sequencer.Stream.IsNone && sequencer.Stream.Step == 0));

    /// <summary>The second register of a cell: the row of the newest tile that has come so far down.</summary>
    public T Next(long cycle, int row, int column)
    {
        T held = default;
        foreach ((int fold, long start) in _loads)
        {
            long arrived = cycle - start - column - row;
            if (arrived >= 0)
            {
                held = TileRow(fold, (int)Math.Max(_plan.ArrayRows - 1 - arrived, row))[column];
            }
        }

        return held;
    }

    /// <summary>The tile row that enters a column in a cycle.</summary>
    public (Slot Slot, int Row) Entered(long cycle, int column)
    {
        Slot slot = _rows[_background ? cycle - column : cycle];
        return (slot, _plan.ArrayRows - 1 - slot.Step);
    }

    /// <summary>One cycle: cells take new tiles into use, or rows of tiles move on.</summary>
    public void Step<TCell>(Sequencer sequencer, CellGrid<T, TCell> cells)
        where TCell : struct, ICell<T>
    {
        Slot load = sequencer.Load;
        _rows[sequencer.Cycle] = load;
        if (_background)
        {
            Remember(sequencer);
            Start(sequencer, cells);
        }
        else if (!load.IsNone)
        {
            cells.ShiftTop();
            TileRow(load.Fold, _plan.ArrayRows - 1 - load.Step).CopyTo(cells.TopPort);
        }
    }

    private void Remember(Sequencer sequencer)
    {
        if (!sequencer.Load.IsNone && sequencer.Load.Step == 0)
        {
            _loads.Enqueue((sequencer.Load.Fold, sequencer.Cycle));
        }

        // The load before the oldest one that every column has begun is no longer in any register.
        if (_loads.Count > 2 + (_plan.Depth / _plan.ArrayRows))
        {
            _loads.Dequeue();
        }
    }

    private void Start<TCell>(Sequencer sequencer, CellGrid<T, TCell> cells)
        where TCell : struct, ICell<T>
    {
        if (!sequencer.Stream.IsNone && sequencer.Stream.Step == 0)
        {
            _starting.Enqueue((sequencer.Stream.Fold, sequencer.Cycle));
        }

        foreach ((int fold, long start) in _starting)
        {
            int distance = (int)(sequencer.Cycle - start);
            int last = Math.Min(distance, _plan.ArrayRows - 1);
            for (int row = Math.Max(0, distance - _plan.ArrayColumns + 1); row <= last; row++)
            {
                cells.Top(row, distance - row) = TileRow(fold, row)[distance - row];
            }
        }

        if (_starting.TryPeek(out (int Fold, long Cycle) oldest) && sequencer.Cycle - oldest.Cycle >= _plan.Depth)
        {
            _starting.Dequeue();
        }
    }

    private ReadOnlySpan<T> TileRow(int fold, int row) => _tiles.Values.AsSpan(
        ((_plan.FirstRow(fold) + row) * _tiles.Stride) + _plan.FirstColumn(fold), _plan.ArrayColumns);
}
