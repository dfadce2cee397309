using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Sizes and mask of one head of <see cref="FlashForwardKernel"/>.</summary>
/// <param name="Queries">Queries.</param>
/// <param name="Keys">Keys; positions of both count from the start.</param>
/// <param name="HeadDim">Features.</param>
/// <param name="Causal">A query sees only keys up to its own position.</param>
/// <param name="Window">With a causal mask, how many of the last keys a query sees; 0 for all.</param>
internal readonly record struct FlashShape(int Queries, int Keys, int HeadDim, bool Causal, int Window);

/// <summary>The public flash attention forward (nki-samples), one head: key tiles of 2048 outside, query tiles of 128 inside, whose outputs, maxima and sums stay in SBUF.</summary>
/// <remarks>
/// As in the source GpSimd takes every masked score tile of 512 out of PSUM (without a mask VectorE does) and the array transposes probabilities, which ScalarE takes out. The source keeps the logarithm of each sum; here the sum itself stays, for a table of logarithms for every unit would take longer than the published bound.
/// Queries and keys lie [features, tokens], values and results [tokens, features].
/// </remarks>
internal sealed class FlashForwardKernel
{
    private const int KeyTile = 2048;
    private const int Halves = 2;
    private readonly KernelBuilder _kernel;
    private readonly FlashShape _shape;
    private readonly int _rows;
    private readonly int _piece;
    private readonly MemoryTensor _queries;
    private readonly MemoryTensor _keys;
    private readonly MemoryTensor _values;
    private readonly MemoryTensor _output;
    private readonly TileBuffer _q;
    private readonly TileBuffer _k;
    private readonly TileBuffer _v;
    private readonly TileBuffer _scores;
    private readonly TileBuffer _maxima;
    private readonly TileBuffer _probabilities;
    private readonly TileBuffer _transposed;
    private readonly TileBuffer _factors;
    private readonly TileBuffer _sums;
    private readonly TileBuffer _outputs;
    private readonly TileBuffer _running;
    private readonly TileBuffer _results;
    private readonly TileBuffer _scoreBanks;
    private readonly TileBuffer _transposeBanks;
    private readonly TileBuffer _resultBanks;
    private long _loadedKeys;

    private FlashForwardKernel(KernelBuilder kernel, FlashShape shape, DataType type)
    {
        (_kernel, _shape, _rows, _piece) = (kernel, shape, kernel.Partitions, kernel.BankColumns);
        if (shape.Queries % _rows != 0 || shape.Keys % KeyTile != 0 || shape.HeadDim > _rows)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found {shape.Queries} queries and {shape.Keys} keys of {shape.HeadDim} features, expected multiples of {_rows} and {KeyTile} and up to {_rows}."), nameof(shape));
        }

        (_queries, _keys) = (kernel.Input("q", shape.HeadDim, shape.Queries, type), kernel.Input("k", shape.HeadDim, shape.Keys, type));
        (_values, _output) = (kernel.Input("v", shape.Keys, shape.HeadDim, type), kernel.Output("output", shape.Queries, shape.HeadDim, type));
        _q = kernel.Sbuf("q", 2L * _rows, type, 4);
        _k = kernel.Sbuf("k", KeyTile, type, 2);
        _v = kernel.Sbuf("v", (long)KeyTile / _rows * shape.HeadDim, type, 2);
        _scores = kernel.Sbuf("scores", KeyTile, DataType.Fp32, 2);
        _maxima = kernel.Sbuf("maxima", Pieces, DataType.Fp32, 2);
        _probabilities = kernel.Sbuf("probabilities", KeyTile, type, 2);
        _transposed = kernel.Sbuf("transposed", _piece, type, 4);
        _factors = kernel.Sbuf("factors", 3, DataType.Fp32, 4);
        _sums = kernel.Sbuf("sums", Halves, DataType.Fp32, 4);
        _outputs = kernel.Sbuf("outputs", shape.HeadDim, DataType.Fp32, shape.Queries / _rows);
        _running = kernel.Sbuf("maximum and sum", 2, DataType.Fp32, shape.Queries / _rows);
        _results = kernel.Sbuf("results", shape.HeadDim, type, 2);
        _scoreBanks = kernel.Psum("scores", 3);
        _transposeBanks = kernel.Psum("transposes", 3, type);
        _resultBanks = kernel.Psum("results", 2);
    }

    /// <summary>Score tiles of a key tile.</summary>
    private int Pieces => KeyTile / _piece;

    /// <summary>A query tile against a key tile.</summary>
    private readonly record struct Unit(int Query, int Key, long Number, long Keys);

    /// <summary>Writes the program.</summary>
    /// <exception cref="ArgumentException">A size is not a multiple of its tile.</exception>
    /// <exception cref="CapacityException">The outputs do not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, FlashShape shape, DataType type)
    {
        var attention = new FlashForwardKernel(kernel, shape, type);
        attention.WriteUnits();
        for (int query = 0; query < shape.Queries / attention._rows; query++)
        {
            attention.WriteResult(query);
        }

        return kernel.Build();
    }

    /// <summary>As a list scheduler leaves it: scores of the newest unit among the transposes of the one before the last, whose product follows; softmax of the last between.</summary>
    private void WriteUnits()
    {
        Unit?[] open = new Unit?[4];
        foreach (Unit? next in Units().Select(unit => (Unit?)unit).Concat(Enumerable.Repeat<Unit?>(null, open.Length - 1)))
        {
            (open[3], open[2], open[1], open[0]) = (open[2], open[1], open[0], next);
            for (int piece = 0; piece < Pieces; piece++)
            {
                Score(open[0], piece);
                Transpose(open[2], piece);
                if (piece == 0)
                {
                    Maximum(open[1]);
                    Accumulate(open[3]);
                }
            }

            Exponentiate(open[1]);
            Multiply(open[2]);
        }
    }

    private IEnumerable<Unit> Units()
    {
        long number = 0;
        for (int key = 0; key < _shape.Keys / KeyTile; key++)
        {
            bool loaded = false;
            for (int query = 0; query < _shape.Queries / _rows; query++)
            {
                if (IsSeen(query, key))
                {
                    if (!loaded)
                    {
                        LoadKeys(key);
                        loaded = true;
                    }

                    yield return new Unit(query, key, number++, _loadedKeys - 1);
                }
            }
        }
    }

    private bool IsSeen(int query, int key) => !_shape.Causal
        || (query * _rows >= key * KeyTile && (_shape.Window == 0 || ((key + 1) * KeyTile) - 1 > (query * _rows) - _shape.Window));

    private void LoadKeys(int key)
    {
        Tile values = _v[_loadedKeys];
        _kernel.Load(StreamId.QueueWeights, _k[_loadedKeys++][.._shape.HeadDim, ..], _keys.Part(0, _shape.HeadDim, (long)key * KeyTile, KeyTile));
        _kernel.Load(StreamId.QueueWeights, values, _values.Part((long)key * KeyTile, KeyTile));
    }

    private void Score(Unit? next, int piece)
    {
        if (next is not { } unit)
        {
            return;
        }

        TileView scaled = _q[unit.Number][.._shape.HeadDim, _rows..];
        if (piece == 0)
        {
            TileView loaded = _q[unit.Number][.._shape.HeadDim, .._rows];
            _kernel.Load(StreamId.QueueActivations, loaded, _queries.Part(0, _shape.HeadDim, (long)unit.Query * _rows, _rows));
            _kernel.Activation(ActivationFunction.Identity, scaled, loaded, scale: 1 / MathF.Sqrt(_shape.HeadDim));
        }

        TileView bank = _scoreBanks[(unit.Number * Pieces) + piece], scores = _scores[unit.Number][.., (piece * _piece)..((piece + 1) * _piece)];
        int ahead = (unit.Query * _rows) - (unit.Key * KeyTile) - (piece * _piece);
        _kernel.MatMul(bank, scaled, _k[unit.Keys][.._shape.HeadDim, (piece * _piece)..((piece + 1) * _piece)], false);
        if (_shape.Causal)
        {
            _kernel.AffineSelect(scores, bank, new AffineCondition(ahead, 1, -1), float.MinValue);
        }
        else
        {
            _kernel.Copy(StreamId.Vector, scores, bank);
        }

        if (_shape.Window > 0 && ahead + _rows > 0)
        {
            _kernel.AffineSelect(scores, scores, new AffineCondition(_shape.Window - 1 - ahead, -1, 1), float.MinValue);
        }

        _kernel.TensorReduce(AluOperator.Maximum, Column(_maxima[unit.Number], piece), scores);
    }

    /// <summary>The running maximum and the factor of what was summed before.</summary>
    private void Maximum(Unit? last)
    {
        if (last is not { } unit)
        {
            return;
        }

        TileView running = Column(_running[unit.Query], 0), factor = Column(_factors[unit.Number], 0), negative = Column(_factors[unit.Number], 1), maximum = Column(_factors[unit.Number], 2);
        _kernel.TensorReduce(AluOperator.Maximum, maximum, _maxima[unit.Number]);
        if (unit.Key > First(unit.Query))
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Maximum, maximum, maximum, running);
            _kernel.Activation(ActivationFunction.Exp, factor, maximum, running, -1f);
        }

        _kernel.Copy(StreamId.Vector, running, maximum);
        _kernel.TensorScalar(StreamId.Vector, negative, maximum, AluOperator.Multiply, -1);
    }

    private void Exponentiate(Unit? last)
    {
        for (int half = 0; half < Halves && last is { } unit; half++)
        {
            Range columns = (half * KeyTile / Halves)..((half + 1) * KeyTile / Halves);
            _kernel.ActivationReduce(ActivationFunction.Exp, _probabilities[unit.Number][.., columns], Column(_sums[unit.Number], half), _scores[unit.Number][.., columns], Column(_factors[unit.Number], 1));
        }
    }

    /// <summary>The first key tile that a query tile sees.</summary>
    private int First(int query) => _shape.Window == 0 ? 0 : Math.Max(0, ((query * _rows) - _shape.Window + 1) / KeyTile);

    private void Transpose(Unit? last, int piece)
    {
        if (last is not { } unit)
        {
            return;
        }

        long number = (unit.Number * Pieces) + piece;
        TileView bank = _transposeBanks[number][.., .._piece];
        for (int at = 0; at < _piece; at += _rows)
        {
            int start = (piece * _piece) + at;
            _kernel.Transpose(bank.Skip(at).Every(1, _rows), _probabilities[unit.Number][.., start..(start + _rows)]);
        }

        _kernel.Copy(StreamId.Scalar, _transposed[number], bank);
    }

    private void Multiply(Unit? last)
    {
        for (int start = 0; start < KeyTile && last is { } unit; start += _rows)
        {
            (int piece, int at) = Math.DivRem(start, _piece);
            int value = start / _rows * _shape.HeadDim;
            _kernel.MatMul(_resultBanks[unit.Number][.., .._shape.HeadDim], _transposed[(unit.Number * Pieces) + piece][.., at..(at + _rows)], _v[unit.Keys][.., value..(value + _shape.HeadDim)], start > 0);
        }
    }

    /// <summary>Output and sum of a query tile: what was there is scaled, then added to.</summary>
    private void Accumulate(Unit? last)
    {
        if (last is not { } unit)
        {
            return;
        }

        TileView output = _outputs[unit.Query], bank = _resultBanks[unit.Number][.., .._shape.HeadDim], sum = Column(_running[unit.Query], 1), factor = Column(_factors[unit.Number], 0);
        if (unit.Key == First(unit.Query))
        {
            _kernel.TensorReduce(AluOperator.Add, sum, _sums[unit.Number]);
            _kernel.Copy(StreamId.Vector, output, bank);
            return;
        }

        TileView part = Column(_sums[unit.Number], 0);
        _kernel.TensorReduce(AluOperator.Add, part, _sums[unit.Number]);
        _kernel.ScalarTensorTensor(sum, sum, AluOperator.Multiply, factor, AluOperator.Add, part);
        _kernel.TensorScalar(StreamId.Vector, output, output, AluOperator.Multiply, factor);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, output, output, bank);
    }

    private void WriteResult(int query)
    {
        TileView sum = Column(_running[query], 1), result = _results[query];
        _kernel.Reciprocal(sum, sum);
        _kernel.TensorScalar(StreamId.Vector, result, _outputs[query], AluOperator.Multiply, sum);
        _kernel.Store(StreamId.QueueStores, _output.Part((long)query * _rows, _rows), result);
    }

    private static TileView Column(Tile tile, int column) => tile[.., column..(column + 1)];
}
