using System.Collections.Immutable;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>The mapping of the product of one program, and how it was chosen, in a few words.</summary>
internal delegate (MatMulMapping Mapping, string How) MappingChoice(MatMul part, Accelerator machine);

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
    private readonly MemoryTensor? _biasVector;
    private readonly MemoryTensor _output;
    private readonly TileBuffer _banks;
    private readonly TileBuffer _strips;
    private readonly TileBuffer? _sums;
    private readonly TileBuffer? _bias;
    private long _bankRound;
    private long _stripRound;

    private MatMulKernel(MatMul op, MatMulMapping mapping, Accelerator machine, bool values)
    {
        _op = op;
        _kernel = new KernelBuilder(machine, op.Name, values);
        _plan = new MatMulPlan(op, mapping, machine);
        MemoryTensor left = _kernel.Input("left", op.Batch * (op.LeftTransposed ? op.K : op.M), op.LeftTransposed ? op.M : op.K, op.Type);
        MemoryTensor right = _kernel.Input("right", op.Batch * (op.RightTransposed ? op.N : op.K), op.RightTransposed ? op.K : op.N, op.Type);
        _biasVector = op.Bias ? _kernel.Input("bias", op.Batch, op.N, op.Type) : null;
        _output = _kernel.Output("output", op.Batch * op.M, op.N, op.OutputType);
        TileBuffer? transposes = _plan.TransposeBanks > 0 ? _kernel.Psum("transposes", _plan.TransposeBanks, op.Type) : null;
        _banks = _kernel.Psum("sums", 2 * _plan.GroupN);
        _left = new OperandPanel(_kernel, "left", new MatrixOperand(left, op.K, op.M, op.LeftTransposed), StreamId.QueueActivations, _plan.TileK, _plan.LeftTilesK,
            mapping.BlockM * _plan.RowsPerCell, _plan.LeftCopies, (int)_plan.Chunks(mapping.BlockM), _plan.TransposeLeft ? transposes : null, _plan.LoadTransposedLeft);
        _right = new OperandPanel(_kernel, "right", new MatrixOperand(right, op.K, op.N, !op.RightTransposed), StreamId.QueueWeights, _plan.TileK, _plan.RightTilesK,
            mapping.BlockN * _plan.RowsPerCell, _plan.RightCopies, (int)_plan.Chunks(mapping.BlockN), _plan.TransposeRight ? transposes : null, _plan.LoadTransposedRight);
        _strips = _kernel.Sbuf("output strip", mapping.BlockN, op.OutputType, 2);
        _sums = _plan.AccumulateInSbuf ? _kernel.Sbuf("partial sums", mapping.BlockN, DataType.Fp32, (int)MatMulPlan.Ceiling(mapping.BlockM, _plan.TileM)) : null;
        _bias = op.Bias ? _kernel.Sbuf("bias", mapping.BlockN, op.Type, 2) : null;
    }

    /// <summary>Lowers with the mappings that <paramref name="choose"/> gives, by default those of the estimate.</summary>
    public static Lowering Lower(MatMul op, Accelerator machine, bool values, MappingChoice? choose)
    {
        choose ??= static (part, machine) => (MatMulMapping.Choose(part, machine), "by estimate");
        ImmutableArray<(MatMul Part, MatMulMapping Mapping, string How, long Repeat)> parts =
            [.. Parts(op, machine).Select(part => (part.Part, Choice: choose(part.Part, machine), part.Repeat)).Select(part => (part.Part, part.Choice.Mapping, part.Choice.How, part.Repeat))];
        return new Lowering(parts.Select(part => new LoweredPass(Write(part.Part, machine, part.Mapping, values), part.Repeat)), $"{parts[0].Mapping}, {parts[0].How}");
    }

    /// <summary>The program of one product with a given mapping.</summary>
    internal static Program Write(MatMul op, Accelerator machine, MatMulMapping mapping, bool values) => new MatMulKernel(op, mapping, machine, values).Write();

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
        long depth = Extent(_op.K, mapping.BlockK, step.K), k = step.K * mapping.BlockK;
        (long leftK, long leftDepth) = mapping.LeftResident ? (0, _op.K) : (k, depth);
        long leftLoad = left ? _left.Ensure((step.Batch, leftK, step.M * mapping.BlockM), Extent(_op.M, mapping.BlockM, step.M), leftDepth) : -1;
        long rightLoad = right ? _right.Ensure((step.Batch, k, step.N * mapping.BlockN), Extent(_op.N, mapping.BlockN, step.N), depth) : -1;
        return (leftLoad, rightLoad);
    }

    private void Compute((long Batch, long M, long N, long K) step, long left, long right)
    {
        MatMulMapping mapping = _plan.Mapping;
        long rows = Extent(_op.M, mapping.BlockM, step.M);
        long columns = Extent(_op.N, mapping.BlockN, step.N);
        var block = new Block(left, right, mapping.LeftResident ? (int)(step.K * _plan.RightTilesK) : 0, rows, columns, Extent(_op.K, mapping.BlockK, step.K), step.K == 0, step.K == _plan.BlocksK - 1);
        Tile? bias = LoadBias(step, columns);
        long group = _plan.TileN * EvenShare(MatMulPlan.Ceiling(columns, _plan.TileN), _plan.GroupN);
        long groups = MatMulPlan.Ceiling(rows, _plan.TileM) * MatMulPlan.Ceiling(columns, group);
        for (long row = 0; row < rows; row += _plan.TileM)
        {
            int m = (int)Math.Min(_plan.TileM, rows - row);
            bool scalarFree = _plan.TransposeBanks == 0 && !_op.Bias;
            StreamId engine = scalarFree && (_stripRound & 1) == 1 ? StreamId.Scalar : StreamId.Vector;
            for (long column = 0; column < columns; column += group)
            {
                long width = Math.Min(group, columns - column);
                Accumulate(block, row, m, column, width);
                if (block.LastK || _plan.AccumulateInSbuf)
                {
                    Evict(engine, block, row, m, (int)column, width, bias);
                }

                TransposeDeferred(groups--);
            }

            if (block.LastK)
            {
                MemoryView target = _output.Part((step.Batch * _op.M) + (step.M * mapping.BlockM) + row, m, step.N * mapping.BlockN, columns);
                _kernel.Store(StreamId.QueueStores, target, _strips[_stripRound++][..m, ..(int)columns]);
            }
        }
    }

    /// <summary>A block of the product.</summary>
    /// <param name="Left">Load of the left operand.</param>
    /// <param name="Right">Load of the right operand.</param>
    /// <param name="FirstSlice">Slice of the left load with which the block starts.</param>
    /// <param name="Rows">Extent of M.</param>
    /// <param name="Columns">Extent of N.</param>
    /// <param name="Depth">Extent of K.</param>
    /// <param name="FirstK">The first block of K.</param>
    /// <param name="LastK">The last block of K.</param>
    private readonly record struct Block(long Left, long Right, int FirstSlice, long Rows, long Columns, long Depth, bool FirstK, bool LastK);

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
            _kernel.Load(StreamId.QueueSmall, bias[.., ..(int)columns], _biasVector!.Broadcast(step.Batch, _kernel.Partitions, step.N * _plan.Mapping.BlockN, columns));
        }

        return bias;
    }

    private void Accumulate(in Block block, long row, int m, long column, long width)
    {
        bool overwrite = block.FirstK || _plan.AccumulateInSbuf;
        ColumnStrips strips = _plan.Strips(m);
        for (int k = 0; k * (long)_plan.TileK < block.Depth; k++)
        {
            int slice = (int)Math.Min(_plan.TileK, block.Depth - (k * (long)_plan.TileK));
            TileView stationary = _left.Slice(block.Left, block.FirstSlice + k, slice, block.Rows, row, m);
            for (int n = 0; n * (long)_plan.TileN < width; n++)
            {
                int start = n * _plan.TileN, tile = (int)Math.Min(_plan.TileN, width - start);
                TileView moving = _right.Slice(block.Right, k, slice, block.Columns, column + start, tile);
                _kernel.MatMul(Sums(_bankRound + n, m, tile), stationary, moving, k > 0 || !overwrite, slice, strips.Part(Strip(_bankRound + n, strips)));
            }
        }
    }

    /// <summary>Where the products of a bank lie: few rows take turns on the strips of the array.</summary>
    private TileView Sums(long round, int m, int elements)
    {
        ColumnStrips strips = _plan.Strips(m);
        return strips.Of(_banks[round], Strip(round, strips), elements);
    }

    private static int Strip(long round, ColumnStrips strips) => (int)(round % strips.Count);

    private void Evict(StreamId engine, in Block block, long row, int m, int column, long width, Tile? bias)
    {
        for (int n = 0; n * (long)_plan.TileN < width; n++)
        {
            int start = column + (n * _plan.TileN), tile = (int)Math.Min(_plan.TileN, width - (n * (long)_plan.TileN));
            TileView bank = Sums(_bankRound++, m, tile), strip = _strips[_stripRound][..m, start..(start + tile)];
            if (_sums is { } sums && !(block.FirstK && block.LastK))
            {
                Sum(block, bank, sums[row / _plan.TileM][..m, start..(start + tile)], strip, bias?[..m, start..(start + tile)]);
            }
            else if (bias is { } vector)
            {
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, strip, bank, vector[..m, start..(start + tile)]);
            }
            else
            {
                _kernel.Copy(engine, strip, bank);
            }
        }
    }

    private void Sum(in Block block, in TileView bank, in TileView sum, in TileView strip, TileView? bias)
    {
        if (block.FirstK && bias is { } vector)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sum, bank, vector);
        }
        else if (block.FirstK)
        {
            _kernel.Copy(StreamId.Vector, sum, bank);
        }
        else
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, block.LastK ? strip : sum, bank, sum);
        }
    }

    /// <summary>Tiles per group when <paramref name="tiles"/> are dealt evenly to as few groups of at most <paramref name="limit"/> as possible.</summary>
    private static long EvenShare(long tiles, long limit) => MatMulPlan.Ceiling(tiles, MatMulPlan.Ceiling(tiles, limit));

    private static long Extent(long whole, long block, long index) => Math.Min(block, whole - (index * block));
}
