using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>How far the public matrix-product tutorial has got with reusing what it loads.</summary>
internal enum MatMulStage
{
    /// <summary>Both operands are loaded for every product of 128 x 128 x 512.</summary>
    Tiled,

    /// <summary>The stationary tiles of 128 rows of the result stay for all its columns.</summary>
    Hoisted,

    /// <summary>Blocks of rows and columns of the result share loads; all of K is held.</summary>
    FreeBlocked,

    /// <summary>Blocks of rows, columns and K; partial sums are added in SBUF, where all rows of a block of columns stay.</summary>
    FullyBlocked,

    /// <summary>As <see cref="FullyBlocked"/>, but only a block of rows by a block of columns stays.</summary>
    ResultStationary,
}

/// <summary>Tiles of a block along each dimension: 128 rows of the result, 512 columns, 128 of K.</summary>
internal readonly record struct MatMulBlocks(int M, int N, int K);

/// <summary>The product of the public NKI tutorial, result[M, N] = stationary[K, M]^T x moving[K, N], in its four stages (NKI tutorial, Neuron 2.26) and a contributed one.</summary>
/// <remarks>
/// Tiles of 128 x 128 (K x M) and 128 x 512 (K x N) are loaded one by one, in the last stage rows of a block together. A buffer holds one tile and is free when its last product is done;
/// with <c>wholeArrays</c> it holds a block's tiles and is filled and freed as one, as earlier compilers did. Buffers are doubled where SBUF has room.
/// </remarks>
internal sealed class TutorialMatMulKernel
{
    private const int Ahead = 16;
    private const int Results = 4;
    private readonly KernelBuilder _kernel;
    private readonly DataType _type;
    private readonly bool _wholeArrays;
    private readonly int _tile;
    private readonly int _columns;
    private readonly int _mTiles;
    private readonly int _nTiles;
    private readonly int _kTiles;
    private readonly MemoryTensor _stationary;
    private readonly MemoryTensor _moving;
    private readonly MemoryTensor _result;
    private readonly TileBuffer _sums;
    private long _sum;
    private long _stored;

    private TutorialMatMulKernel(KernelBuilder kernel, int m, int k, int n, DataType type, bool wholeArrays)
    {
        (_kernel, _type, _wholeArrays, _tile, _columns) = (kernel, type, wholeArrays, kernel.Partitions, kernel.BankColumns);
        (_mTiles, _nTiles, _kTiles) = (Whole("M", m, _tile), Whole("N", n, _columns), Whole("K", k, _tile));
        (_stationary, _moving, _result) = (kernel.Input("stationary", k, m, type), kernel.Input("moving", k, n, type), kernel.Output("result", m, n, type));
        _sums = kernel.Psum("sums", kernel.Machine.Psum.Banks);
    }

    /// <summary>Writes the program.</summary>
    /// <exception cref="ArgumentException">M, N or K is not a multiple of its block.</exception>
    /// <exception cref="CapacityException">A block does not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, MatMulStage stage, int m, int k, int n, DataType type, MatMulBlocks blocks, bool wholeArrays = false)
    {
        var product = new TutorialMatMulKernel(kernel, m, k, n, type, wholeArrays);
        switch (stage)
        {
            case MatMulStage.Tiled:
                product.WriteTiles(blocks);
                break;
            case MatMulStage.FullyBlocked:
                product.WriteBlocks(blocks, product._mTiles);
                break;
            case MatMulStage.ResultStationary:
                product.WriteBlocks(blocks, blocks.M);
                break;
            default:
                product.WriteColumns(stage == MatMulStage.Hoisted ? 1 : blocks.M, stage == MatMulStage.Hoisted ? 1 : blocks.N);
                break;
        }

        return kernel.Build();
    }

    /// <summary>The first stage: tiles are loaded when they are needed, for a block of the result.</summary>
    private void WriteTiles(MatMulBlocks block)
    {
        TileBuffer results = _kernel.Sbuf("results", _columns, _type, Results);
        Ring stationary = new(this, "stationary", _tile, 0, _kernel.FreeSbuf), moving = new(this, "moving", _columns, 0, _kernel.FreeSbuf);
        for (int m = 0; m < _mTiles; m += block.M)
        {
            for (int n = 0; n < _nTiles; n += block.N)
            {
                for (int k = 0; k < _kTiles; k++)
                {
                    stationary.Next();
                    moving.Next();
                    Load(stationary, _stationary, k, m, 1, block.M);
                    Load(moving, _moving, k, n, 1, block.N);
                    for (int tile = 0; tile < block.M * block.N; tile++)
                    {
                        (int bm, int bn) = Math.DivRem(tile, block.N);
                        _kernel.MatMul(_sums[_sum + tile][.., ..], stationary.Held(bm), moving.Held(bn), k > 0);
                    }
                }

                for (int tile = 0; tile < block.M * block.N; tile++)
                {
                    Store(results, m + (tile / block.N), n + (tile % block.N), _sums[_sum++][.., ..]);
                }
            }
        }
    }

    /// <summary>The second and third stage: all of K for <paramref name="rows"/> x <paramref name="columns"/> tiles of the result.</summary>
    private void WriteColumns(int rows, int columns)
    {
        TileBuffer results = _kernel.Sbuf("results", _columns, _type, Results);
        long moving = (long)columns * _kTiles * _columns * _type.ByteSize();
        if (moving + ((long)rows * _kTiles * _tile * _type.ByteSize()) > _kernel.FreeSbuf)
        {
            // What does not stay is loaded again for each tile of rows.
            (rows, columns, moving) = (1, 1, moving / columns);
        }

        var held = new Ring(this, "stationary", _tile, rows * _kTiles, _kernel.FreeSbuf - moving);
        var streamed = new Ring(this, "moving", _columns, columns * _kTiles, _kernel.FreeSbuf);
        for (int m = 0; m < _mTiles; m += rows)
        {
            held.Next();
            Load(held, _stationary, 0, m, _kTiles, rows);
            for (int n = 0; n < _nTiles; n += columns)
            {
                streamed.Next();
                Load(streamed, _moving, 0, n, _kTiles, columns);
                for (int tile = 0; tile < rows * columns; tile++)
                {
                    (int bm, int bn) = Math.DivRem(tile, columns);
                    TileView sum = _sums[_sum++][.., ..];
                    for (int k = 0; k < _kTiles; k++)
                    {
                        _kernel.MatMul(sum, held.Held((bm * _kTiles) + k), streamed.Held((bn * _kTiles) + k), k > 0);
                    }

                    Store(results, m + bm, n + bn, sum);
                }
            }
        }
    }

    private void Store(TileBuffer results, int m, int n, in TileView sum)
    {
        TileView result = results[_stored++][.., ..];
        _kernel.Copy(StreamId.Scalar, result, sum);
        _kernel.Store(StreamId.QueueStores, _result.Part((long)m * _tile, _tile, (long)n * _columns, _columns), result);
    }

    /// <summary>Loads <paramref name="tiles"/> neighbours of a ring's width, <paramref name="depth"/> tiles of K each.</summary>
    private void Load(Ring ring, MemoryTensor tensor, int k, int first, int depth, int tiles)
    {
        for (int tile = first; tile < first + tiles; tile++)
        {
            for (int i = k; i < k + depth; i++)
            {
                _kernel.Load(StreamId.QueueActivations, ring.Take(), tensor.Part((long)i * _tile, _tile, (long)tile * ring.Width, ring.Width));
            }
        }
    }

    /// <summary>The last stage: <paramref name="held"/> tiles of rows by a block of columns of the result stay in SBUF; of K a block at a time.</summary>
    private void WriteBlocks(MatMulBlocks block, int held)
    {
        TileBuffer results = _kernel.Sbuf("results", (long)block.N * _columns, _type, held == _mTiles ? held : 2 * held);
        (Ring stationary, Ring moving, int rows) = Operands(block);
        for (int n = 0; n < _nTiles; n += block.N)
        {
            for (int first = 0; first < _mTiles; first += held)
            {
                for (int k = 0; k < _kTiles; k += block.K)
                {
                    moving.Next();
                    Load(moving, _moving, k, n / block.N, block.K, 1);
                    for (int m = first; m < first + held; m += rows)
                    {
                        stationary.Next();
                        Load(stationary, _stationary, k, m / rows, block.K, 1);
                        Multiply(stationary, moving, results, m, rows, k, block);
                    }
                }

                for (int m = first; m < first + held; m++)
                {
                    _kernel.Store(StreamId.QueueStores, _result.Part((long)m * _tile, _tile, (long)n * _columns, (long)block.N * _columns), Result(results, m)[.., ..]);
                }

                _stored += held;
            }
        }
    }

    /// <summary>Row tile <paramref name="m"/> of the results held; those before them may still be on their way out.</summary>
    private Tile Result(TileBuffer results, int m) => results[_stored + (m % Math.Min(_mTiles, results.Copies))];

    /// <summary>Fewer rows a block where the stationary tiles do not fit twice.</summary>
    private (Ring Stationary, Ring Moving, int Rows) Operands(MatMulBlocks block)
    {
        int size = _type.ByteSize(), rows = block.M;
        long moving = (long)block.K * block.N * _columns * size;
        while (rows > 1 && (2L * block.K * rows * _tile * size) + moving > _kernel.FreeSbuf)
        {
            rows /= 2;
        }

        return (
            new Ring(this, "stationary", rows * _tile, block.K, _kernel.FreeSbuf - moving),
            new Ring(this, "moving", block.N * _columns, block.K, _kernel.FreeSbuf),
            rows);
    }

    private void Multiply(Ring stationary, Ring moving, TileBuffer results, int m, int rows, int k, MatMulBlocks block)
    {
        for (int bn = 0; bn < block.N; bn++)
        {
            for (int bm = 0; bm < rows; bm++)
            {
                TileView sum = _sums[_sum++][.., ..];
                for (int i = 0; i < block.K; i++)
                {
                    _kernel.MatMul(sum, stationary.Held(i).Columns(bm * _tile, _tile), moving.Held(i).Columns(bn * _columns, _columns), i > 0);
                }

                TileView result = Result(results, m + bm)[.., (bn * _columns)..((bn + 1) * _columns)];
                if (k == 0)
                {
                    _kernel.Copy(StreamId.Vector, result, sum);
                }
                else
                {
                    _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, result, sum, result);
                }
            }
        }
    }

    private static int Whole(string name, int size, int tile) => size > 0 && size % tile == 0
        ? size / tile
        : throw new ArgumentException(FormattableString.Invariant($"Found {name} = {size}, expected a multiple of {tile}."), name);

    /// <summary>Tiles of one operand: taken one after the other, reused when what held them is done.</summary>
    private sealed class Ring
    {
        private readonly TileBuffer _buffer;
        private readonly int _perBuffer;
        private long _first;
        private long _taken;

        /// <param name="kernel">The kernel.</param>
        /// <param name="name">Its name among the buffers.</param>
        /// <param name="width">Elements per partition of a tile.</param>
        /// <param name="held">Tiles that are used together; 0 where each is used once.</param>
        /// <param name="space">Bytes per partition it may take at most.</param>
        public Ring(TutorialMatMulKernel kernel, string name, int width, int held, long space)
        {
            (Width, _perBuffer) = (width, kernel._wholeArrays && held > 0 ? held : 1);
            long wanted = held > 0 ? Math.Max(2L * held, held + 2) / _perBuffer : Ahead;
            long fit = space / ((long)width * _perBuffer * kernel._type.ByteSize());
            _buffer = kernel._kernel.Sbuf(name, (long)width * _perBuffer, kernel._type, (int)Math.Clamp(fit, Math.Max(1, held / _perBuffer), wanted));
        }

        /// <summary>Elements per partition of a tile.</summary>
        public int Width { get; }

        /// <summary>The tiles taken from here on belong together.</summary>
        public void Next() => _first = _taken;

        public TileView Take() => At(_taken++);

        /// <summary>Tile <paramref name="index"/> of those that belong together.</summary>
        public TileView Held(int index) => At(_first + index);

        private TileView At(long tile)
        {
            (long buffer, long slice) = Math.DivRem(tile, _perBuffer);
            return _buffer[buffer][.., ((int)slice * Width)..((int)(slice + 1) * Width)] with { IsWhole = _perBuffer > 1 };
        }
    }
}
