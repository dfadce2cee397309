using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Where a matrix of a batch lies in main memory.</summary>
/// <param name="Tensor">The matrices below each other.</param>
/// <param name="K">Contraction of each.</param>
/// <param name="Width">The other extent (M or N) of each.</param>
/// <param name="ByK">A row holds one k; otherwise one m or n.</param>
internal readonly record struct MatrixOperand(MemoryTensor Tensor, long K, long Width, bool ByK)
{
    /// <summary>A block: rows of k where the matrix lies by K, else rows of m or n.</summary>
    public MemoryView Block(long batch, long k, long depth, long start, long width) => ByK
        ? Tensor.Part((batch * K) + k, depth, start, width)
        : Tensor.Part((batch * Width) + start, width, k, depth);
}

/// <summary>One operand of a matrix product in SBUF: a tile per slice of K, loaded as it lies or transposed through the array.</summary>
/// <remarks>A slice of K deeper than the array (fp8 in double rows) lies in blocks: k at partition k mod P, block k div P.</remarks>
internal sealed class OperandPanel
{
    private readonly KernelBuilder _kernel;
    private readonly MatrixOperand _operand;
    private readonly StreamId _queue;
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
    private (long, long, long) _origin = (-1, -1, -1);

    public OperandPanel(KernelBuilder kernel, string name, MatrixOperand operand, StreamId queue, int tileK, long tilesK, long tileElements, int copies, int chunks, TileBuffer? banks, bool transposeByDma)
    {
        (_kernel, _operand, _queue, _tileK, _tilesK, _copies, _chunks, _banks, _transposeByDma) = (kernel, operand, queue, tileK, (int)tilesK, copies, chunks, banks, transposeByDma);
        DataType type = operand.Tensor.Type;
        _tiles = kernel.Sbuf(name, tileElements, type, checked((int)(tilesK * copies)));
        _staging = banks is null ? null : kernel.Sbuf(name + " to transpose", tilesK * tileK, type, 2 * chunks);
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

    /// <summary>Loads a block unless it is the one loaded last; returns its number.</summary>
    /// <param name="origin">Batch, first k, first m or n.</param>
    /// <param name="width">Extent along the free dimension (M or N).</param>
    /// <param name="depth">Extent along K.</param>
    public long Ensure((long Batch, long K, long Start) origin, long width, long depth)
    {
        if (origin != _origin)
        {
            _origin = origin;
            _loads++;
            Load(_loads - 1, origin, width, depth);
        }

        return _loads - 1;
    }

    /// <summary>Columns of slice <paramref name="k"/> of load <paramref name="load"/>, as the array takes them.</summary>
    /// <param name="load">The load.</param>
    /// <param name="k">The slice of K.</param>
    /// <param name="depth">Its extent.</param>
    /// <param name="width">Width of the load.</param>
    /// <param name="start">First column.</param>
    /// <param name="count">Number of columns.</param>
    public TileView Slice(long load, int k, int depth, long width, long start, int count)
    {
        int partitions = Math.Min(_kernel.Partitions, depth), blocks = (depth + partitions - 1) / partitions;
        var view = new TileView(TileOf(load, k), 0, partitions, (int)start, FreePattern.Row(count));
        return blocks == 1 ? view : view.Repeat(blocks, (int)width);
    }

    private Tile TileOf(long load, int k) => _tiles[(load % _copies * _tilesK) + k];

    private void Load(long load, (long Batch, long K, long Start) origin, long width, long depth)
    {
        if (_staging is null)
        {
            for (int k = 0; k * (long)_tileK < depth; k++)
            {
                LoadSlice(load, k, origin, (int)Math.Min(_tileK, depth - (k * (long)_tileK)), (int)width);
            }

            return;
        }

        long group = (long)_chunks * _kernel.Partitions;
        for (long start = 0; start < width; start += group)
        {
            TransposeGroup(load, origin, width, start, Math.Min(group, width - start), depth);
        }
    }

    private void LoadSlice(long load, int k, (long Batch, long K, long Start) origin, int depth, int width)
    {
        MemoryView block = _operand.Block(origin.Batch, origin.K + (k * (long)_tileK), depth, origin.Start, width);
        TileView target = Slice(load, k, depth, width, 0, width);
        if (_transposeByDma)
        {
            _kernel.LoadTransposed(_queue, target, block);
        }
        else
        {
            _kernel.Load(_queue, target, block);
        }
    }

    private void TransposeGroup(long load, (long Batch, long K, long Start) origin, long width, long start, long rows, long depth)
    {
        long first = _stagingRound;
        for (long row = 0; row < rows; row += _kernel.Partitions)
        {
            int count = (int)Math.Min(_kernel.Partitions, rows - row);
            _kernel.Load(_queue, _staging![_stagingRound++][..count, ..(int)depth], _operand.Block(origin.Batch, origin.K, depth, origin.Start + start + row, count));
        }

        // fp8 in double rows: a slice of K is twice the array's rows, transposed in two halves.
        for (int k = 0; k * (long)_kernel.Partitions < depth; k++)
        {
            int slice = k;
            _deferred.Enqueue(() => TransposeSlice(load, first, slice, width, start, (int)rows, depth));
        }
    }

    private void TransposeSlice(long load, long first, int k, long width, long start, int rows, long depth)
    {
        int k0 = k * _kernel.Partitions, slice = (int)Math.Min(_kernel.Partitions, depth - k0);
        Tile bank = _banks![_bankRound++];
        for (int row = 0; row < rows; row += _kernel.Partitions)
        {
            int count = Math.Min(_kernel.Partitions, rows - row);
            _kernel.Transpose(bank[..slice, row..(row + count)], _staging![first + (row / _kernel.Partitions)][..count, k0..(k0 + slice)]);
        }

        int column = (int)((k0 % _tileK / _kernel.Partitions * width) + start);
        _kernel.Copy(StreamId.Scalar, TileOf(load, k0 / _tileK)[..slice, column..(column + rows)], bank[..slice, ..rows]);
    }
}
