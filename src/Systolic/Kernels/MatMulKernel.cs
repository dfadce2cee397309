using System.Collections.Immutable;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Blocked matrix product: tiles of 128 x 128 x 512 accumulate in PSUM, blocks of all three dimensions pass double buffered through SBUF.</summary>
internal sealed class MatMulKernel
{
    /// <summary>Products of one program; a larger operator becomes several programs.</summary>
    private const long MaximumProducts = 1L << 20;

    private readonly MatMul _op;
    private readonly KernelBuilder _kernel;
    private readonly MatMulPlan _plan;
    private readonly OperandPanel _left;
    private readonly OperandPanel _right;
    private readonly TileBuffer _banks;
    private readonly TileBuffer _strips;
    private readonly TileBuffer? _sums;
    private readonly TileBuffer? _bias;
    private long _bankRound;
    private long _stripRound;

    private MatMulKernel(MatMul op, MatMulMapping mapping, Accelerator machine)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name);
        _plan = new MatMulPlan(op, mapping, machine);
        TileBuffer? transposes = _plan.TransposeBanks > 0 ? _kernel.Psum("transposes", _plan.TransposeBanks) : null;
        _banks = _kernel.Psum("sums", 2 * _plan.GroupN);
        _left = new OperandPanel(_kernel, "left", StreamId.QueueActivations, op.Type, _plan.TileK, _plan.LeftTilesK, _plan.LeftTileBytes, _plan.LeftCopies,
            (int)_plan.Chunks(mapping.BlockM), _plan.TransposeLeft ? transposes : null, _plan.LoadShareLeft < 1);
        _right = new OperandPanel(_kernel, "right", StreamId.QueueWeights, op.Type, _plan.TileK, _plan.RightTilesK, _plan.RightTileBytes, _plan.RightCopies,
            (int)_plan.Chunks(mapping.BlockN), _plan.TransposeRight ? transposes : null, _plan.LoadShareRight < 1);
        _strips = _kernel.Sbuf("output strip", _plan.StripBytes, 2);
        _sums = _plan.AccumulateInSbuf ? _kernel.Sbuf("partial sums", _plan.SumBytes, (int)MatMulPlan.Ceiling(mapping.BlockM, _plan.TileM)) : null;
        _bias = op.Bias ? _kernel.Sbuf("bias", mapping.BlockN * op.Type.ByteSize(), 2) : null;
    }

    /// <summary>Lowers with the best mapping.</summary>
    public static Lowering Lower(MatMul op, Accelerator machine)
    {
        ImmutableArray<(MatMul Part, MatMulMapping Mapping, long Repeat)> parts =
            [.. Parts(op, machine).Select(part => (part.Part, MatMulMapping.Choose(part.Part, machine), part.Repeat))];
        return new Lowering(parts.Select(part => new LoweredPass(new MatMulKernel(part.Part, part.Mapping, machine).Write(), part.Repeat)), parts[0].Mapping.ToString());
    }

    /// <summary>The operator cut into parts of bounded size: over the batch first, then over M, then over N.</summary>
    private static IEnumerable<(MatMul Part, long Repeat)> Parts(MatMul op, Accelerator machine)
    {
        long tilesK = MatMulPlan.Ceiling(op.K, machine.TensorEngine.ContractionRows(op.Type));
        long m = Pieces(op.M, 4096, tilesK * MatMulPlan.Ceiling(op.N, 512) * 32);
        long n = m > 4096 ? op.N : Pieces(op.N, 4096, tilesK * MatMulPlan.Ceiling(m, 128) * 8);
        long products = tilesK * MatMulPlan.Ceiling(m, 128) * MatMulPlan.Ceiling(n, 512);
        long batch = m == op.M && n == op.N ? Math.Min(op.Batch, Math.Max(1, MaximumProducts / products)) : 1;
        foreach ((long rows, long rowRepeat) in Cut(op.M, m))
        {
            foreach ((long columns, long columnRepeat) in Cut(op.N, n))
            {
                foreach ((long copies, long batchRepeat) in Cut(op.Batch, batch))
                {
                    yield return (op with { M = rows, N = columns, Batch = copies }, checked(rowRepeat * columnRepeat * batchRepeat));
                }
            }
        }
    }

    /// <summary>The largest multiple of <paramref name="unit"/> whose products stay within the limit, or the whole extent when it does.</summary>
    private static long Pieces(long extent, long unit, long productsPerUnit)
    {
        long units = Math.Max(1, MaximumProducts / Math.Max(1, productsPerUnit));
        return units >= MatMulPlan.Ceiling(extent, unit) ? extent : units * unit;
    }

    private static IEnumerable<(long Size, long Repeat)> Cut(long extent, long piece)
    {
        yield return (piece, extent / piece);
        if (extent % piece > 0)
        {
            yield return (extent % piece, 1);
        }
    }

    private Program Write()
    {
        (long, long, long, long)[] steps = [.. Steps()];
        for (int i = 0; i < steps.Length; i++)
        {
            (long left, long right) = Load(steps[i], true, true);
            TransposeDeferred(1);
            if (i + 1 < steps.Length)
            {
                Load(steps[i + 1], _left.CanLoadAhead, _right.CanLoadAhead);
            }

            Compute(steps[i], left, right);
        }

        return _kernel.Build();
    }

    private IEnumerable<(long Batch, long M, long N, long K)> Steps()
    {
        for (long b = 0; b < _op.Batch; b++)
        {
            for (long m = 0; m < _plan.BlocksM; m++)
            {
                for (long n = 0; n < _plan.BlocksN; n++)
                {
                    for (long k = 0; k < _plan.BlocksK; k++)
                    {
                        yield return (b, m, n, k);
                    }
                }
            }
        }
    }

    private (long Left, long Right) Load((long Batch, long M, long N, long K) step, bool left, bool right)
    {
        MatMulMapping mapping = _plan.Mapping;
        long depth = Extent(_op.K, mapping.BlockK, step.K);
        long leftLoad = left ? _left.Ensure((step.Batch, step.M, mapping.LeftResident ? -1 : step.K), Extent(_op.M, mapping.BlockM, step.M), mapping.LeftResident ? _op.K : depth) : -1;
        long rightLoad = right ? _right.Ensure((step.Batch, step.N, step.K), Extent(_op.N, mapping.BlockN, step.N), depth) : -1;
        return (leftLoad, rightLoad);
    }

    private void Compute((long Batch, long M, long N, long K) step, long left, long right)
    {
        long rows = Extent(_op.M, _plan.Mapping.BlockM, step.M);
        long columns = Extent(_op.N, _plan.Mapping.BlockN, step.N);
        long depth = Extent(_op.K, _plan.Mapping.BlockK, step.K);
        int firstSlice = _plan.Mapping.LeftResident ? (int)(step.K * _plan.RightTilesK) : 0;
        Tile? bias = LoadBias(step, columns);
        long group = _plan.TileN * EvenShare(MatMulPlan.Ceiling(columns, _plan.TileN), _plan.GroupN);
        long groups = MatMulPlan.Ceiling(rows, _plan.TileM) * MatMulPlan.Ceiling(columns, group);
        bool firstK = step.K == 0, lastK = step.K == _plan.BlocksK - 1;
        for (long row = 0; row < rows; row += _plan.TileM)
        {
            int m = (int)Math.Min(_plan.TileM, rows - row);
            bool scalarFree = _plan.TransposeBanks == 0 && !_op.Bias;
            StreamId engine = scalarFree && (_stripRound & 1) == 1 ? StreamId.Scalar : StreamId.Vector;
            for (long column = 0; column < columns; column += group)
            {
                long width = Math.Min(group, columns - column);
                Accumulate(left, right, firstSlice, m, width, depth, firstK || _plan.AccumulateInSbuf);
                if (lastK || _plan.AccumulateInSbuf)
                {
                    Evict(engine, (int)(row / _plan.TileM), m, width, bias, firstK, lastK);
                }

                TransposeDeferred(groups--);
            }

            if (lastK)
            {
                _kernel.Store(StreamId.QueueStores, _strips[_stripRound++], m, columns * _op.OutputType.ByteSize());
            }
        }
    }

    /// <summary>Writes an even share of the transposes of the next block when <paramref name="groups"/> groups of products are left, so that the array never waits for their evictions.</summary>
    private void TransposeDeferred(long groups)
    {
        _left.TransposeDeferred((int)MatMulPlan.Ceiling(_left.Deferred, groups));
        _right.TransposeDeferred((int)MatMulPlan.Ceiling(_right.Deferred, groups));
    }

    private Tile? LoadBias((long Batch, long M, long N, long K) step, long columns)
    {
        if (_bias is null)
        {
            return null;
        }

        Tile bias = _bias[(step.M * _plan.BlocksN) + step.N];
        if (step.K == 0)
        {
            _kernel.Load(StreamId.QueueSmall, bias, _kernel.Partitions, columns * _op.Type.ByteSize());
        }

        return bias;
    }

    private void Accumulate(long left, long right, int firstSlice, int m, long width, long depth, bool overwrite)
    {
        for (int k = 0; k * (long)_plan.TileK < depth; k++)
        {
            int slice = (int)Math.Min(_plan.TileK, depth - (k * (long)_plan.TileK));
            for (int n = 0; n * (long)_plan.TileN < width; n++)
            {
                int tile = (int)Math.Min(_plan.TileN, width - (n * (long)_plan.TileN));
                _kernel.MatMul(_banks[_bankRound + n], _left[left, firstSlice + k], _right[right, k], slice, m, tile, _op.Type, k > 0 || !overwrite);
            }
        }
    }

    private void Evict(StreamId engine, int strip, int m, long width, Tile? bias, bool firstK, bool lastK)
    {
        for (int n = 0; n * (long)_plan.TileN < width; n++)
        {
            int tile = (int)Math.Min(_plan.TileN, width - (n * (long)_plan.TileN));
            Tile bank = _banks[_bankRound++];
            if (_sums is { } sums && !(firstK && lastK))
            {
                Sum(bank, sums[strip], m, tile, firstK, lastK, bias);
            }
            else if (bias is { } vector)
            {
                _kernel.TensorTensor(StreamId.Vector, _strips[_stripRound], bank, vector, m, tile, DataType.Fp32, _op.OutputType);
            }
            else
            {
                _kernel.Copy(engine, _strips[_stripRound], bank, m, tile, DataType.Fp32, _op.OutputType);
            }
        }
    }

    private void Sum(Tile bank, Tile sum, int m, int width, bool firstK, bool lastK, Tile? bias)
    {
        if (firstK && bias is { } vector)
        {
            _kernel.TensorTensor(StreamId.Vector, sum, bank, vector, m, width, DataType.Fp32, DataType.Fp32);
        }
        else if (firstK)
        {
            _kernel.Copy(StreamId.Vector, sum, bank, m, width, DataType.Fp32, DataType.Fp32);
        }
        else
        {
            _kernel.TensorTensor(StreamId.Vector, lastK ? _strips[_stripRound] : sum, bank, sum, m, width, DataType.Fp32, lastK ? _op.OutputType : DataType.Fp32);
        }
    }

    /// <summary>Tiles per group when <paramref name="tiles"/> are dealt evenly to as few groups of at most <paramref name="limit"/> as possible.</summary>
    private static long EvenShare(long tiles, long limit) => MatMulPlan.Ceiling(tiles, MatMulPlan.Ceiling(tiles, limit));

    private static long Extent(long whole, long block, long index) => Math.Min(block, whole - (index * block));
}
