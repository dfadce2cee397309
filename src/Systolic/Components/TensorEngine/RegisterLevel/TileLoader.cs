namespace Systolic.Components;

/// <summary>Shifts stationary tiles in from the top edge, the bottom row of the tile first.</summary>
/// <remarks>
/// With one register per cell all columns shift together, for Rows cycles. With a second one, column j follows j cycles later and a row that passes cell (i, j)
/// moves on until the cell's own has come; the cell takes it into use with the first element of the fold. So a tile may follow the one before without a gap.
/// </remarks>
internal sealed class TileLoader<T>
    where T : unmanaged
{
    private readonly FoldPlan _plan;
    private readonly PaddedOperand<T> _tiles;
    private readonly bool _background;
    private readonly T[] _next;
    private readonly Wavefront _rows;
    private readonly Queue<(int Fold, long Cycle)> _loading = new();
    private readonly Queue<long> _starting = new();

    public TileLoader(FoldPlan plan, PaddedOperand<T> tiles, bool background)
    {
        (_plan, _tiles, _background) = (plan, tiles, background);
        _next = background ? new T[plan.ArrayRows * plan.ArrayColumns] : [];
        _rows = new Wavefront(plan.Depth + 1);
    }

    /// <summary>The second register of a cell.</summary>
    public T Next(int row, int column) => _background ? _next[(row * _plan.ArrayColumns) + column] : default;

    /// <summary>Whether the stationary registers change in this cycle.</summary>
    public bool Changes(Sequencer sequencer) => _background
        ? _starting.Count > 0 || (!sequencer.Stream.IsNone && sequencer.Stream.Step == 0)
        : !sequencer.Load.IsNone;

    /// <summary>The tile row that enters a column in a cycle.</summary>
    public (Slot Slot, int Row) Entered(long cycle, int column)
    {
        Slot slot = _rows[_background ? cycle - column : cycle];
        return (slot, _plan.ArrayRows - 1 - slot.Step);
    }

    /// <summary>What is at the top port of a column.</summary>
    public T PortValue<TCell>(CellGrid<T, TCell> cells, int column)
        where TCell : struct, ICell<T> => _background ? _next[column] : cells.TopPort[column];

    /// <summary>One cycle: cells take new tiles into use, then rows of tiles move on.</summary>
    public void Step<TCell>(Sequencer sequencer, CellGrid<T, TCell> cells)
        where TCell : struct, ICell<T>
    {
        _rows[sequencer.Cycle] = sequencer.Load;
        if (_background)
        {
            Start(sequencer, cells);
            Load(sequencer);
        }
        else if (!sequencer.Load.IsNone)
        {
            cells.ShiftTop();
            TileRow(sequencer.Load).CopyTo(cells.TopPort);
        }
    }

    private void Start<TCell>(Sequencer sequencer, CellGrid<T, TCell> cells)
        where TCell : struct, ICell<T>
    {
        if (!sequencer.Stream.IsNone && sequencer.Stream.Step == 0)
        {
            _starting.Enqueue(sequencer.Cycle);
        }

        foreach (long start in _starting)
        {
            int distance = (int)(sequencer.Cycle - start);
            int last = Math.Min(distance, _plan.ArrayRows - 1);
            for (int row = Math.Max(0, distance - _plan.ArrayColumns + 1); row <= last; row++)
            {
                cells.Top(row, distance - row) = _next[(row * _plan.ArrayColumns) + distance - row];
            }
        }

        if (_starting.TryPeek(out long oldest) && sequencer.Cycle - oldest >= _plan.Depth)
        {
            _starting.Dequeue();
        }
    }

    private void Load(Sequencer sequencer)
    {
        if (!sequencer.Load.IsNone && sequencer.Load.Step == 0)
        {
            _loading.Enqueue((sequencer.Load.Fold, sequencer.Cycle));
        }

        foreach ((int fold, long start) in _loading)
        {
            Advance(fold, (int)(sequencer.Cycle - start));
        }

        if (_loading.TryPeek(out (int Fold, long Cycle) oldest) && sequencer.Cycle - oldest.Cycle >= _plan.Depth)
        {
            _loading.Dequeue();
        }
    }

    // Column j is elapsed - j cycles into its load; its rows 0 .. elapsed - j move down by one.
    private void Advance(int fold, int elapsed)
    {
        int first = Math.Max(0, elapsed - _plan.ArrayRows + 1);
        for (int row = Math.Min(elapsed, _plan.ArrayRows - 1); row > 0; row--)
        {
            int count = Math.Min(_plan.ArrayColumns - 1, elapsed - row) - first + 1;
            if (count > 0)
            {
                int above = ((row - 1) * _plan.ArrayColumns) + first;
                _next.AsSpan(above, count).CopyTo(_next.AsSpan(above + _plan.ArrayColumns));
            }
        }

        for (int column = first; column <= Math.Min(_plan.ArrayColumns - 1, elapsed); column++)
        {
            _next[column] = TileRow(new Slot(fold, elapsed - column))[column];
        }
    }

    private ReadOnlySpan<T> TileRow(Slot slot) => _tiles.Values.AsSpan(
        ((_plan.FirstRow(slot.Fold) + _plan.ArrayRows - 1 - slot.Step) * _tiles.Stride) + _plan.FirstColumn(slot.Fold),
        _plan.ArrayColumns);
}
