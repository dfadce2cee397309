using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>A piece of a weight matrix that one transfer loads.</summary>
/// <param name="Source">Where it lies in main memory.</param>
/// <param name="Partitions">Partitions that it fills.</param>
internal readonly record struct WeightPiece(MemoryView Source, int Partitions);

/// <summary>Tiles of SBUF that hold the pieces of weight matrices in turn: loads run ahead of the products by as many pieces as there are tiles.</summary>
internal sealed class WeightRing(KernelBuilder kernel, StreamId queue)
{
    private readonly List<(Tile Tile, long End)> _tiles = [];
    private readonly List<WeightPiece> _pieces = [];
    private int _first;
    private int _loaded;
    private int _taken;

    /// <summary>More tiles.</summary>
    public void Add(TileBuffer buffer)
    {
        for (int copy = 0; copy < buffer.Copies; copy++)
        {
            _tiles.Add((buffer[copy], buffer.Start(copy + 1)));
        }
    }

    /// <summary>More pieces, in the order in which they will be taken.</summary>
    public void Add(IEnumerable<WeightPiece> pieces) => _pieces.AddRange(pieces);

    /// <summary>The first piece goes to tile <paramref name="tile"/>.</summary>
    public void StartAt(int tile) => _first = tile;

    /// <summary>Loads pieces into the tiles whose last piece has been taken and used.</summary>
    public void Fill()
    {
        for (; _loaded < Math.Min(_pieces.Count, _taken + _tiles.Count); _loaded++)
        {
            WeightPiece piece = _pieces[_loaded];
            kernel.Load(queue, At(_loaded).Tile[..piece.Partitions, ..piece.Source.Pattern.RowElements], piece.Source);
        }
    }

    /// <summary>The tile of the next piece. The products of the piece before have been written.</summary>
    public Tile Take()
    {
        Fill();
        return At(_taken++).Tile;
    }

    /// <summary>Where the tile of the last piece ends, in bytes of a partition.</summary>
    public long End => At(_pieces.Count - 1).End;

    private (Tile Tile, long End) At(int piece) => _tiles[(_first + piece) % _tiles.Count];
}
