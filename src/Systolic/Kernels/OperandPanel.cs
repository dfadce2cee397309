using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>One operand of a matrix product in SBUF: a tile per slice of K, loaded as it lies or transposed through the array.</summary>
internal sealed class OperandPanel
{
    private readonly KernelBuilder _kernel;
    private readonly StreamId _queue;
    private readonly DataType _type;
    private readonly int _tileK;
    private readonly int _tilesK;
    private readonly int _copies;
    private readonly int _chunks;
    private readonly TileBuffer _tiles;
    private readonly TileBuffer? _staging;
    private readonly TileBuffer? _banks;
    private readonly bool _transposeByDma;
    private long _stagingRound;
    private long _bankRound;
    private long _loads;
    private readonly Queue<Action> _deferred = [];
    private (long, long, long) _key = (-1, -1, -1);

    public OperandPanel(KernelBuilder kernel, string name, StreamId queue, DataType type, int tileK, long tilesK, long tileBytes, int copies, int chunks, TileBuffer? banks, bool transposeByDma)
    {
        _transposeByDma = transposeByDma;
        (_kernel, _queue, _type, _tileK, _tilesK, _copies, _chunks, _banks) = (kernel, queue, type, tileK, (int)tilesK, copies, chunks, banks);
        _tiles = kernel.Sbuf(name, tileBytes, checked((int)(tilesK * copies)));
        _staging = banks is null ? null : kernel.Sbuf(name + " to transpose", MatMulPlan.StagingBytes(tilesK, tileK, type.ByteSize()), 2 * chunks);
    }

    /// <summary>The next load may be written before the current tiles were used.</summary>
    public bool CanLoadAhead => _copies > 1;

    /// <summary>Transposes still to be written for the block loaded last.</summary>
    public int Deferred => _deferred.Count;

    /// <summary>Writes up to <paramref name="count"/> of the transposes that a load left to be spread among products.</summary>
    public void TransposeDeferred(int count)
    {
        for (; count > 0 && _deferred.TryDequeue(out Action? transpose); count--)
        {
            transpose();
        }
    }

    /// <summary>Loads the block called <paramref name="key"/> unless it is the one loaded last; returns its number.</summary>
    /// <param name="key">Batch, block of the free dimension, block of K.</param>
    /// <param name="width">Extent along the free dimension (M or N).</param>
    /// <param name="depth">Extent along K.</param>
    public long Ensure((long, long, long) key, long width, long depth)
    {
        if (key != _key)
        {
            _key = key;
            _loads++;
            Load(_loads - 1, width, depth);
        }

        return _loads - 1;
    }

    /// <summary>The tile of K slice <paramref name="k"/> of load <paramref name="load"/>.</summary>
    public Tile this[long load, int k] => _tiles[(load % _copies * _tilesK) + k];

    private void Load(long load, long width, long depth)
    {
        if (_staging is null)
        {
            for (int k = 0; k * (long)_tileK < depth; k++)
            {
                LoadTile(this[load, k], Math.Min(_tileK, depth - (k * (long)_tileK)), width);
            }

            return;
        }

        long group = (long)_chunks * _kernel.Partitions;
        for (long start = 0; start < width; start += group)
        {
            TransposeGroup(load, Math.Min(group, width - start), depth);
        }
    }

    private void LoadTile(Tile target, long depth, long width)
    {
        if (_transposeByDma)
        {
            _kernel.LoadTransposed(_queue, target, checked((int)width), depth * _type.ByteSize());
        }
        else
        {
            _kernel.Load(_queue, target, (int)depth, width * _type.ByteSize());
        }
    }

    private void TransposeGroup(long load, long rows, long depth)
    {
        long first = _stagingRound;
        for (long row = 0; row < rows; row += _kernel.Partitions)
        {
            _kernel.Load(_queue, _staging![_stagingRound++], (int)Math.Min(_kernel.Partitions, rows - row), depth * _type.ByteSize());
        }

        // fp8 in double rows: a slice of K is twice the array's rows, transposed in two halves.
        for (int k = 0; k * (long)_kernel.Partitions < depth; k++)
        {
            int slice = k;
            _deferred.Enqueue(() => TransposeSlice(load, first, slice, rows, depth));
        }
    }

    private void TransposeSlice(long load, long first, int k, long rows, long depth)
    {
        int slice = (int)Math.Min(_kernel.Partitions, depth - (k * (long)_kernel.Partitions));
        Tile bank = _banks![_bankRound++];
        for (long row = 0; row < rows; row += _kernel.Partitions)
        {
            _kernel.Transpose(bank, _staging![first + (row / _kernel.Partitions)], (int)Math.Min(_kernel.Partitions, rows - row), slice, _type);
        }

        _kernel.Copy(StreamId.Scalar, this[load, k * _kernel.Partitions / _tileK], bank, slice, (int)rows, _type, _type);
    }
}
