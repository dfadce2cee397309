using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Experts of each token: softmax over the scores, the largest eight at a time with their positions, and the row of each copy in expert order.</summary>
/// <remarks>
/// max8, find_index8 and, between rounds, match_replace8 each scan the row once. A copy's row is that of its expert's first one plus the copies of that expert before it: tokens are counted by a triangle of ones
/// times the choice of each token on the array, which PSUM keeps from tile to tile. A copy beyond its expert's capacity gets row -1 and weight 0.
/// Backward: the softmax again, the weights' gradients placed at their experts by an index comparison per chosen expert on GpSimdE, then the softmax's derivative.
/// </remarks>
internal sealed class MoeRoutingKernel
{
    private const int ValuesPerScan = 8;

    /// <summary>Numbers of experts and choices are exact in it, and the vector engine is fast on it.</summary>
    private const DataType NumberType = DataType.Fp16;

    /// <summary>Score of an expert that an earlier round has chosen.</summary>
    private const float Taken = -3e38f;

    private readonly MoeRouting _op;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly int _experts, _chosen;
    private readonly long _capacity;
    private readonly MemoryTensor _scoreTensor, _weightTensor, _placeTensor;
    private readonly MemoryTensor? _result;
    private readonly TileBuffer _scores, _statistics, _weights, _places;
    private readonly TileBuffer? _gradient, _term, _remaining, _values, _found, _exponentials, _choices, _ranked, _numbers;
    private readonly Tile _expertNumbers;
    private readonly Tile? _upTo, _after, _ranks;

    private MoeRoutingKernel(MoeRouting op, Accelerator machine, long rows, bool values)
    {
        (_op, _experts, _chosen) = (op, checked((int)op.Columns), checked((int)op.TopK));
        _kernel = new KernelBuilder(machine, op.Name, values);
        _rows = new RowTiling(rows, _kernel.Partitions);
        _capacity = (op with { Rows = rows }).Capacity;
        if (!op.Backward && _experts > _kernel.BankColumns)
        {
            throw new CapacityException(FormattableString.Invariant($"{op.Name}: found {_experts} experts, expected at most {_kernel.BankColumns}, whose copies a PSUM bank of {machine.Name} counts."));
        }

        _weightTensor = op.Backward ? _kernel.Input("gradient of weights", rows, op.TopK, op.Type) : null!;
        _scoreTensor = _kernel.Input("scores", rows, op.Columns, op.Type);
        _weightTensor ??= _kernel.Output("weights", rows, op.TopK, op.Type);
        _placeTensor = op.Backward ? _kernel.Input("rows", rows, op.TopK, DataType.Int32) : _kernel.Output("rows", rows, op.TopK, DataType.Int32);
        _result = op.Backward ? _kernel.Output("gradient of scores", rows, op.Columns, op.Type) : null;
        _expertNumbers = _kernel.Sbuf("numbers of the experts", _experts, op.Backward ? DataType.Int32 : NumberType)[0];
        if (!op.Backward)
        {
            _upTo = _kernel.Sbuf("tokens up to each", _kernel.Partitions, NumberType)[0];
            _after = _kernel.Sbuf("tokens after each", _kernel.Partitions, NumberType)[0];
            _ranks = _kernel.Psum("copies of each expert so far", 1)[0];
        }

        int element = op.Type.ByteSize(), scanned = checked((int)(Rounds(op) * ValuesPerScan));
        long choices = (long)_chosen * _experts;
        long bytes = (op.Columns * element) + (3 * sizeof(float)) + (_chosen * (element + sizeof(int)))
            + (op.Backward ? (2 * op.Columns * element) + (_chosen * sizeof(int)) : (op.Columns * element) + (scanned * (element + sizeof(int))) + (choices * (2 + sizeof(float))) + (_chosen * (2 + (4 * sizeof(float)))));
        int copies = Placement.RequireCopies(_kernel, op.Name, "a row of scores", bytes, 0, "The scores of all experts of a token must lie in SBUF, once for each expert chosen.");
        _scores = _kernel.Sbuf("scores", _experts, op.Type, copies);
        _statistics = _kernel.Sbuf("statistics", 3, DataType.Fp32, copies);
        _weights = _kernel.Sbuf("weights", _chosen, op.Type, copies);
        _places = _kernel.Sbuf("rows of the copies", _chosen, DataType.Int32, copies);
        if (op.Backward)
        {
            _gradient = _kernel.Sbuf("gradient", _experts, op.Type, copies);
            _term = _kernel.Sbuf("gradient of one weight", _experts, op.Type, copies);
            _numbers = _kernel.Sbuf("experts chosen", _chosen, DataType.Int32, copies);
            return;
        }

        _remaining = Rounds(op) > 1 ? _kernel.Sbuf("remaining scores", _experts, op.Type, copies) : null;
        _values = _kernel.Sbuf("largest scores", scanned, op.Type, copies);
        _found = _kernel.Sbuf("positions of the largest", scanned, DataType.Int32, copies);
        _exponentials = _kernel.Sbuf("exponentials of the largest", _chosen, DataType.Fp32, copies);
        _numbers = _kernel.Sbuf("experts chosen", _chosen, NumberType, copies);
        _choices = _kernel.Sbuf("choices", choices, NumberType, copies);
        _ranked = _kernel.Sbuf("copies up to each choice", choices + (3 * _chosen), DataType.Fp32, copies);
    }

    /// <summary>Lowers the choice.</summary>
    /// <exception cref="CapacityException">A row of scores does not fit SBUF, or the experts not a PSUM bank.</exception>
    /// <exception cref="NotSupportedException">Values are asked for, and experts cannot take equal numbers of copies.</exception>
    public static Lowering Lower(MoeRouting op, Accelerator machine, bool values)
    {
        if (values && op.Rows * op.TopK % op.Columns != 0)
        {
            throw new NotSupportedException(FormattableString.Invariant($"{op.Name}: found {op.Rows * op.TopK} copies for {op.Columns} experts, expected a multiple to compute values: experts take equal numbers of copies."));
        }

        return Placement.Cut(op.Rows, machine.Sbuf.Partitions, 24 + (op.Backward ? 2 * op.TopK : (2 * op.TopK) + (3 * Rounds(op))), rows => new MoeRoutingKernel(op, machine, rows, values).Write());
    }

    private static long Rounds(MoeRouting op) => (op.TopK + ValuesPerScan - 1) / ValuesPerScan;

    private (Program, string) Write()
    {
        _kernel.Iota(_expertNumbers.ToTileView(), new AffineCondition(0, 0, 1));
        if (_op.Backward)
        {
            TilePipeline.Write(_rows.Tiles, _scores.Copies, Place, Exponential, Differentiate);
        }
        else
        {
            Triangle(_upTo!.Value, new AffineCondition(0, -1, 1));
            Triangle(_after!.Value, new AffineCondition(-1, 1, -1));
            TilePipeline.Write(_rows.Tiles, _scores.Copies, Choose, Exponential, Rank);
        }

        return (_kernel.Build(), Placement.Mapping(_kernel.Partitions, _scores.Copies));
    }

    /// <summary>Ones where the condition holds of the token on the partition and the one at the column.</summary>
    private void Triangle(Tile tile, AffineCondition condition)
    {
        _kernel.Memset(StreamId.GpSimd, tile.ToTileView(), 1);
        _kernel.AffineSelect(tile.ToTileView(), tile.ToTileView(), condition, 0);
    }

    private void LoadMaximum(long tile)
    {
        _kernel.Load(StreamId.QueueActivations, Scores(tile), _scoreTensor.Part(_rows.Start(tile), _rows[tile]));
        _kernel.TensorReduce(AluOperator.Maximum, Statistic(tile, 0), Scores(tile), negate: true);
    }

    /// <summary>The largest scores, their experts, and a row of ones and zeros over the experts for each choice.</summary>
    private void Choose(long tile)
    {
        LoadMaximum(tile);
        int rows = _rows[tile];
        TileView scores = Scores(tile);
        for (int round = 0; round < Rounds(_op); round++)
        {
            TileView values = _values![tile][..rows, (round * ValuesPerScan)..((round + 1) * ValuesPerScan)];
            _kernel.Max8(values, scores);
            _kernel.FindIndex8(_found![tile][..rows, (round * ValuesPerScan)..((round + 1) * ValuesPerScan)], values, scores);
            if (round + 1 < Rounds(_op))
            {
                TileView remaining = _remaining![tile][..rows, ..];
                _kernel.MatchReplace8(remaining, values, scores, Taken);
                scores = remaining;
            }
        }

        TileView numbers = _numbers![tile][..rows, ..];
        _kernel.Copy(StreamId.Vector, numbers, _found![tile][..rows, .._chosen]);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Equal, _choices![tile][..rows, ..], _expertNumbers[..rows, ..].Repeat(_chosen, 0), numbers.Spread(_experts));
    }

    private void Exponential(long tile)
    {
        if (!_op.Backward)
        {
            _kernel.Activation(ActivationFunction.Exp, _exponentials![tile][.._rows[tile], ..], _values![tile][.._rows[tile], .._chosen], Statistic(tile, 0));
        }

        _kernel.ActivationReduce(ActivationFunction.Exp, Scores(tile), Statistic(tile, 1), Scores(tile), Statistic(tile, 0));
    }

    /// <summary>Row of a copy = expert x capacity + copies of the expert up to it, less one.</summary>
    private void Rank(long tile)
    {
        int rows = _rows[tile], choices = _chosen * _experts;
        TileView counts = _ranks!.Value[..rows, .._experts];
        Count(tile, _upTo!.Value, counts, first: tile == 0);
        TileView each = _ranked![tile][..rows, ..choices], rank = Ranked(tile, 0), kept = Ranked(tile, 1), row = Ranked(tile, 2);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, each, _choices![tile][..rows, ..], counts.Repeat(_chosen, 0));
        if (tile + 1 < _rows.Tiles)
        {
            Count(tile, _after!.Value, counts, first: false);
        }

        _kernel.TensorReduce(AluOperator.Add, rank, each);
        _kernel.TensorScalar(StreamId.Vector, kept, rank, AluOperator.Less, _capacity + 1);
        _kernel.ScalarTensorTensor(row, _numbers![tile][..rows, ..], AluOperator.Multiply, _capacity, AluOperator.Add, rank);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, row, row, kept);
        _kernel.TensorScalar(StreamId.Vector, Places(tile), row, AluOperator.Subtract, 1);
        _kernel.Reciprocal(Statistic(tile, 2), Statistic(tile, 1));
        _kernel.ScalarTensorTensor(Weights(tile), _exponentials![tile][..rows, ..], AluOperator.Multiply, Statistic(tile, 2), AluOperator.Multiply, kept);
        _kernel.Store(StreamId.QueueStores, _weightTensor.Part(_rows.Start(tile), rows), Weights(tile));
        _kernel.Store(StreamId.QueueStores, _placeTensor.Part(_rows.Start(tile), rows), Places(tile));
    }

    /// <summary>Adds the choices of the tokens that <paramref name="tokens"/> holds for each, expert by expert.</summary>
    private void Count(long tile, Tile tokens, in TileView counts, bool first)
    {
        int rows = _rows[tile];
        for (int choice = 0; choice < _chosen; choice++)
        {
            _kernel.MatMul(counts, tokens[..rows, ..rows], _choices![tile][..rows, (choice * _experts)..((choice + 1) * _experts)], accumulate: !first || choice > 0);
        }
    }

    /// <summary>Backward: the expert of a row is the row less half the others of its expert, over the capacity, rounded; then each weight's gradient goes to its expert.</summary>
    private void Place(long tile)
    {
        LoadMaximum(tile);
        int rows = _rows[tile];
        _kernel.Load(StreamId.QueueSmall, Weights(tile), _weightTensor.Part(_rows.Start(tile), rows));
        _kernel.Load(StreamId.QueueSmall, Places(tile), _placeTensor.Part(_rows.Start(tile), rows));
        _kernel.TensorScalar(StreamId.Vector, _numbers![tile][..rows, ..], Places(tile), AluOperator.Subtract, (_capacity - 1) / 2f, AluOperator.Divide, _capacity);
        TileView gradient = _gradient![tile][..rows, ..], term = _term![tile][..rows, ..];
        for (int choice = 0; choice < _chosen; choice++)
        {
            _kernel.TensorScalar(StreamId.GpSimd, choice == 0 ? gradient : term, _expertNumbers[..rows, ..], AluOperator.Equal, _numbers[tile][..rows, choice..(choice + 1)], AluOperator.Multiply, Weights(tile).Columns(choice, 1));
            if (choice > 0)
            {
                _kernel.TensorTensor(StreamId.GpSimd, AluOperator.Add, gradient, gradient, term);
            }
        }
    }

    /// <summary>g p - p sum(g p), with p the softmax.</summary>
    private void Differentiate(long tile)
    {
        TileView scores = Scores(tile), gradient = _gradient![tile][.._rows[tile], ..], sum = Statistic(tile, 2);
        _kernel.Reciprocal(sum, Statistic(tile, 1));
        _kernel.TensorScalar(StreamId.Vector, scores, scores, AluOperator.Multiply, sum);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, gradient, gradient, scores);
        _kernel.TensorReduce(AluOperator.Add, sum, gradient);
        _kernel.TensorScalar(StreamId.Vector, scores, scores, AluOperator.Multiply, sum);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Subtract, gradient, gradient, scores);
        _kernel.Store(StreamId.QueueStores, _result!.Part(_rows.Start(tile), _rows[tile]), gradient);
    }

    private TileView Scores(long tile) => _scores[tile][.._rows[tile], ..];

    private TileView Weights(long tile) => _weights[tile][.._rows[tile], ..];

    private TileView Places(long tile) => _places[tile][.._rows[tile], ..];

    private TileView Statistic(long tile, int element) => _statistics[tile][.._rows[tile], element..(element + 1)];

    /// <summary>One of the three values of each choice behind its ranks over the experts.</summary>
    private TileView Ranked(long tile, int value) => _ranked![tile][.._rows[tile], (_chosen * (_experts + value))..(_chosen * (_experts + value + 1))];
}
