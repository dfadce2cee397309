using Systolic.Programs;

namespace Systolic.Components;

/// <summary>Until when each sixteenth of the array works (femtoseconds): products on different parts run side by side.</summary>
internal sealed class ArrayOccupancy
{
    private readonly long[] _until = new long[ArrayTile.Quarters * ArrayTile.Quarters];

    /// <summary>When any part works last.</summary>
    public long Last { get; private set; }

    /// <summary>When the whole of a part is free.</summary>
    public long FreeAt(ArrayTile tile)
    {
        if (tile.IsWhole)
        {
            return Last;
        }

        long free = 0;
        for (int mask = tile.Mask, i = 0; mask != 0; mask >>= 1, i++)
        {
            free = (mask & 1) != 0 ? Math.Max(free, _until[i]) : free;
        }

        return free;
    }

    /// <summary>A part works until <paramref name="end"/>.</summary>
    public void Take(ArrayTile tile, long end)
    {
        Last = Math.Max(Last, end);
        for (int mask = tile.Mask, i = 0; mask != 0; mask >>= 1, i++)
        {
            if ((mask & 1) != 0)
            {
                _until[i] = end;
            }
        }
    }
}
