using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Consecutive elements of every partition.</summary>
internal static class ColumnsOfViews
{
    /// <summary>Part of a view with one free dimension.</summary>
    public static TileView Columns(this in TileView view, int start, int count) => view.Skip(start) with { Free = FreePattern.Row(count) };

    /// <summary>Part of a tile.</summary>
    public static TileView Columns(this Tile tile, int start, int count) => tile[.., start..(start + count)];
}
