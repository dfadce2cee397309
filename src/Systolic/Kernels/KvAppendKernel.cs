using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Appends keys and values to the cache, which holds values as [tokens, features] and keys transposed, as [features, tokens].</summary>
/// <remarks>
/// The keys of a decode step go to one column of each sequence's cache: runs of one element, each charged as the DMA's least run. Keys of
/// several consecutive tokens of a sequence are transposed by the array first and written as runs of up to 128 tokens.
/// </remarks>
internal sealed class KvAppendKernel
{
    // Four blocks of 128 tokens fill a PSUM bank, even in fp32.
    private const int BlocksPerPiece = 4;

    private readonly KvAppend _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;

    private KvAppendKernel(KvAppend op, Accelerator machine, long rows)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        _rows = new RowTiling(rows, (int)Math.Min(_kernel.Partitions, Math.Max(1, TokensPerTile(op))));
    }

    /// <summary>Lowers the copies of keys and values.</summary>
    public static Lowering Lower(KvAppend op, Accelerator machine)
    {
        long height = Math.Min(machine.Sbuf.Partitions, TokensPerTile(op));
        long blocks = (op.Columns + machine.TensorEngine.Columns - 1) / machine.TensorEngine.Columns;
        return Placement.Cut(op.Rows, height, 4 + (3 * blocks), rows => new KvAppendKernel(op, machine, rows).Write());
    }

    private static bool Transposes(KvAppend op) => op.TokensPerSequence > 1;

    private static long TokensPerTile(KvAppend op) => Transposes(op) ? op.TokensPerSequence : int.MaxValue;

    private (Program, string) Write()
    {
        if (Transposes(_op))
        {
            WriteTransposed();
            return (_kernel.Build(), Placement.Mapping(_rows.Height, TilePipeline.Copies, "keys transposed by the array"));
        }

        for (long tile = 0; tile < _rows.Tiles; tile++)
        {
            _kernel.MemoryCopy(StreamId.QueueWeights, _rows[tile], _op.Columns * _op.Type.ByteSize());
            _kernel.MemoryCopy(StreamId.QueueStores, checked((int)(_rows[tile] * _op.Columns)), _op.Type.ByteSize());
        }

        return (_kernel.Build(), "memory to memory, keys one element at a time");
    }

    private void WriteTransposed()
    {
        int block = _kernel.Machine.TensorEngine.Columns;
        int size = _op.Type.ByteSize();
        var pieces = new ColumnTiling(_op.Columns, (int)Math.Min(_op.Columns, (long)BlocksPerPiece * block));
        TileBuffer tokens = _kernel.Sbuf("keys", (long)pieces.Width * size, TilePipeline.Copies);
        TileBuffer features = _kernel.Sbuf("transposed keys", (long)BlocksPerPiece * _rows.Height * size, TilePipeline.Copies);
        TileBuffer banks = _kernel.Psum("transposes", 4);
        long round = 0;
        for (long tile = 0; tile < _rows.Tiles; tile++)
        {
            _kernel.MemoryCopy(StreamId.QueueWeights, _rows[tile], _op.Columns * _op.Type.ByteSize());
            for (int piece = 0; piece < pieces.Pieces; piece++, round++)
            {
                _kernel.Load(StreamId.QueueActivations, tokens[round], _rows[tile], (long)pieces[piece] * _op.Type.ByteSize());
                TransposePiece(features[round], banks[round], tokens[round], _rows[tile], new ColumnTiling(pieces[piece], block));
            }
        }
    }

    private void TransposePiece(Tile target, Tile bank, Tile source, int rows, ColumnTiling blocks)
    {
        for (int i = 0; i < blocks.Pieces; i++)
        {
            _kernel.Transpose(bank, source, rows, blocks[i], _op.Type);
        }

        _kernel.Copy(StreamId.Vector, target, bank, blocks[0], rows * blocks.Pieces, _op.Type, _op.Type);
        _kernel.Store(StreamId.QueueStores, target, (int)blocks.Columns, (long)rows * _op.Type.ByteSize());
    }
}
