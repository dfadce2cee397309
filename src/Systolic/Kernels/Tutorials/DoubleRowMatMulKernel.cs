using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The public product in fp8 with two rows of K for each cell (nki-samples), result[M, N] = left[M, K] x right[K, N]: left rows are quantized block of K by block, right columns came quantized.</summary>
/// <remarks>
/// Blocks as the published measurement has them: 2 x 128 rows, 2 x 512 columns, 16 x 128 of K. A block of left rows is quantized by its largest magnitude and transposed through the array; right tiles hold two
/// neighbouring tiles of K side by side, as the kernel takes them from main memory. Products of a block of K are scaled and added in SBUF; the scales of the columns come last.
/// </remarks>
internal sealed class DoubleRowMatMulKernel
{
    private const int RowTiles = 2;
    private const int ColumnTiles = 2;
    private const int DepthTiles = 16;
    private const float Largest = 240;
    private readonly KernelBuilder _kernel;
    private readonly int _tile;
    private readonly int _columns;
    private readonly int _blockN;
    private readonly MemoryTensor _left;
    private readonly MemoryTensor _right;
    private readonly TileBuffer _loaded;
    private readonly TileBuffer _magnitudes;
    private readonly TileBuffer _scales;
    private readonly TileBuffer _quantized;
    private readonly TileBuffer _transposed;
    private readonly TileBuffer _rights;
    private readonly TileBuffer _sums;
    private readonly TileBuffer _transposes;
    private readonly TileBuffer _banks;
    private long _bank;

    private DoubleRowMatMulKernel(KernelBuilder kernel, int m, int k, int n)
    {
        (_kernel, _tile, _columns) = (kernel, kernel.Partitions, kernel.BankColumns);
        _blockN = ColumnTiles * _columns;
        if (m % (RowTiles * _tile) != 0 || n % _blockN != 0 || k % (DepthTiles * _tile) != 0 || kernel.Machine.TensorEngine.ContractionRows(DataType.Fp8E4M3) != 2 * _tile)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"Found {m} x {k} x {n} (M x K x N) on {kernel.Machine.Name}, expected multiples of {RowTiles * _tile}, {DepthTiles * _tile} and {_blockN} on a machine whose cells take two rows of fp8."), nameof(m));
        }

        (_left, _right) = (kernel.Input("left", m, k, DataType.Bf16), kernel.Input("right", k / 2, 2L * n, DataType.Fp8E4M3));
        int depth = DepthTiles * _tile;
        _loaded = kernel.Sbuf("left", depth, DataType.Bf16, 3);
        _magnitudes = kernel.Sbuf("magnitudes", depth, DataType.Bf16, 2);
        _scales = kernel.Sbuf("scales", 2, DataType.Fp32, 2 * RowTiles);
        _quantized = kernel.Sbuf("quantized", depth, DataType.Fp8E4M3, 2);
        _transposed = kernel.Sbuf("transposed", 4L * _tile, DataType.Fp8E4M3, 2 * RowTiles * DepthTiles / 4);
        _rights = kernel.Sbuf("right", 2L * _blockN, DataType.Fp8E4M3, DepthTiles);
        _sums = kernel.Sbuf("sums", n, DataType.Bf16, 2 * RowTiles);
        _transposes = kernel.Psum("transposes", 2, DataType.Fp8E4M3);
        _banks = kernel.Psum("products", RowTiles * ColumnTiles);
    }

    /// <summary>Writes the program.</summary>
    /// <exception cref="ArgumentException">A size is not a multiple of its block, or the machine takes one row of fp8 per cell.</exception>
    /// <exception cref="CapacityException">The blocks do not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, int m, int k, int n)
    {
        var product = new DoubleRowMatMulKernel(kernel, m, k, n);
        MemoryTensor scales = kernel.Input("right scales", kernel.Partitions, n, DataType.Bf16), output = kernel.Output("result", m, n, DataType.Bf16);
        TileView columnScales = kernel.Sbuf("right scales", n, DataType.Bf16)[0];
        kernel.Load(StreamId.QueueSmall, columnScales, scales.Part(0, kernel.Partitions));
        int depths = k / (DepthTiles * kernel.Partitions), blocks = m / (RowTiles * kernel.Partitions) * depths;
        product.Quantize(0, depths);
        for (int block = 0; block < blocks; block++)
        {
            product.MultiplyBlock(block, depths, n, block + 1 < blocks);
            for (int row = 0; row < RowTiles && block % depths == depths - 1; row++)
            {
                TileView sum = product.Sum(block / depths, row);
                kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, sum, sum, columnScales);
                kernel.Store(StreamId.QueueStores, output.Part(((long)(block / depths * RowTiles) + row) * kernel.Partitions, kernel.Partitions), sum);
            }
        }

        return kernel.Build();
    }

    private TileView Sum(int rows, int row) => _sums[(rows * RowTiles) + row];

    /// <summary>Rows of a block of rows and K.</summary>
    private static int Turn(int block, int row) => (block * RowTiles) + row;

    /// <summary>The products of a block, while the next block is quantized; then their sums.</summary>
    private void MultiplyBlock(int block, int depths, int n, bool more)
    {
        (int rows, int depth) = Math.DivRem(block, depths);
        for (int column = 0; column < n; column += _blockN)
        {
            long turn = (((long)block * (n / _blockN)) + (column / _blockN)) * (DepthTiles / 2);
            for (int pair = 0; pair < DepthTiles / 2; pair++)
            {
                _kernel.Load(StreamId.QueueWeights, _rights[turn + pair], _right.Part(((long)depth * DepthTiles / 2 * _tile) + ((long)pair * _tile), _tile, 2L * column, 2L * _blockN));
            }

            for (int tile = 0; tile < RowTiles * ColumnTiles; tile++)
            {
                Multiply(Turn(block, tile / ColumnTiles), tile, turn);
            }

            if (more && column + _blockN == n)
            {
                Quantize(block + 1, depths);
            }

            for (int tile = 0; tile < RowTiles * ColumnTiles; tile++)
            {
                (int row, int bank) = Math.DivRem(tile, ColumnTiles);
                Add(_scales[Turn(block, row)][.., ..1], Sum(rows, row).Skip(column + (bank * _columns)).Every(1, _columns), _banks[tile], depth == 0);
            }
        }
    }

    private void Quantize(int block, int depths)
    {
        (int rows, int depth) = Math.DivRem(block, depths);
        for (int row = 0; row < RowTiles; row++)
        {
            Quantize(Turn(block, row), ((rows * RowTiles) + row) * _tile, depth);
        }
    }

    /// <summary>128 rows of a block of K: the largest magnitude of each becomes 240; then K moves to the partitions.</summary>
    private void Quantize(int turn, int first, int depth)
    {
        Tile loaded = _loaded[turn], quantized = _quantized[turn];
        TileView magnitudes = _magnitudes[turn], scale = _scales[turn][.., ..1], inverse = _scales[turn][.., 1..];
        _kernel.Load(StreamId.QueueActivations, loaded, _left.Part(first, _tile, (long)depth * loaded.Elements, loaded.Elements));
        _kernel.ScalarTensorTensor(magnitudes, loaded, AluOperator.Multiply, -1, AluOperator.Maximum, loaded);
        _kernel.TensorReduce(AluOperator.Maximum, scale, magnitudes);
        _kernel.TensorScalar(StreamId.Vector, scale, scale, AluOperator.Multiply, 1 / Largest);
        _kernel.Reciprocal(inverse, scale);
        _kernel.TensorScalar(StreamId.Vector, quantized, loaded, AluOperator.Multiply, inverse);
        for (int group = 0; group < DepthTiles / 4; group++)
        {
            TileView bank = _transposes[_bank++][.., ..(4 * _tile)];
            for (int i = 0; i < 4; i++)
            {
                _kernel.Transpose(bank.Skip(i * _tile).Every(1, _tile), quantized[.., (((4 * group) + i) * _tile)..(((4 * group) + i + 1) * _tile)]);
            }

            _kernel.Copy(StreamId.Scalar, Transposed(turn, group), bank);
        }
    }

    private Tile Transposed(int turn, int group) => _transposed[(turn * (DepthTiles / 4)) + group];

    private void Multiply(int turn, int tile, long right)
    {
        int column = 2 * (tile % ColumnTiles) * _columns;
        for (int pair = 0; pair < DepthTiles / 2; pair++)
        {
            (int group, int half) = Math.DivRem(pair, 2);
            TileView stationary = Transposed(turn, group)[.., (2 * half * _tile)..(2 * (half + 1) * _tile)];
            _kernel.MatMul(_banks[tile], stationary, _rights[right + pair][.., column..(column + (2 * _columns))], pair > 0);
        }
    }

    private void Add(in TileView scale, in TileView sum, in TileView product, bool first)
    {
        if (first)
        {
            _kernel.TensorScalar(StreamId.Vector, sum, product, AluOperator.Multiply, scale);
        }
        else
        {
            _kernel.ScalarTensorTensor(sum, product, AluOperator.Multiply, scale, AluOperator.Add, sum);
        }
    }
}
