using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>What a mapping means for one product on one machine: block counts, buffers, and an estimate of the time.</summary>
internal sealed class MatMulPlan
{
    /// <summary>Row chunks of 128 that one PSUM bank takes when an operand is transposed.</summary>
    public const int ChunksPerTranspose = 4;

    private readonly MatMul _op;
    private readonly Accelerator _machine;

    public MatMulPlan(MatMul op, MatMulMapping mapping, Accelerator machine)
    {
        (_op, Mapping, _machine) = (op, mapping, machine);
        TileK = machine.TensorEngine.ContractionRows(op.Type);
        RowsPerCell = TileK / machine.TensorEngine.Rows;
        TileM = machine.TensorEngine.Columns;
        TileN = (int)Math.Min(machine.TensorEngine.MaximumMoving, machine.Psum.BankSize.Value / sizeof(float));
        TransposeLeft = !op.LeftTransposed;
        TransposeRight = op.RightTransposed;
        TransposeBanks = TransposeLeft || TransposeRight ? 2 : 0;
        GroupN = (machine.Psum.Banks - TransposeBanks) / 2;
        (BlocksM, BlocksN, BlocksK) = (Ceiling(op.M, mapping.BlockM), Ceiling(op.N, mapping.BlockN), Ceiling(op.K, mapping.BlockK));
        bool psumResident = Ceiling(mapping.BlockM, TileM) == 1 && Ceiling(mapping.BlockN, TileN) <= GroupN;
        AccumulateInSbuf = BlocksK > 1 && !psumResident;
        LeftTilesK = Ceiling(mapping.LeftResident ? op.K : mapping.BlockK, TileK);
        RightTilesK = Ceiling(mapping.BlockK, TileK);
        LeftCopies = (mapping.LeftResident ? BlocksM : BlocksM * BlocksN * BlocksK) * op.Batch > 1 ? 2 : 1;
        RightCopies = (BlocksN * BlocksK == 1 ? 1 : BlocksM * BlocksN * BlocksK) * op.Batch > 1 ? 2 : 1;
    }

    public MatMulMapping Mapping { get; }

    public int TileK { get; }

    public int RowsPerCell { get; }

    public int TileM { get; }

    public int TileN { get; }

    /// <summary>The operand lies in memory with K along its rows' length and must be transposed on the array.</summary>
    public bool TransposeLeft { get; }

    /// <inheritdoc cref="TransposeLeft"/>
    public bool TransposeRight { get; }

    public int TransposeBanks { get; }

    /// <summary>Column tiles that accumulate at once, a PSUM bank each; as many again drain meanwhile.</summary>
    public int GroupN { get; }

    public long BlocksM { get; }

    public long BlocksN { get; }

    public long BlocksK { get; }

    /// <summary>Partial sums of the blocks of K are added in SBUF, because the block's tiles are more than PSUM holds open.</summary>
    public bool AccumulateInSbuf { get; }

    public long LeftTilesK { get; }

    public long RightTilesK { get; }

    public int LeftCopies { get; }

    public int RightCopies { get; }

    private int ElementSize => _op.Type.ByteSize();

    /// <summary>SBUF bytes per partition of one K tile of the left block.</summary>
    public long LeftTileBytes => Mapping.BlockM * ElementSize * RowsPerCell;

    /// <summary>SBUF bytes per partition of one K tile of the right block.</summary>
    public long RightTileBytes => Mapping.BlockN * ElementSize * RowsPerCell;

    /// <summary>SBUF bytes per partition of a strip of 128 output rows of a block.</summary>
    public long StripBytes => Mapping.BlockN * _op.OutputType.ByteSize();

    /// <summary>SBUF bytes per partition of the fp32 sums of a strip.</summary>
    public long SumBytes => Mapping.BlockN * sizeof(float);

    /// <summary>SBUF bytes per partition of one chunk of 128 rows that waits to be transposed.</summary>
    public static long StagingBytes(long tilesK, int tileK, int elementSize) => tilesK * tileK * elementSize;

    /// <summary>SBUF bytes per partition over all buffers.</summary>
    public long BytesPerPartition
    {
        get
        {
            long left = LeftTilesK * LeftTileBytes * LeftCopies;
            long right = RightTilesK * RightTileBytes * RightCopies;
            long staging = (TransposeLeft ? Chunks(Mapping.BlockM) * StagingBytes(LeftTilesK, TileK, ElementSize) : 0)
                + (TransposeRight ? Chunks(Mapping.BlockN) * StagingBytes(RightTilesK, TileK, ElementSize) : 0);
            long sums = AccumulateInSbuf ? Ceiling(Mapping.BlockM, TileM) * SumBytes : 0;
            return left + right + (2 * staging) + sums + (2 * StripBytes) + (_op.Bias ? 2 * RightTileBytes : 0);
        }
    }

    /// <summary>Row chunks that are staged together.</summary>
    public long Chunks(long width) => Math.Min(ChunksPerTranspose, Ceiling(width, TileM));

    /// <summary>The longest of array, DMA and eviction time, and the first block's load, which nothing hides.</summary>
    public double EstimatedSeconds
    {
        get
        {
            double tiles = (double)Ceiling(_op.M, TileM) * Ceiling(_op.K, TileK);
            double columns = tiles * Math.Max(_op.N, _machine.TensorEngine.MinimumInterval) * _machine.TensorEngine.Passes(_op.Type);
            double chunks = (TransposeLeft ? tiles * LeftLoads : 0) + (TransposeRight ? (double)Ceiling(_op.N, TileM) * Ceiling(_op.K, TileK) * RightLoads : 0);
            double array = (columns + (chunks * TileM)) / _machine.TensorEngine.SustainedRate.Hertz;
            double bytes = ((double)_op.M * _op.K * LeftLoads * ElementSize) + ((double)_op.K * _op.N * RightLoads * ElementSize) + ((double)_op.M * _op.N * _op.OutputType.ByteSize());
            double strips = (double)Ceiling(_op.M, TileM) * Ceiling(_op.N, TileN) * (AccumulateInSbuf ? BlocksK : 1);
            double evictions = ((strips * (TileN + _machine.VectorEngine.StaticCycles)) + (chunks * TileM)) / _machine.VectorEngine.Clock.Hertz;
            double first = (LeftTilesK * LeftTileBytes) + (RightTilesK * RightTileBytes);
            double rate = Math.Min(_machine.MemoryPerCore.BytesPerSecond, _machine.Dma.Bandwidth.BytesPerSecond);
            return Math.Max(array, Math.Max(bytes / rate, evictions)) * _op.Batch + (first * _machine.Sbuf.Partitions / rate);
        }
    }

    private double LeftLoads => Mapping.LeftResident || BlocksM * BlocksK == 1 ? 1 : BlocksN;

    private double RightLoads => BlocksN * BlocksK == 1 ? 1 : BlocksM;

    public static long Ceiling(long value, long unit) => (value + unit - 1) / unit;
}
