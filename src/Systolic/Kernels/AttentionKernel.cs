using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Flash attention forward and decode attention: scores of 128 x 512 stay in PSUM, softmax runs with a running maximum and sum, probabilities are transposed for the second product.</summary>
/// <remarks>
/// Work is written in units (a query tile and a section of four key tiles). Scores and softmax of the next two units come before the second
/// product of a unit, so that no engine waits for the transposes in between.
/// </remarks>
internal sealed class AttentionKernel
{
    private const int SmallBytes = 64;
    private const int UnitsAhead = 2;
    private readonly Attention _op;
    private readonly AttentionPlan _plan;
    private readonly Range _groups;
    private readonly KernelBuilder _kernel;
    private readonly AttentionOperands _operands;
    private readonly ScoreTranspose _transpose;
    private readonly TileBuffer _scores;
    private readonly TileBuffer _output;
    private readonly TileBuffer _masked;
    private readonly TileBuffer _probabilities;
    private readonly TileBuffer _maxima;
    private readonly TileBuffer _factors;
    private readonly TileBuffer _sums;
    private readonly TileBuffer _accumulators;
    private readonly TileBuffer _results;
    private long _scoreRound;
    private long _softmaxRound;
    private long _probabilityRound;
    private long _maskedRound;
    private long _resultRound;

    private AttentionKernel(Attention op, Accelerator machine, Range groups)
    {
        (_op, _plan, _groups) = (op, new AttentionPlan(op, machine), groups);
        _kernel = new KernelBuilder(machine, op.Name);
        bool byDma = machine.Dma.LocalTransposeShare > 0;
        TileBuffer transposes = _kernel.Psum("transposes", byDma ? 1 : 2);
        _output = _kernel.Psum("output", 1);
        _scores = _kernel.Psum("scores", machine.Psum.Banks - (byDma ? 2 : 3));
        _operands = new AttentionOperands(_kernel, op, _plan, transposes);
        _transpose = new ScoreTranspose(_kernel, op.Type, byDma ? null : transposes, (UnitsAhead + 1) * AttentionPlan.SectionTiles);
        _masked = _kernel.Sbuf("masked scores", AttentionPlan.TileKeys * sizeof(float), 2);
        _probabilities = _kernel.Sbuf("probabilities", AttentionPlan.TileKeys * _plan.ElementSize, (UnitsAhead + 1) * AttentionPlan.SectionTiles);
        _maxima = _kernel.Sbuf("maxima", SmallBytes, 2 * UnitsAhead);
        _factors = _kernel.Sbuf("factors", SmallBytes, 2 * UnitsAhead);
        _sums = _kernel.Sbuf("sums", SmallBytes, (2 * _plan.QueryGroup) + UnitsAhead);
        _accumulators = _kernel.Sbuf("accumulated output", op.HeadDim * sizeof(float), (2 * _plan.QueryGroup) + UnitsAhead);
        _results = _kernel.Sbuf("result", op.HeadDim * _plan.ElementSize, 2);
    }

    /// <summary>A query tile against a section of keys.</summary>
    /// <param name="Query">Query tile of the head.</param>
    /// <param name="Number">Number of the unit over the whole program.</param>
    /// <param name="Pass">Number of the pass over keys and values.</param>
    /// <param name="Turn">Number of the query tile over the whole program.</param>
    /// <param name="Section">Section of keys.</param>
    /// <param name="Tiles">Key tiles of the section that the query tile sees.</param>
    /// <param name="Last">The query tile's last section.</param>
    private readonly record struct Unit(int Query, long Number, long Pass, long Turn, int Section, int Tiles, bool Last);

    /// <summary>Lowers a forward operator.</summary>
    public static Lowering Lower(Attention op, Accelerator machine)
    {
        var plan = new AttentionPlan(op, machine);
        string mapping = FormattableString.Invariant(
            $"{(plan.Stacked ? "decode" : "flash")}, query tiles {plan.RowsIn(0)}, key tiles {AttentionPlan.TileKeys}, sections {AttentionPlan.SectionTiles * AttentionPlan.TileKeys}, keys {(plan.Resident ? "resident" : "streamed")}, transposes by {(machine.Dma.LocalTransposeShare > 0 ? "DMA" : "array")}");
        return AttentionPasses.Lower(op, plan, plan.QueryGroups, mapping, (part, groups) => new AttentionKernel(part, machine, groups).Write());
    }

    private Program Write()
    {
        var open = new Queue<Unit>();
        foreach (Unit unit in Units())
        {
            long firstScore = _scoreRound;
            Scores(unit);
            Softmax(unit, Mask(unit, firstScore));
            open.Enqueue(unit);
            if (open.Count > UnitsAhead)
            {
                Finish(open.Dequeue());
            }
        }

        while (open.TryDequeue(out Unit unit))
        {
            Finish(unit);
        }

        return _kernel.Build();
    }

    private IEnumerable<Unit> Units()
    {
        long turn = 0, pass = 0, number = 0;
        for (long head = 0; head < _op.Batch * _op.KvHeads; head++)
        {
            for (int group = _groups.Start.Value * _plan.QueryGroup; group < Math.Min(_plan.QueryTiles, _groups.End.Value * _plan.QueryGroup); group += _plan.QueryGroup)
            {
                int members = Math.Min(_plan.QueryGroup, _plan.QueryTiles - group);
                for (int section = 0; section < _plan.Sections; section++)
                {
                    for (int i = 0; i < members; i++)
                    {
                        int visible = _plan.VisibleTiles(group + i);
                        int tiles = Math.Min(AttentionPlan.SectionTiles, visible - (section * AttentionPlan.SectionTiles));
                        if (tiles > 0)
                        {
                            yield return new Unit(group + i, number++, pass, turn + i, section, tiles, visible <= (section + 1) * AttentionPlan.SectionTiles);
                        }
                    }
                }

                turn += members;
                pass += _plan.Resident ? 0 : 1;
            }

            pass += _plan.Resident ? 1 : 0;
        }
    }

    private void Scores(Unit unit)
    {
        int rows = _plan.RowsIn(unit.Query);
        Tile query = _operands.Query(unit.Query, unit.Turn);
        for (int t = 0; t < unit.Tiles; t++)
        {
            int key = (unit.Section * AttentionPlan.SectionTiles) + t;
            (Tile keys, _) = _operands.KeyValue(unit.Pass, key);
            Tile bank = _scores[_scoreRound++];
            for (int slice = 0; slice < _plan.HeadSlices; slice++)
            {
                _kernel.MatMul(bank, query, keys, (int)Math.Min(_plan.Partitions, _op.HeadDim - ((long)slice * _plan.Partitions)), rows, _plan.KeysIn(key), _op.Type, slice > 0);
            }
        }
    }

    /// <summary>Copies the tiles that the causal mask cuts to SBUF, where the general-purpose engine masks them; returns where the scores of each tile lie.</summary>
    private Tile[] Mask(Unit unit, long firstScore)
    {
        int rows = _plan.RowsIn(unit.Query);
        var scores = new Tile[unit.Tiles];
        for (int t = 0; t < unit.Tiles; t++)
        {
            int key = (unit.Section * AttentionPlan.SectionTiles) + t;
            scores[t] = _scores[firstScore + t];
            if (_plan.Masked(unit.Query, key))
            {
                Tile copy = _masked[_maskedRound++];
                _kernel.Copy(StreamId.Vector, copy, scores[t], rows, _plan.KeysIn(key), DataType.Fp32, DataType.Fp32);
                _kernel.AffineSelect(copy, copy, rows, _plan.KeysIn(key), DataType.Fp32);
                scores[t] = copy;
            }
        }

        return scores;
    }

    private void Softmax(Unit unit, Tile[] scores)
    {
        int rows = _plan.RowsIn(unit.Query);
        Tile maximum = _maxima[unit.Number];
        for (int t = 0; t < unit.Tiles; t++)
        {
            _kernel.TensorReduce(maximum, scores[t], rows, _plan.KeysIn((unit.Section * AttentionPlan.SectionTiles) + t), DataType.Fp32, DataType.Fp32);
        }

        RunningMaximum(unit, maximum, rows);
        for (int t = 0; t < unit.Tiles; t++)
        {
            int keys = _plan.KeysIn((unit.Section * AttentionPlan.SectionTiles) + t);
            Tile probability = _probabilities[_softmaxRound++];
            _kernel.ActivationReduce(ActivationFunction.Exp, probability, scores[t], maximum, rows, keys, DataType.Fp32, _op.Type);
            _transpose.Written(probability, rows, keys);
        }
    }

    private void RunningMaximum(Unit unit, Tile maximum, int rows)
    {
        _kernel.TensorReduce(maximum, maximum, rows, AttentionPlan.SectionTiles, DataType.Fp32, DataType.Fp32);
        _kernel.TensorScalar(StreamId.Vector, maximum, maximum, null, rows, 1, DataType.Fp32, DataType.Fp32);
        if (unit.Section > 0)
        {
            _kernel.Activation(ActivationFunction.Exp, _factors[unit.Number], maximum, null, rows, 1, DataType.Fp32, DataType.Fp32);
        }
    }

    private void Finish(Unit unit)
    {
        Tile output = _output[unit.Number];
        WeighValues(unit, output);
        Accumulate(unit, output);
    }

    private void WeighValues(Unit unit, Tile output)
    {
        int rows = _plan.RowsIn(unit.Query);
        for (int t = 0; t < unit.Tiles; t++)
        {
            int key = (unit.Section * AttentionPlan.SectionTiles) + t;
            int keys = _plan.KeysIn(key);
            (_, Tile values) = _operands.KeyValue(unit.Pass, key);
            Tile transposed = _transpose.Read(_probabilities[_probabilityRound++], rows, keys);
            for (int start = 0; start < keys; start += _plan.Partitions)
            {
                _kernel.MatMul(output, transposed, values, Math.Min(_plan.Partitions, keys - start), rows, (int)_op.HeadDim, _op.Type, t + start > 0);
            }
        }

    }

    private void Accumulate(Unit unit, Tile output)
    {
        int rows = _plan.RowsIn(unit.Query);
        int d = (int)_op.HeadDim;
        Tile sum = _sums[unit.Turn], accumulator = _accumulators[unit.Turn];
        Tile last = _probabilities[_probabilityRound - 1];
        _kernel.TensorReduce(sum, last, rows, AttentionPlan.SectionTiles, DataType.Fp32, DataType.Fp32);
        if (unit.Section == 0)
        {
            _kernel.Copy(StreamId.Vector, accumulator, output, rows, d, DataType.Fp32, DataType.Fp32);
        }
        else
        {
            _kernel.TensorScalar(StreamId.Vector, sum, sum, _factors[unit.Number], rows, 1, DataType.Fp32, DataType.Fp32);
            _kernel.ScalarTensorTensor(accumulator, accumulator, output, rows, d, DataType.Fp32, DataType.Fp32);
        }

        if (unit.Last)
        {
            Tile result = _results[_resultRound++];
            _kernel.Reciprocal(sum, sum, rows, 1, DataType.Fp32);
            _kernel.TensorScalar(StreamId.Vector, result, accumulator, sum, rows, d, DataType.Fp32, _op.Type);
            _kernel.Store(StreamId.QueueStores, result, rows, _op.HeadDim * _plan.ElementSize);
        }
    }
}
