namespace Systolic.Components;

/// <summary>Cells whose sums move down, one row a cycle: rows of sums are a ring. The top registers keep a stationary tile.</summary>
internal sealed class MovingSums<T, TCell>(int rows, int columns, TileLoader<T> loader) : CellGrid<T, TCell>(rows, columns)
    where T : unmanaged
    where TCell : struct, ICell<T>
{
    private readonly T[] _bottom = new T[Block * columns];
    private int _head;

    /// <summary>The sums that left the bottom row in the <paramref name="index"/>-th of the cycles last computed.</summary>
    public ReadOnlySpan<T> Bottom(int index) => _bottom.AsSpan(index * Columns, Columns);

    private protected override int SumRow(int row) => SumRow(_head, row);

    private protected override void ComputeOne(int cycle)
    {
        loader.TakeIntoUse(FirstPending + cycle, this);
        _head = SlotBefore(_head, 1);
        Sums(SumRow(0)).Clear();
        for (int row = 0; row < Rows; row++)
        {
            Update(row, 0, cycle, cycle + 1, SumRow(row));
        }

        SaveBottom(SumRow(Rows - 1), cycle);
    }

    // The sum that is at row r in the first cycle is at r + c in cycle c. Where a new tile comes into use in row i of column j in cycle i + j, that sum finds
    // it in column j in every cycle if it does in one. Row by row from the bottom up, each tile row is thus in the state that its next reader needs.
    private protected override void ComputeBlock()
    {
        int first = SlotBefore(_head, 1);
        for (int row = Rows - 1; row > Rows - Block; row--)
        {
            Leave(row, SumRow(first, row));
        }

        for (int row = Rows - Block; row >= 0; row--)
        {
            int sum = SumRow(first, row);
            loader.TakeIntoUse(FirstPending, row, 0, Block, this);
            if (row == 0)
            {
                Sums(sum).Clear();
            }

            Update(row, 1, 0, Block, sum);
        }

        SaveBottom(SumRow(first, Rows - Block), Block - 1);
        for (int cycle = 1; cycle < Block; cycle++)
        {
            Enter(cycle, SumRow(first, Rows - cycle));
        }

        _head = SlotBefore(first, Block - 1);
    }

    // A sum that leaves before the last of the cycles.
    private void Leave(int startRow, int sum)
    {
        int cycles = Rows - startRow;
        loader.TakeIntoUse(FirstPending, startRow, 0, cycles, this);
        Update(startRow, 1, 0, cycles, sum);
        SaveBottom(sum, cycles - 1);
    }

    // A sum that starts at the top after the first of the cycles.
    private void Enter(int firstCycle, int sum)
    {
        loader.TakeIntoUse(FirstPending, -firstCycle, firstCycle, Block, this);
        Sums(sum).Clear();
        Update(0, 1, firstCycle, Block, sum);
    }

    private int SumRow(int head, int row) => (head + row >= Rows ? head + row - Rows : head + row) * Stride;

    private int SlotBefore(int head, int count) => head >= count ? head - count : head + Rows - count;

    private void SaveBottom(int sum, int index) => Sums(sum)[..Columns].CopyTo(_bottom.AsSpan(index * Columns));
}
