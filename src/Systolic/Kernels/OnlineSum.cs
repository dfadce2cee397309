using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Maximum and sum of exponentials of rows that come in pieces (Milakov and Gimelshein 2018): the sum is rescaled when the maximum grows.</summary>
internal sealed class OnlineSum
{
    private readonly KernelBuilder _kernel;
    private readonly TileBuffer _maximum;
    private readonly TileBuffer _pieceSum;
    private readonly TileBuffer _sum;
    private readonly TileBuffer _correction;
    private long _first;
    private long _next;
    private long _row = -1;

    public OnlineSum(KernelBuilder kernel)
    {
        _kernel = kernel;
        _maximum = kernel.Sbuf("negative running maximum", 1, DataType.Fp32, TilePipeline.Copies);
        _pieceSum = kernel.Sbuf("sum of a piece", 1, DataType.Fp32, TilePipeline.Copies);
        _sum = kernel.Sbuf("running sum", 1, DataType.Fp32, 2);
        _correction = kernel.Sbuf("correction", 1, DataType.Fp32, 2);
    }

    /// <summary>The negative of the rows' maximum, after <see cref="Write"/>.</summary>
    public Tile NegativeMaximum => _maximum[_next - 1];

    /// <summary>The rows' sum of exponentials, after <see cref="Write"/>.</summary>
    public Tile Sum => _sum[_row];

    /// <summary>Takes all pieces of <paramref name="rows"/> rows: maximum on VectorE, exponentials on ScalarE, sum on VectorE, a piece apart each.</summary>
    /// <param name="rows">Rows of the tile.</param>
    /// <param name="pieces">How the columns are cut.</param>
    /// <param name="scratch">Where a piece's exponentials go; they are not kept.</param>
    /// <param name="load">Loads a piece.</param>
    public void Write(int rows, ColumnTiling pieces, Func<long, Tile> scratch, Func<long, Tile> load)
    {
        _first = _next;
        _row++;
        _next = _first + pieces.Pieces;
        var loaded = new Tile[pieces.Pieces];
        TilePipeline.Write(pieces.Pieces, TilePipeline.Copies,
            piece =>
            {
                loaded[piece] = load(piece);
                Grow(piece, loaded[piece][..rows, ..pieces[piece]]);
            },
            piece => Exponentials(piece, scratch(piece)[..rows, ..pieces[piece]], loaded[piece][..rows, ..pieces[piece]]),
            piece => Accumulate(piece, rows));
    }

    private void Grow(long piece, in TileView source)
    {
        TileView now = One(_maximum[_first + piece], source.Partitions);
        _kernel.TensorReduce(AluOperator.Maximum, now, source, negate: true);
        if (piece > 0)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Minimum, now, now, One(_maximum[_first + piece - 1], source.Partitions));
        }
    }

    private void Exponentials(long piece, in TileView scratch, in TileView source)
    {
        int rows = source.Partitions;
        TileView now = One(_maximum[_first + piece], rows);
        if (piece > 0)
        {
            _kernel.Activation(ActivationFunction.Exp, One(_correction[_first + piece], rows), One(_maximum[_first + piece - 1], rows), now, -1);
        }

        _kernel.ActivationReduce(ActivationFunction.Exp, scratch, One(_pieceSum[_first + piece], rows), source, now);
    }

    private void Accumulate(long piece, int rows)
    {
        TileView sum = One(Sum, rows), added = One(_pieceSum[_first + piece], rows);
        if (piece == 0)
        {
            _kernel.Copy(StreamId.Vector, sum, added);
            return;
        }

        _kernel.TensorScalar(StreamId.Vector, sum, sum, AluOperator.Multiply, One(_correction[_first + piece], rows));
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sum, sum, added);
    }

    private static TileView One(Tile tile, int rows) => tile[..rows, ..1];
}
