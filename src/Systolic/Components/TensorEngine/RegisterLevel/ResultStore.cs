namespace Systolic.Components;

/// <summary>The bottom edge: collects what leaves the array and adds the partial sums of folds along K in their order.</summary>
internal sealed class ResultStore<T, TCell>
    where T : unmanaged
    where TCell : struct, ICell<T>
{
    private readonly FoldPlan _plan;
    private readonly bool _sumsMove;
    private readonly int _stride;
    private readonly T[] _values;
    private readonly T[] _port;
    private readonly long[] _portCycle;

    public ResultStore(FoldPlan plan, bool sumsMove)
    {
        (_plan, _sumsMove, _stride) = (plan, sumsMove, PaddedOperand<T>.OddLines(plan.Extents.Columns));
        _values = new T[checked((sumsMove ? plan.Streamed : plan.Extents.Rows) * _stride)];
        (_port, _portCycle) = (new T[plan.ArrayColumns], new long[plan.ArrayColumns]);
        Array.Fill(_portCycle, -1);
    }

    /// <summary>What a column gave in a cycle; null when nothing.</summary>
    public float? Port(long cycle, int column) => _portCycle[column] == cycle ? TCell.ToSingle(_port[column]) : null;

    /// <summary>The bottom row of sums: column j gives what lane 0 took ArrayRows - 1 + j cycles before. Columns with successive steps of one fold go together.</summary>
    public void TakeBottom(long cycle, ReadOnlySpan<T> bottom, Wavefront stream)
    {
        for (int column = 0; column < bottom.Length;)
        {
            Slot slot = stream[cycle - (_plan.ArrayRows - 1) - column];
            int count = slot.IsNone ? 1 : Math.Min(bottom.Length - column, slot.Step + 1);
            if (!slot.IsNone)
            {
                int used = Math.Min(count, _plan.UsedColumns(slot.Fold) - column);
                TakeRun(slot, column, bottom.Slice(column, Math.Max(0, used)));
                Show(cycle, column, bottom.Slice(column, Math.Max(0, used)));
            }

            column += count;
        }
    }

    /// <summary>One finished sum that stayed in its cell.</summary>
    public void TakeOne(long cycle, int fold, int row, int column, T sum)
    {
        if (row < _plan.UsedRows(fold) && column < _plan.UsedColumns(fold))
        {
            _values[((_plan.FirstRow(fold) + row) * _stride) + _plan.FirstColumn(fold) + column] = sum;
            Show(cycle, column, [sum]);
        }
    }

    /// <summary>Writes everything to the output.</summary>
    public void CopyTo(MatrixView output)
    {
        Span<float> values = output.Matrix.Values;
        for (int row = 0; row < output.Rows; row++)
        {
            int source = row * _stride;
            int index = row * output.RowStep;
            for (int column = 0; column < output.Columns; column++)
            {
                values[index] = TCell.ToSingle(_values[source++]);
                index += output.ColumnStep;
            }
        }
    }

    private void TakeRun(Slot slot, int column, ReadOnlySpan<T> sums)
    {
        bool first = _plan.FirstRow(slot.Fold) == 0;
        int index = (slot.Step * _stride) + _plan.FirstColumn(slot.Fold) + column;
        foreach (T sum in sums)
        {
            _values[index] = first ? sum : TCell.Add(_values[index], sum);
            index -= _stride - 1;
        }
    }

    private void Show(long cycle, int column, ReadOnlySpan<T> sums)
    {
        sums.CopyTo(_port.AsSpan(column));
        _portCycle.AsSpan(column, sums.Length).Fill(cycle);
    }
}
