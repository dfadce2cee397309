using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Few tokens as the stationary operand fill few columns of the array, so up to four products run on column strips of it side by side.</summary>
/// <param name="Tokens">Stationary columns of each product, at most those of the array.</param>
internal readonly record struct ColumnStrips(int Tokens)
{
    private const int Columns = 128;

    /// <summary>Strips side by side.</summary>
    public int Count => Tokens <= Columns / 4 ? 4 : Tokens <= Columns / 2 ? 2 : 1;

    /// <summary>Where the results of strip <paramref name="strip"/> lie in a bank.</summary>
    public TileView Of(Tile bank, int strip, int elements)
    {
        int start = strip * (Columns / Count);
        return bank[start..(start + Tokens), ..elements];
    }

    /// <summary>The part of the array.</summary>
    public ArrayTile Part(int strip) => ArrayTile.ColumnStrip(strip, Count);
}
