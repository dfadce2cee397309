using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Rotary position embedding: x cos + rotate(x) sin, three passes of the vector engine.</summary>
/// <remarks>
/// Feature i of the first half of a head and feature i of the second half form a pair, as in Hugging Face models. The table holds the cosines of a token and then its sines; the
/// negative sines that the first halves need are made once per tile on the idle scalar engine.
/// The passes are on VectorE, as the public kernels have it: GpSimdE shares its port to SBUF. A few tokens would leave lanes idle, so their heads are
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
    private readonly int _half;
    private readonly MemoryTensor _input;
    private readonly MemoryTensor _tableTensor;
    private readonly MemoryTensor _output;
    private readonly TileBuffer _table;
    private readonly TileBuffer _x;
    private readonly TileBuffer _cosine;
    private readonly TileBuffer _sine;

    private RopeKernel(Rope op, Accelerator machine, long rows, bool values)
    {
        (_op, _half) = (op, (int)op.HeadDim / 2);
        _kernel = new KernelBuilder(machine, op.Name, values);
        _input = _kernel.Input("x", rows, op.Columns, op.Type);
        _tableTensor = _kernel.Input("table", rows, op.HeadDim, op.Type);
        _output = _kernel.Output("output", rows, op.Columns, op.Type);
        _groups = Groups(op, _kernel.Partitions);
        _rows = new RowTiling(rows * _groups, _kernel.Partitions);
        _table = _kernel.Sbuf("cosines, negative sines, sines", 3L * _half, op.Type, 2);
        long columns = op.Columns / _groups;
        int width = Placement.Width(_kernel, op.Name, Math.Min(columns, Math.Max(1, WantedPiece / op.HeadDim) * op.HeadDim), 3 * Numerics.DataTypes.ByteSize(op.Type), 0, op.HeadDim);
        RequireWholeHeads(op, machine, width);
        _pieces = new ColumnTiling(columns, width);
        _x = _kernel.Sbuf("x", width, op.Type, TilePipeline.Copies);
        _cosine = _kernel.Sbuf("x cos", width, op.Type, TilePipeline.Copies);
        _sine = _kernel.Sbuf("rotated x sin", width, op.Type, TilePipeline.Copies);
    }

    /// <summary>Lowers either direction: the backward pass only changes a sign.</summary>
    public static Lowering Lower(Rope op, Accelerator machine, bool values = false) =>
        Placement.Cut(op.Rows, machine.Sbuf.Partitions, 8L * new ColumnTiling(op.Columns, WantedPiece).Pieces, rows => new RopeKernel(op, machine, rows, values).Write());

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

    private static void RequireWholeHeads(Rope op, Accelerator machine, int width)
    {
        if (op.HeadDim % 2 != 0 || op.Columns % op.HeadDim != 0 || width % op.HeadDim != 0)
        {
            throw new CapacityException(FormattableString.Invariant(
                $"{op.Name}: rotation works on whole heads of an even number of features; found {op.Columns} columns in heads of {op.HeadDim}, in pieces of {width} on {machine.Name}."));
        }
    }

    private (Program, string) Write()
    {
        for (long tile = 0; tile < _rows.Tiles; tile++)
        {
            LoadTable(tile);
            for (int piece = 0; piece < _pieces.Pieces; piece++)
            {
                Rotate(tile, piece);
            }
        }

        string groups = _groups > 1 ? FormattableString.Invariant($", {_groups} groups of heads on partitions") : "";
        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, TilePipeline.Copies, FormattableString.Invariant($"{_pieces.Width} columns{groups}")));
    }

    private void LoadTable(long tile)
    {
        int rows = _rows[tile];
        Tile table = _table[tile];
        MemoryView source = _groups == 1
            ? _tableTensor.Part(_rows.Start(tile), rows)
            : _tableTensor.Broadcast(0, _groups, 0, _op.HeadDim).Groups(rows / _groups, _op.HeadDim);
        _kernel.Load(StreamId.QueueSmall, table[..rows, .._half].Repeat(2, 2 * _half), source);
        _kernel.Activation(ActivationFunction.Identity, table[..rows, _half..(2 * _half)], table[..rows, (2 * _half)..], 0, -1);
    }

    /// <summary>What the first and the second half of a head take of the other: negative sines and sines, or the other way round.</summary>
    private TileView Sines(long tile) => _table[tile][.._rows[tile], .._half].Skip(_op.Backward ? 2 * _half : _half).Repeat(2, _op.Backward ? -_half : _half);

    private void Rotate(long tile, int piece)
    {
        int rows = _rows[tile], columns = _pieces[piece], heads = (int)(columns / _op.HeadDim);
        long round = (tile * _pieces.Pieces) + piece, row = _op.Columns / _groups;
        TileView x = _x[round][..rows, ..columns], cosine = _cosine[round][..rows, ..columns], sine = _sine[round][..rows, ..columns];
        TileView swapped = _x[round][..rows, .._half].Skip(_half).Repeat(2, -_half).Repeat(heads, 2 * _half);
        TileView cosines = _table[tile][..rows, .._half].Repeat(2, 0).Repeat(heads, 0), sines = Sines(tile).Repeat(heads, 0);
        var pattern = new MemoryPattern(1, 0, rows, row, 1, 0, columns);
        long start = (_rows.Start(tile) * row) + _pieces.Start(piece);
        _kernel.Load(StreamId.QueueActivations, x, new MemoryView(_input, start, pattern));
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, cosine, x, cosines);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, sine, swapped, sines);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, x, cosine, sine);
        _kernel.Store(StreamId.QueueStores, new MemoryView(_output, start, pattern), x);
    }
}
