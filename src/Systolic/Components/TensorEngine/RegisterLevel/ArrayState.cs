using System.Text;

namespace Systolic.Components;

/// <summary>Every port and register of the array at the end of one cycle; valid only while an observer looks at it.</summary>
public abstract class ArrayState
{
    private readonly FoldPlan _plan;

    private protected ArrayState(ArraySpec spec, FoldPlan plan) => (Spec, _plan) = (spec, plan);

    /// <summary>The array.</summary>
    public ArraySpec Spec { get; }

    /// <summary>The cycle, from 0.</summary>
    public abstract long Cycle { get; }

    /// <summary>What the cycle counts as.</summary>
    public abstract ArrayPhase Phase { get; }

    /// <summary>The fold whose stream row 0 takes in this cycle, from 0; null between streams.</summary>
    public int? Fold => Entered(Cycle) is { IsNone: false } slot ? slot.Fold : null;

    /// <summary>The element that enters a row at the left edge; null when none of the operand does.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such row.</exception>
    public float? LeftPort(int row) => Uses(Entered(Cycle - Inside(row, Spec.Rows)), row, 0) ? MovingRegister(row, 0) : null;

    /// <summary>The element that enters a column at the top edge; null when none of the operand does.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such column.</exception>
    public float? TopPort(int column)
    {
        (Slot slot, int row) = EnteredAtTop(Inside(column, Spec.Columns));
        return Uses(slot, row, column) ? TopPortValue(column) : null;
    }

    /// <summary>The result that leaves a column at the bottom edge; null when none does.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such column.</exception>
    public abstract float? BottomPort(int column);

    /// <summary>The register that holds the operand on its way right.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such cell.</exception>
    public abstract float MovingRegister(int row, int column);

    /// <summary>The register that holds the operand from the top: the stationary one in use, or B on its way down.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such cell.</exception>
    public abstract float TopRegister(int row, int column);

    /// <summary>The second register, where the next stationary tile loads; 0 where there is none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such cell.</exception>
    public abstract float NextTopRegister(int row, int column);

    /// <summary>The sum that the cell computed in this cycle.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such cell.</exception>
    public abstract float SumRegister(int row, int column);

    /// <summary>Whether a cell multiplies two elements of the operands in this cycle.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such cell.</exception>
    public bool IsActive(int row, int column) =>
        Uses(Entered(Cycle - Inside(row, Spec.Rows) - Inside(column, Spec.Columns)), row, column);

    /// <summary>Cells of which <see cref="IsActive"/> is true.</summary>
    public long ActiveCells()
    {
        long active = 0;
        for (int distance = 0; distance <= _plan.Depth; distance++)
        {
            Slot slot = Entered(Cycle - distance);
            active += slot.IsNone ? 0 : CellsAt(distance, _plan.UsedRows(slot.Fold), _plan.UsedColumns(slot.Fold));
        }

        return active;
    }

    /// <summary>The array as text, a line per row: '#' an active cell, '.' an idle one.</summary>
    public string Picture()
    {
        var text = new StringBuilder((Spec.Columns + 1) * Spec.Rows);
        for (int row = 0; row < Spec.Rows; row++)
        {
            for (int column = 0; column < Spec.Columns; column++)
            {
                text.Append(IsActive(row, column) ? '#' : '.');
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private protected abstract Slot Entered(long cycle);

    private protected abstract (Slot Slot, int Row) EnteredAtTop(int column);

    private protected abstract float TopPortValue(int column);

    private protected bool Uses(Slot slot, int row, int column) =>
        !slot.IsNone && row < _plan.UsedRows(slot.Fold) && column < _plan.UsedColumns(slot.Fold);

    private protected static int Inside(int index, int extent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, extent);
        return index;
    }

    // Cells (i, distance - i) of a rows x columns corner.
    private static long CellsAt(int distance, int rows, int columns) =>
        Math.Max(0, Math.Min(distance, rows - 1) - Math.Max(0, distance - columns + 1) + 1);
}
