using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Parameter vectors of a normalization, one copy in every partition that holds a row.</summary>
/// <remarks>
/// A vector is read from memory once into one partition; the array multiplies it with a column of ones, which leaves a copy in every
/// partition of PSUM, and ScalarE and VectorE bring it to SBUF in turn: the vendor's way to broadcast a gain.
/// </remarks>
internal sealed class NormParameters
{
    private readonly KernelBuilder _kernel;
    private readonly TileBuffer _vectors;
    private readonly MemoryTensor _source;

    public NormParameters(KernelBuilder kernel, MemoryTensor source)
    {
        (_kernel, _source) = (kernel, source);
        _vectors = kernel.Sbuf("parameters", source.Columns, source.Type, (int)source.Rows);
    }

    /// <summary>Vector <paramref name="vector"/>: gain, then shift.</summary>
    public Tile this[int vector] => _vectors[vector];

    /// <summary>Loads all vectors for tiles of <paramref name="rows"/> rows.</summary>
    /// <param name="rows">Partitions that need a copy.</param>
    /// <param name="columns">Pieces of at most a PSUM bank.</param>
    /// <param name="staging">Tiles not in use yet that hold a vector in one partition.</param>
    /// <param name="ones">A tile of ones, one per partition.</param>
    /// <param name="banks">PSUM banks not in use yet.</param>
    public void Load(int rows, ColumnTiling columns, TileBuffer staging, Tile ones, TileBuffer banks)
    {
        for (int vector = 0; vector < _vectors.Copies; vector++)
        {
            Tile row = rows == 1 ? _vectors[vector] : staging[staging.Copies - 1 + vector];
            _kernel.Load(StreamId.QueueSmall, row[..1, ..(int)columns.Columns], _source.Part(vector, 1));
            if (rows > 1)
            {
                Broadcast(vector, rows, columns, row, ones, banks);
            }
        }
    }

    private void Broadcast(int vector, int rows, ColumnTiling columns, Tile row, Tile ones, TileBuffer banks)
    {
        for (int piece = 0; piece < columns.Pieces; piece++)
        {
            Tile bank = banks[((long)vector * columns.Pieces) + piece];
            int start = (int)columns.Start(piece), end = start + columns[piece];
            _kernel.MatMul(bank[..rows, ..columns[piece]], ones[..1, ..rows], row[..1, start..end], false);
            _kernel.Copy(StreamId.Vector, _vectors[vector][..rows, start..end], bank[..rows, ..columns[piece]]);
        }
    }
}
