using System.Runtime.Intrinsics;

namespace Systolic.Components;

/// <summary>Cells whose sums stay until they are complete; the top registers move down, one row a cycle.</summary>
internal sealed class RestingSums<T, TCell>(int rows, int columns, bool overlaps, ResultStore<T, TCell> results) : CellGrid<T, TCell>(rows, columns)
    where T : unmanaged
    where TCell : struct, ICell<T>
{
    private readonly Queue<(int Fold, long Cycle)> _ended = new();
    private readonly T[] _before = new T[PaddedOperand<T>.OddLines(columns)];

    /// <inheritdoc/>
    public override void Shift()
    {
        ShiftTop();
        base.Shift();
    }

    /// <summary>The last element of <paramref name="fold"/> enters lane 0 in <paramref name="cycle"/>: cell (i, j) is complete i + j cycles later, its column's port takes the sum and the cell starts anew.</summary>
    public void End(int fold, long cycle)
    {
        if (_ended.TryPeek(out (int Fold, long Cycle) oldest) && FirstPending - oldest.Cycle > Rows + Columns - 2)
        {
            _ended.Dequeue();
        }

        _ended.Enqueue((fold, cycle));
    }

    private protected override int SumRow(int row) => row * Stride;

    private protected override void ComputeOne(int cycle)
    {
        for (int row = 0; row < Rows; row++)
        {
            Update(row, 0, cycle, cycle + 1, SumRow(row));
            foreach ((int fold, long end) in _ended)
            {
                long column = FirstPending + cycle - end - row;
                if (column >= 0 && column < Columns)
                {
                    ref T sum = ref Sums(SumRow(row))[(int)column];
                    results.TakeOne(FirstPending + cycle, fold, row, (int)column, sum);
                    sum = default;
                }
            }
        }
    }

    // Up to a cell of a row a cycle is complete.
    private protected override void ComputeBlock()
    {
        Span<T> before = _before;
        for (int row = 0; row < Rows; row++)
        {
            Span<T> sums = Sums(SumRow(row));
            if (overlaps)
            {
                sums.CopyTo(before);
            }

            Update(row, 0, 0, Block, SumRow(row));
            foreach ((int fold, long end) in _ended)
            {
                long first = FirstPending - end - row;
                if (first <= -Block || first >= Columns)
                {
                    continue;
                }

                for (int place = 0; overlaps && place < Block; place += Vector256<T>.Count)
                {
                    Redo(row, (int)first, place, before, sums);
                }

                Take(row, fold, (int)first, overlaps ? before : sums);
            }
        }
    }

    // Where folds overlap, a complete cell may have begun the next one. Cell `first` is complete in the first cycle, each next one a cycle later; eight of them
    // from `place` on are done over from what they held before. Complete sums go to `before`, what the next fold has added so far to `sums`.
    private void Redo(int row, int first, int place, Span<T> before, Span<T> sums)
    {
        int column = Math.Clamp(first + place, 0, Stride - Vector256<T>.Count);
        Vector256<int> places = Vector256<int>.Indices + Vector256.Create(column - first);
        Vector256<T> complete = Vector256.LoadUnsafe(ref before[column]);
        Vector256<T> next = Vector256<T>.Zero;
        for (int cycle = 0; cycle < Block; cycle++)
        {
            Vector256<T> done = Vector256.LessThan(places, Vector256.Create(cycle)).As<int, T>();
            Vector256<T> sum = TCell.MultiplyAdd(
                Vector256.LoadUnsafe(ref TopAt(row, cycle, column)), Vector256.LoadUnsafe(ref MovingAt(row, cycle, column)), Vector256.ConditionalSelect(done, next, complete));
            next = Vector256.ConditionalSelect(done, sum, next);
            complete = Vector256.ConditionalSelect(done, complete, sum);
        }

        Vector256<T> mine = (Vector256.GreaterThanOrEqual(places, Vector256.Create(place)) & Vector256.LessThan(places, Vector256.Create(place + Vector256<T>.Count))).As<int, T>();
        Vector256.ConditionalSelect(mine, complete, Vector256.LoadUnsafe(ref before[column])).StoreUnsafe(ref before[column]);
        Vector256.ConditionalSelect(mine, next, Vector256.LoadUnsafe(ref sums[column])).StoreUnsafe(ref sums[column]);
    }

    // Where folds do not overlap, a complete sum adds 0 x 0 until it is taken here.
    private void Take(int row, int fold, int first, Span<T> sums)
    {
        int end = Math.Min(Columns, first + Block);
        for (int column = Math.Max(0, first); column < end; column++)
        {
            results.TakeOne(FirstPending + column - first, fold, row, column, sums[column]);
            if (!overlaps)
            {
                sums[column] = default;
            }
        }
    }
}
