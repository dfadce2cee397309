using System.Numerics;

namespace Systolic.Programs;

/// <summary>A part of the systolic array that works on a product of its own beside the others: some quarters of the rows by some quarters of the columns. The default is the whole array.</summary>
/// <param name="FirstRow">First quarter of the rows.</param>
/// <param name="Rows">Quarters of the rows: 1, 2 or 4; 0 is 4.</param>
/// <param name="FirstColumn">First quarter of the columns.</param>
/// <param name="Columns">Quarters of the columns: 1, 2 or 4; 0 is 4.</param>
public readonly record struct ArrayTile(byte FirstRow, byte Rows, byte FirstColumn, byte Columns)
{
    /// <summary>Quarters along each side of the array.</summary>
    public const int Quarters = 4;

    /// <summary>The whole array.</summary>
    public static ArrayTile Whole => default;

    /// <summary>A strip of the columns: strip <paramref name="index"/> of <paramref name="strips"/> (1, 2 or 4).</summary>
    public static ArrayTile ColumnStrip(int index, int strips) => new(0, Quarters, (byte)(index * (Quarters / strips)), (byte)(Quarters / strips));

    /// <summary>A strip of the rows: strip <paramref name="index"/> of <paramref name="strips"/> (1, 2 or 4).</summary>
    public static ArrayTile RowStrip(int index, int strips) => new((byte)(index * (Quarters / strips)), (byte)(Quarters / strips), 0, Quarters);

    /// <summary>It is the whole array.</summary>
    public bool IsWhole => RowQuarters == Quarters && ColumnQuarters == Quarters;

    /// <summary>Quarters of the rows.</summary>
    public int RowQuarters => Rows == 0 ? Quarters : Rows;

    /// <summary>Quarters of the columns.</summary>
    public int ColumnQuarters => Columns == 0 ? Quarters : Columns;

    /// <summary>The sixteenths of the array that it holds, as bits.</summary>
    internal int Mask
    {
        get
        {
            int row = ((1 << ColumnQuarters) - 1) << FirstColumn, mask = 0;
            for (int r = FirstRow; r < FirstRow + RowQuarters; r++)
            {
                mask |= row << (r * Quarters);
            }

            return mask;
        }
    }

    /// <summary>Sixteenths of the array.</summary>
    internal int Sixteenths => BitOperations.PopCount((uint)Mask);
}
