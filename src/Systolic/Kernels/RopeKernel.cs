using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Rotary position embedding: x cos + rotate(x) sin, three passes of the vector engine.</summary>
/// <remarks>
/// All on VectorE, as the public kernels have it: GpSimdE shares its port to SBUF. A few tokens would leave lanes idle, so their heads are
/// dealt to partitions as well; each such group of heads reads the table of its token again (at most as often as a tile has partitions).
/// </remarks>
internal sealed class RopeKernel
{
    private const int WantedPiece = 4096;

    private readonly Rope _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly ColumnTiling _pieces;
    private readonly int _groups;
    private readonly TileBuffer _table;
    private readonly TileBuffer _x;
    private readonly TileBuffer _cosine;
    private readonly TileBuffer _sine;

    private RopeKernel(Rope op, Accelerator machine, long rows)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        _groups = Groups(op, _kernel.Partitions);
        _rows = new RowTiling(rows * _groups, _kernel.Partitions);
        _table = _kernel.Sbuf("sines and cosines", op.HeadDim * op.Type.ByteSize(), 2);
        long columns = op.Columns / _groups;
        int width = Placement.Width(_kernel, op.Name, Math.Min(columns, Math.Max(1, WantedPiece / op.HeadDim) * op.HeadDim), 3 * op.Type.ByteSize(), 0, op.HeadDim);
        _pieces = new ColumnTiling(columns, width);
        long bytes = (long)width * op.Type.ByteSize();
        _x = _kernel.Sbuf("x", bytes, TilePipeline.Copies);
        _cosine = _kernel.Sbuf("x cos", bytes, TilePipeline.Copies);
        _sine = _kernel.Sbuf("rotated x sin", bytes, TilePipeline.Copies);
    }

    /// <summary>Lowers either direction: the backward pass only changes a sign.</summary>
    public static Lowering Lower(Rope op, Accelerator machine) =>
        Placement.Cut(op.Rows, machine.Sbuf.Partitions, 8L * new ColumnTiling(op.Columns, WantedPiece).Pieces, rows => new RopeKernel(op, machine, rows).Write());

    /// <summary>The most groups of whole heads, all equal, that one tile can hold for all tokens.</summary>
    internal static int Groups(Rope op, int partitions)
    {
        long heads = op.Columns % op.HeadDim == 0 ? op.Columns / op.HeadDim : 1;
        for (long groups = Math.Min(heads, partitions / op.Rows); groups > 1; groups--)
        {
            if (heads % groups == 0)
            {
                return (int)groups;
            }
        }

        return 1;
    }

    private (Program, string) Write()
    {
        for (long tile = 0; tile < _rows.Tiles; tile++)
        {
            _kernel.Load(StreamId.QueueSmall, _table[tile], _rows[tile], _op.HeadDim * _op.Type.ByteSize());
            for (int piece = 0; piece < _pieces.Pieces; piece++)
            {
                Rotate(tile, piece);
            }
        }

        string groups = _groups > 1 ? FormattableString.Invariant($", {_groups} groups of heads on partitions") : "";
        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, TilePipeline.Copies, FormattableString.Invariant($"{_pieces.Width} columns{groups}")));
    }

    private void Rotate(long tile, int piece)
    {
        int rows = _rows[tile], columns = _pieces[piece];
        long round = (tile * _pieces.Pieces) + piece;
        _kernel.Load(StreamId.QueueActivations, _x[round], rows, (long)columns * _op.Type.ByteSize());
        _kernel.TensorTensor(StreamId.Vector, _cosine[round], _x[round], _table[tile], rows, columns, _op.Type, _op.Type);
        _kernel.TensorTensor(StreamId.Vector, _sine[round], _x[round], _table[tile], rows, columns, _op.Type, _op.Type);
        _kernel.TensorTensor(StreamId.Vector, _x[round], _cosine[round], _sine[round], rows, columns, _op.Type, _op.Type);
        _kernel.Store(StreamId.QueueStores, _x[round], rows, (long)columns * _op.Type.ByteSize());
    }
}
