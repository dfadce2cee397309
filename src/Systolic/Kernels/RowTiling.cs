namespace Systolic.Kernels;

/// <summary>Rows dealt to tiles with one row per partition.</summary>
/// <param name="Rows">All rows.</param>
/// <param name="Height">Rows of a full tile.</param>
internal readonly record struct RowTiling(long Rows, int Height)
{
    /// <summary>Number of tiles.</summary>
    public long Tiles => (Rows + Height - 1) / Height;

    /// <summary>First row of tile <paramref name="tile"/>.</summary>
    public long Start(long tile) => tile * Height;

    /// <summary>Rows of tile <paramref name="tile"/>.</summary>
    public int this[long tile] => (int)Math.Min(Height, Rows - (tile * Height));
}

/// <summary>Columns of a row dealt to pieces that fit a tile.</summary>
/// <param name="Columns">All columns.</param>
/// <param name="Width">Columns of a full piece.</param>
internal readonly record struct ColumnTiling(long Columns, int Width)
{
    /// <summary>Number of pieces.</summary>
    public int Pieces => checked((int)((Columns + Width - 1) / Width));

    /// <summary>First column of piece <paramref name="piece"/>.</summary>
    public long Start(long piece) => piece * Width;

    /// <summary>Columns of piece <paramref name="piece"/>.</summary>
    public int this[long piece] => (int)Math.Min(Width, Columns - (piece * Width));
}
