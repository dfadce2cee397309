using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Maximum and sum of exponentials of rows that come in pieces (Milakov and Gimelshein 2018): the sum is rescaled when the maximum grows.</summary>
internal sealed class OnlineSum
{
    private readonly KernelBuilder _kernel;
    private readonly DataType _type;
    private readonly TileBuffer _maximum;
    private readonly TileBuffer _sum;
    private readonly TileBuffer _correction;
    private long _first;
    private long _next;
    private long _row = -1;

    public OnlineSum(KernelBuilder kernel, DataType type)
    {
        (_kernel, _type) = (kernel, type);
        _maximum = kernel.Sbuf("running maximum", sizeof(float), TilePipeline.Copies);
        _sum = kernel.Sbuf("running sum", sizeof(float), 2);
        _correction = kernel.Sbuf("correction", sizeof(float), 2);
    }

    /// <summary>The rows' maximum, after <see cref="Write"/>.</summary>
    public Tile Maximum => _maximum[_next - 1];

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
                Grow(piece, loaded[piece], rows, pieces[piece]);
            },
            piece => Exponentials(piece, scratch(piece), loaded[piece], rows, pieces[piece]),
            piece => Accumulate(piece, scratch(piece), rows));
    }

    private void Grow(long piece, Tile source, int rows, int columns)
    {
        Tile now = _maximum[_first + piece];
        _kernel.TensorReduce(now, source, rows, columns, _type, DataType.Fp32);
        if (piece > 0)
        {
            _kernel.TensorTensor(StreamId.Vector, now, now, _maximum[_first + piece - 1], rows, 1, DataType.Fp32, DataType.Fp32);
        }
    }

    private void Exponentials(long piece, Tile scratch, Tile source, int rows, int columns)
    {
        Tile now = _maximum[_first + piece];
        if (piece > 0)
        {
            _kernel.Activation(ActivationFunction.Exp, _correction[_first + piece], _maximum[_first + piece - 1], now, rows, 1, DataType.Fp32, DataType.Fp32);
        }

        _kernel.ActivationReduce(ActivationFunction.Exp, scratch, source, now, rows, columns, _type, _type);
    }

    private void Accumulate(long piece, Tile scratch, int rows)
    {
        if (piece == 0)
        {
            _kernel.Copy(StreamId.Vector, Sum, scratch, rows, 1, DataType.Fp32, DataType.Fp32);
            return;
        }

        _kernel.TensorScalar(StreamId.Vector, Sum, Sum, _correction[_first + piece], rows, 1, DataType.Fp32, DataType.Fp32);
        _kernel.TensorTensor(StreamId.Vector, Sum, Sum, scratch, rows, 1, DataType.Fp32, DataType.Fp32);
    }
}
