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

    /// <summary>One cycle: rows of tiles move on.</summary>
    public void Step<TCell>(Sequencer sequencer, CellGrid<T, TCell> cells)
        where TCell : struct, ICell<T>
    {
        Slot load = sequencer.Load;
        _rows[sequencer.Cycle] = load;
        if (_background)
        {
            Remember(sequencer, CellGrid<T, TCell>.Block);
        }
        else if (!load.IsNone)
        {
            cells.ShiftTop();
            TileRow(load.Fold, _plan.ArrayRows - 1 - load.Step).CopyTo(cells.TopPort);
        }
    }

    /// <summary>Cells that get the first element of a fold in <paramref name="cycle"/> take its tile into use.</summary>
    public void TakeIntoUse<TCell>(long cycle, CellGrid<T, TCell> cells)
        where TCell : struct, ICell<T>
    {
        foreach ((int fold, long start) in _starting)
        {
            int distance = (int)(cycle - start);
            int last = Math.Min(distance, _plan.ArrayRows - 1);
            for (int row = Math.Max(0, distance - _plan.ArrayColumns + 1); row <= last; row++)
            {
                cells.Top(row, distance - row) = TileRow(fold, row)[distance - row];
            }
        }
    }

    /// <summary>The same for the cells that a sum passes: it is at <paramref name="row"/> in <paramref name="cycle"/>, and each cycle one row further down.</summary>
    public void TakeIntoUse<TCell>(long cycle, int row, int fromCycle, int toCycle, CellGrid<T, TCell> cells)
        where TCell : struct, ICell<T>
    {
        foreach ((int fold, long start) in _starting)
        {
            long column = cycle - start - row;
            if (column < 0 || column >= _plan.ArrayColumns)
            {
                continue;
            }

            for (int offset = fromCycle; offset < toCycle; offset++)
            {
                cells.Top(row + offset, (int)column) = TileRow(fold, row + offset)[(int)column];
            }
        }
    }

    private void Remember(Sequencer sequencer, int heldBack)
    {
        if (!sequencer.Load.IsNone && sequencer.Load.Step == 0)
        {
            _loads.Enqueue((sequencer.Load.Fold, sequencer.Cycle));
        }

        if (!sequencer.Stream.IsNone && sequencer.Stream.Step == 0)
        {
            _starting.Enqueue((sequencer.Stream.Fold, sequencer.Cycle));
        }

        if (_starting.TryPeek(out (int Fold, long Cycle) oldest) && sequencer.Cycle - oldest.Cycle > _plan.Depth + heldBack)
        {
            _starting.Dequeue();
        }

        // The load before the oldest one that every column has begun is no longer in any register.
        if (_loads.Count > 2 + (_plan.Depth / _plan.ArrayRows))
        {
            _loads.Dequeue();
        }
    }

    private ReadOnlySpan<T> TileRow(int fold, int row) => _tiles.Values.AsSpan(
        ((_plan.FirstRow(fold) + row) * _tiles.Stride) + _plan.FirstColumn(fold), _plan.ArrayColumns);
}
