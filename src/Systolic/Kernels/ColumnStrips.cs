using Systolic.Components;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Few tokens as the stationary operand fill few columns of the array, so products run side by side on as many column strips of it as it divides into.</summary>
/// <param name="Array">The array.</param>
/// <param name="Tokens">Stationary columns of each product, at most those of the array.</param>
internal readonly record struct ColumnStrips(TensorEngineSpec Array, int Tokens)
{
    /// <summary>Where engines can start to read the results of a strip.</summary>
    private const int Grid = 32;

    /// <summary>Strips side by side.</summary>
    public int Count
    {
        get
        {
            int strips = Array.Parts;
            while (strips > 1 && (Tokens * strips > Array.Columns || Array.Columns / strips % Grid > 0))
            {
                strips /= 2;
            }

            return strips;
        }
    }

    /// <summary>Where the results of strip <paramref name="strip"/> lie in a bank.</summary>
    public TileView Of(Tile bank, int strip, int elements)
    {
        int start = strip * (Array.Columns / Count);
        return bank[start..(start + Tokens), ..elements];
    }

    /// <summary>The part of the array.</summary>
    public ArrayTile Part(int strip) => ArrayTile.ColumnStrip(strip, Count);
}
