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
    public const int UnitsAhead = 2;

    /// <summary>Score of a key that a mask hides: scaled, it is finite, and its exponential is zero.</summary>
    private readonly float _hidden;

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
    private readonly TileBuffer _running;
    private readonly TileBuffer _factors;
    private readonly TileBuffer _tileSums;
    private readonly TileBuffer _sectionSums;
    private readonly TileBuffer _sums;
    private readonly AttentionSums? _keptSums;
    private readonly TileBuffer _accumulators;
    private readonly TileBuffer _results;
    private readonly float _scale;
    private long _scoreRound;
    private long _softmaxRound;
    private long _probabilityRound;
    private long _maskedRound;
    private long _resultRound;

    private AttentionKernel(Attention op, Accelerator machine, Range groups, bool values)
    {
        (_op, _plan, _groups) = (op, new AttentionPlan(op, machine), groups);
        _kernel = new KernelBuilder(machine, op.Name, values);
        _scale = (float)(op.SoftCap ?? (1 / Math.Sqrt(op.HeadDim)));
        _hidden = -3e38f / Math.Max(1, _scale);
        bool byDma = machine.Dma.LocalTransposeShare > 0;
        TileBuffer transposes = _kernel.Psum("transposes", byDma ? 1 : 2, op.Type);
        _output = _kernel.Psum("output", 1);
        _scores = _kernel.Psum("scores", machine.Psum.Banks - (byDma ? 2 : 3));
        _operands = new AttentionOperands(_kernel, op, _plan, transposes);
        _transpose = new ScoreTranspose(_kernel, op.Type, byDma ? null : transposes, (UnitsAhead + 1) * AttentionPlan.SectionTiles);
        _masked = _kernel.Sbuf("masked scores", AttentionPlan.TileKeys, DataType.Fp32, op.SoftCap is null && op.Window is null ? 2 : 2 * AttentionPlan.SectionTiles);
        _probabilities = _kernel.Sbuf("probabilities", AttentionPlan.TileKeys, op.Type, (UnitsAhead + 1) * AttentionPlan.SectionTiles);
        int turns = (2 * _plan.QueryGroup) + UnitsAhead;
        _maxima = _kernel.Sbuf("maxima of tiles", AttentionPlan.SectionTiles, DataType.Fp32, 2 * UnitsAhead);
        _running = _kernel.Sbuf("negative running maximum", 1, DataType.Fp32, 2 * turns);
        _factors = _kernel.Sbuf("factors", 1, DataType.Fp32, 2 * UnitsAhead);
        _tileSums = _kernel.Sbuf("sums of tiles", AttentionPlan.SectionTiles, DataType.Fp32, 2 * UnitsAhead);
        _sectionSums = _kernel.Sbuf("sum of a section", 1, DataType.Fp32, 2);
        _sums = _kernel.Sbuf("sums", 1, DataType.Fp32, turns);
        _keptSums = _operands.Sums is { } kept ? new AttentionSums(_kernel, op, _plan, kept) : null;
        _accumulators = _kernel.Sbuf("accumulated output", op.ValueDim, DataType.Fp32, turns);
        _results = _kernel.Sbuf("result", op.ValueDim, op.Type, 2);
    }

    /// <summary>A query tile against a section of keys.</summary>
    /// <param name="Head">Key/value head over all sequences.</param>
    /// <param name="Query">Query tile of the head.</param>
    /// <param name="Number">Number of the unit over the whole program.</param>
    /// <param name="Pass">Number of the pass over keys and values.</param>
    /// <param name="Turn">Number of the query tile over the whole program.</param>
    /// <param name="Section">Section of keys.</param>
    /// <param name="FirstTile">First key tile of the section that the query tile sees.</param>
    /// <param name="Tiles">Key tiles of the section that the query tile sees.</param>
    /// <param name="First">The query tile's first section.</param>
    /// <param name="Last">The query tile's last section.</param>
    private readonly record struct Unit(long Head, int Query, long Number, long Pass, long Turn, int Section, int FirstTile, int Tiles, bool First, bool Last);

    /// <summary>Lowers a forward operator.</summary>
    public static Lowering Lower(Attention op, Accelerator machine, bool values)
    {
        var plan = new AttentionPlan(op, machine);
        string mapping = FormattableString.Invariant(
            $"{(plan.Stacked ? "decode" : "flash")}, query tiles {plan.RowsIn(0)}, key tiles {AttentionPlan.TileKeys}, sections {AttentionPlan.SectionTiles * AttentionPlan.TileKeys}, keys {(plan.Resident ? "resident" : "streamed")}, transposes by {(machine.Dma.LocalTransposeShare > 0 ? "DMA" : "array")}");
        return AttentionPasses.Lower(op, plan, plan.QueryGroups, mapping, (part, groups) => new AttentionKernel(part, machine, groups, values).Write());
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

    private int FirstQuery => _groups.Start.Value * _plan.QueryGroup;

    private int EndOfQueries => Math.Min(_plan.QueryTiles, _groups.End.Value * _plan.QueryGroup);

    private IEnumerable<Unit> Units()
    {
        long turn = 0, pass = 0, number = 0;
        for (long head = 0; head < _op.Batch * _op.KvHeads; head++)
        {
            for (int group = FirstQuery; group < EndOfQueries; group += _plan.QueryGroup)
            {
                int members = Math.Min(_plan.QueryGroup, _plan.QueryTiles - group);
                for (int section = 0; section < _plan.Sections; section++)
                {
                    for (int i = 0; i < members; i++)
                    {
                        int seen = _plan.FirstTile(group + i), visible = _plan.VisibleTiles(group + i), start = section * AttentionPlan.SectionTiles, end = start + AttentionPlan.SectionTiles;
                        int first = Math.Max(start, seen), tiles = Math.Min(end, visible) - first;
                        if (tiles > 0)
                        {
                            yield return new Unit(head, group + i, number++, pass, turn + i, section, first, tiles, first == seen, visible <= end);
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
        for (int t = 0; t < unit.Tiles; t++)
        {
            int key = unit.FirstTile + t, keys = _plan.KeysIn(key);
            TileView query = _operands.Query(unit.Query, unit.Turn, unit.Head, 0);
            long load = _operands.KeyValue(unit.Pass, key, unit.Head);
            TileView bank = _scores[_scoreRound++][..rows, ..keys];
            for (int slice = 0; slice < _plan.HeadSlices; slice++)
            {
                _kernel.MatMul(bank, slice == 0 ? query : _operands.Query(unit.Query, unit.Turn, unit.Head, slice), _operands.Keys(load, slice, keys), slice > 0);
            }
        }
    }

    /// <summary>Bounds the scores, and copies the tiles that a mask cuts to SBUF, where the general-purpose engine masks them; returns where the scores of each tile lie.</summary>
    private TileView[] Mask(Unit unit, long firstScore)
    {
        int rows = _plan.RowsIn(unit.Query);
        var scores = new TileView[unit.Tiles];
        for (int t = 0; t < unit.Tiles; t++)
        {
            int key = unit.FirstTile + t, keys = _plan.KeysIn(key);
            scores[t] = _scores[firstScore + t][..rows, ..keys];
            bool ahead = _plan.Masked(unit.Query, key), behind = _plan.CutByWindow(unit.Query, key);
            if (ahead || behind || _op.SoftCap is not null)
            {
                scores[t] = Bounded(_masked[_maskedRound++][..rows, ..keys], scores[t]);
            }

            if (ahead)
            {
                _kernel.AffineSelect(scores[t], scores[t], _plan.Visible(unit.Query, key), _hidden);
            }

            if (behind)
            {
                _kernel.AffineSelect(scores[t], scores[t], _plan.InWindow(unit.Query, (long)key * AttentionPlan.TileKeys), _hidden);
            }
        }

        return scores;
    }

    /// <summary>The scores in SBUF: as they are, or the hyperbolic tangent that the cap multiplies as the exponential's scale.</summary>
    private TileView Bounded(in TileView copy, in TileView scores)
    {
        if (_op.SoftCap is { } cap)
        {
            _kernel.Activation(ActivationFunction.Tanh, copy, scores, scale: (float)(1 / (Math.Sqrt(_op.HeadDim) * cap)));
        }
        else
        {
            _kernel.Copy(StreamId.Vector, copy, scores);
        }

        return copy;
    }

    private void Softmax(Unit unit, TileView[] scores)
    {
        int rows = _plan.RowsIn(unit.Query);
        for (int t = 0; t < unit.Tiles; t++)
        {
            _kernel.TensorReduce(AluOperator.Maximum, _maxima[unit.Number][..rows, t..(t + 1)], scores[t]);
        }

        TileView running = RunningMaximum(unit, rows);
        for (int t = 0; t < unit.Tiles; t++)
        {
            TileView probability = _probabilities[_softmaxRound++][..rows, ..scores[t].Elements];
            _kernel.ActivationReduce(ActivationFunction.Exp, probability, _tileSums[unit.Number][..rows, t..(t + 1)], scores[t], running, _scale);
            _transpose.Written(probability);
        }
    }

    /// <summary>The negative of the largest scaled score so far, and by how much what was summed before shrinks.</summary>
    private TileView RunningMaximum(Unit unit, int rows)
    {
        TileView now = Running(unit, unit.Section, rows);
        _kernel.TensorReduce(AluOperator.Maximum, now, _maxima[unit.Number][..rows, ..unit.Tiles], negate: true);
        if (unit.First)
        {
            _kernel.TensorScalar(StreamId.Vector, now, now, AluOperator.Multiply, _scale);
            return now;
        }

        TileView before = Running(unit, unit.Section - 1, rows);
        _kernel.TensorScalar(StreamId.Vector, now, now, AluOperator.Multiply, _scale, AluOperator.Minimum, before);
        _kernel.Activation(ActivationFunction.Exp, _factors[unit.Number][..rows, ..1], before, now, -1);
        return now;
    }

    private TileView Running(Unit unit, int section, int rows) => _running[(2 * unit.Turn) + (section & 1)][..rows, ..1];

    private void Finish(Unit unit)
    {
        TileView output = _output[unit.Number][.._plan.RowsIn(unit.Query), ..(int)_op.ValueDim];
        WeighValues(unit, output);
        Accumulate(unit, output);
    }

    private void WeighValues(Unit unit, in TileView output)
    {
        int rows = _plan.RowsIn(unit.Query);
        for (int t = 0; t < unit.Tiles; t++)
        {
            int key = unit.FirstTile + t, keys = _plan.KeysIn(key);
            long load = _operands.KeyValue(unit.Pass, key, unit.Head);
            Tile transposed = _transpose.Read(_probabilities[_probabilityRound++][..rows, ..keys]);
            for (int start = 0; start < keys; start += _plan.Partitions)
            {
                int count = Math.Min(_plan.Partitions, keys - start), chunk = start / _plan.Partitions;
                _kernel.MatMul(output, transposed[..count, (chunk * rows)..((chunk + 1) * rows)], _operands.Values(load, chunk, count), t + start > 0);
            }
        }
    }

    private void Accumulate(Unit unit, in TileView output)
    {
        int rows = _plan.RowsIn(unit.Query);
        TileView sum = _sums[unit.Turn][..rows, ..1], accumulator = _accumulators[unit.Turn][..rows, ..];
        TileView tiles = _tileSums[unit.Number][..rows, ..unit.Tiles];
        if (unit.First)
        {
            _kernel.TensorReduce(AluOperator.Add, sum, tiles);
            _kernel.Copy(StreamId.Vector, accumulator, output);
        }
        else
        {
            TileView section = _sectionSums[unit.Number][..rows, ..1], factor = _factors[unit.Number][..rows, ..1];
            _kernel.TensorReduce(AluOperator.Add, section, tiles);
            _kernel.ScalarTensorTensor(sum, sum, AluOperator.Multiply, factor, AluOperator.Add, section);
            _kernel.ScalarTensorTensor(accumulator, accumulator, AluOperator.Multiply, factor, AluOperator.Add, output);
        }

        if (unit.Last)
        {
            TileView result = _results[_resultRound++][..rows, ..];
            _keptSums?.Keep(unit.Query, unit.Head, EndOfQueries - FirstQuery, sum, Running(unit, unit.Section, rows));
            _kernel.Reciprocal(sum, sum);
            _kernel.TensorScalar(StreamId.Vector, result, accumulator, AluOperator.Multiply, sum);
            _kernel.Store(StreamId.QueueStores, _operands.ResultRows(unit.Query, unit.Head), result);
        }
    }
}
