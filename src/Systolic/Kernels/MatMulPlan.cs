using Systolic.Components;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>What a mapping means for one product on one machine: block counts, buffers, and an estimate of the time.</summary>
internal sealed class MatMulPlan
{
    /// <summary>Row chunks of 128 that one PSUM bank takes when an operand is transposed, at most.</summary>
    private const int MaximumChunksPerTranspose = 4;

    private readonly MatMul _op;
    private readonly Accelerator _machine;
    private readonly TensorEngineSpec _array;

    public MatMulPlan(MatMul op, MatMulMapping mapping, Accelerator machine)
    {
        (_op, Mapping, _machine) = (op, mapping, machine);
        TileK = machine.TensorEngine.ContractionRows(op.Type);
        RowsPerCell = TileK / machine.TensorEngine.Rows;
        _array = RowsPerCell == 1 ? machine.TensorEngine : machine.TensorEngine with { Parts = 1 };
        TileM = machine.TensorEngine.Columns;
        TileN = (int)Math.Min(machine.TensorEngine.MaximumMoving, machine.Psum.BankSize.Value / sizeof(float));
        bool byDma = machine.Dma.MemoryTransposeShare > 0 && op.Type.ByteSize() is 2 or 4;
        TransposeLeft = !op.LeftTransposed && !byDma;
        TransposeRight = op.RightTransposed && !byDma;
        LoadShareLeft = op.LeftTransposed || !byDma ? 1 : machine.Dma.MemoryTransposeShare;
        LoadShareRight = !op.RightTransposed || !byDma ? 1 : machine.Dma.MemoryTransposeShare;
        TransposeBanks = TransposeLeft || TransposeRight ? 2 : 0;
        GroupN = (machine.Psum.Banks - TransposeBanks) / 2;
        (BlocksM, BlocksN, BlocksK) = (Ceiling(op.M, mapping.BlockM), Ceiling(op.N, mapping.BlockN), Ceiling(op.K, mapping.BlockK));
        bool psumResident = Ceiling(mapping.BlockM, TileM) == 1 && Ceiling(mapping.BlockN, TileN) <= GroupN;
        AccumulateInSbuf = BlocksK > 1 && !psumResident;
        LeftTilesK = Ceiling(mapping.LeftResident ? op.K : mapping.BlockK, TileK);
        RightTilesK = Ceiling(mapping.BlockK, TileK);
        LeftCopies = (mapping.LeftResident ? BlocksM : BlocksM * BlocksN * BlocksK) * op.Batch > 1 ? mapping.Buffers : 1;
        RightCopies = (BlocksN * BlocksK == 1 ? 1 : BlocksM * BlocksN * BlocksK) * op.Batch > 1 ? mapping.Buffers : 1;
    }

    public MatMulMapping Mapping { get; }

    public int TileK { get; }

    public int RowsPerCell { get; }

    public int TileM { get; }

    public int TileN { get; }

    /// <summary>The operand lies in memory with K along its rows' length and must be transposed on the array, for the DMA engines cannot.</summary>
    public bool TransposeLeft { get; }

    /// <inheritdoc cref="TransposeLeft"/>
    public bool TransposeRight { get; }

    /// <summary>The DMA engines transpose the operand on its way.</summary>
    public bool LoadTransposedLeft => !_op.LeftTransposed && !TransposeLeft;

    /// <inheritdoc cref="LoadTransposedLeft"/>
    public bool LoadTransposedRight => _op.RightTransposed && !TransposeRight;

    /// <summary>Rate of the operand's loads as a share of the copy rate: below one when the DMA engines transpose it on the way.</summary>
    public double LoadShareLeft { get; }

    /// <inheritdoc cref="LoadShareLeft"/>
    public double LoadShareRight { get; }

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

    /// <summary>The strips of the array that products of <paramref name="rows"/> rows of the result take side by side; where a cell takes several rows of K, all of it.</summary>
    public ColumnStrips Strips(int rows) => new(_array, rows);

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
    public long Chunks(long width) => Math.Min(Math.Clamp(_machine.Psum.BankSize.Value / ((long)TileM * ElementSize), 1, MaximumChunksPerTranspose), Ceiling(width, TileM));

    /// <summary>Steps of the longest of array, DMA, eviction and latency of a double-buffered load, and the first block's load, which nothing hides.</summary>
    /// <remarks>
    /// A block's storage is free for the load after next when its products end; that load must arrive before the blocks in between are used up:
    /// with b buffers a step takes at least (latency + load + compute) / b.
    /// </remarks>
    public double EstimatedSeconds
    {
        get
        {
            double steps = (double)BlocksM * BlocksN * BlocksK;
            double array = ArraySeconds / steps;
            double memory = Bytes / Rate / steps;
            double latency = (_machine.Dma.TriggerLatency + _machine.Dma.CompletionLatency + _machine.TensorEngine.ResultLatency).Seconds;
            double prefetch = (latency + memory + array) / Mapping.Buffers;
            return (Math.Max(Math.Max(array, memory), Math.Max(EvictionSeconds / steps, prefetch)) * steps * _op.Batch) + FirstSeconds;
        }
    }

    /// <summary>The rows fit one tile of the array, so that each weight is loaded for a single use.</summary>
    public static bool IsStream(Operator op, Accelerator machine) => op is MatMul { M: var rows } && rows <= machine.TensorEngine.Columns;

    /// <summary>Traffic takes longer than the array.</summary>
    public bool IsMemoryBound => Bytes / Rate > ArraySeconds;

    /// <summary>The load of the first blocks, which nothing hides.</summary>
    public double FirstSeconds => ((LeftTilesK * LeftTileBytes) + (RightTilesK * RightTileBytes)) * _machine.Sbuf.Partitions / Rate;

    private double Rate => Math.Min(_machine.MemoryPerCore.BytesPerSecond, _machine.Dma.Bandwidth.BytesPerSecond);

    /// <summary>What the products alone take of the array: no mapping is faster.</summary>
    public double LeastSeconds => _op.Batch * ProductColumns / (_machine.TensorEngine.SustainedRate.Hertz * _machine.TensorEngine.Arrays);

    private double ArraySeconds => (ProductColumns + (Chunks128 * TileM)) / (_machine.TensorEngine.SustainedRate.Hertz * _machine.TensorEngine.Arrays);

    private double ProductColumns => TilesM * TilesK * Math.Max(_op.N, _machine.TensorEngine.MinimumInterval) * _machine.TensorEngine.Passes(_op.Type)
        / Math.Min(Strips((int)Math.Min(_op.M, TileM)).Count, Math.Min(Ceiling(Mapping.BlockN, TileN), GroupN));

    /// <summary>Bytes to and from main memory, transposing loads counted as what they take of the engines.</summary>
    public double Bytes => ((double)_op.M * _op.K * LeftLoads / LoadShareLeft * _op.Type.ByteSize()) + ((double)_op.K * _op.N * RightLoads / LoadShareRight * _op.Type.ByteSize())
        + ((double)_op.M * _op.N * _op.OutputType.ByteSize());

    private double EvictionSeconds => TilesM * ((_op.N + (_machine.VectorEngine.StaticCycles * Ceiling(_op.N, TileN))) * (AccumulateInSbuf ? BlocksK : 1)) / _machine.VectorEngine.Clock.Hertz;

    private double TilesM => Ceiling(_op.M, TileM);

    private double TilesK => Ceiling(_op.K, TileK);

    /// <summary>Squares of 128 x 128 that the array transposes.</summary>
    private double Chunks128 => RowsPerCell * ((TransposeLeft ? TilesM * TilesK * LeftLoads : 0) + (TransposeRight ? Ceiling(_op.N, TileM) * TilesK * RightLoads : 0));

    private double LeftLoads => Mapping.LeftResident || BlocksM * BlocksK == 1 ? 1 : BlocksN;

    private double RightLoads => BlocksN * BlocksK == 1 ? 1 : BlocksM;

    public static long Ceiling(long value, long unit) => (value + unit - 1) / unit;
}
