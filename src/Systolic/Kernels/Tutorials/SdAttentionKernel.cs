using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The public fused self-attention for one head of Stable Diffusion (nki-samples): softmax(q k^T / 8) v for up to 128 features, scores of 128 queries by all keys at a time.</summary>
/// <remarks>
/// Products in bf16, softmax in fp32 or, where the compiler allocates, in the type of the operands. Where memory is allocated by hand, keys and results lie transposed in main memory,
/// the maximum is taken while the scores leave PSUM and the exponential is rounded as it is written; else both are passes of their own on VectorE. Instructions on PSUM are as long as a bank.
/// </remarks>
internal sealed class SdAttentionKernel
{
    private const float Scale = 0.125f;
    private const int Staging = 4;
    private readonly KernelBuilder _kernel;
    private readonly int _tokens;
    private readonly int _features;
    private readonly DataType _type;
    private readonly bool _allocated;
    private readonly int _piece;
    private readonly MemoryTensor _output;
    private readonly TileBuffer _q;
    private readonly TileBuffer _k;
    private readonly TileBuffer _v;
    private readonly TileBuffer _staging;
    private readonly TileBuffer _narrow;
    private readonly TileBuffer _scores;
    private readonly TileBuffer _maxima;
    private readonly TileBuffer _maximum;
    private readonly TileBuffer _exponentials;
    private readonly TileBuffer _probabilities;
    private readonly TileBuffer _sums;
    private readonly TileBuffer _transposed;
    private readonly TileBuffer _divisors;
    private readonly TileBuffer _results;
    private readonly TileBuffer _quotients;
    private readonly TileBuffer _scoreBanks;
    private readonly TileBuffer _transposeBanks;
    private readonly TileBuffer _resultBanks;
    private readonly TileBuffer _smallBank;
    private long _bank;
    private long _small;
    private long _staged;

    private SdAttentionKernel(KernelBuilder kernel, int tokens, int features, DataType type, bool allocated)
    {
        (_kernel, _tokens, _features, _type, _allocated, _piece) = (kernel, tokens, features, type, allocated, kernel.BankColumns);
        if (tokens % _piece != 0 || features > kernel.Partitions)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found {tokens} tokens of {features} features, expected a multiple of {_piece} and up to {kernel.Partitions}."), nameof(tokens));
        }

        int rows = kernel.Partitions;
        DataType softmax = allocated ? DataType.Fp32 : type;
        _output = allocated ? kernel.Output("output", features, tokens, type) : kernel.Output("output", tokens, features, type);
        (_q, _k, _v) = (kernel.Sbuf("q", tokens, DataType.Bf16), kernel.Sbuf("k", tokens, DataType.Bf16), kernel.Sbuf("v", (long)tokens / rows * features, DataType.Bf16));
        _staging = kernel.Sbuf("staging", _piece, type, Staging);
        _narrow = kernel.Sbuf("staging bf16", features, DataType.Bf16, Staging);
        _scores = kernel.Sbuf("scores", tokens, softmax, 2);
        _maxima = kernel.Sbuf("maxima", tokens / _piece, DataType.Fp32, 2);
        _maximum = kernel.Sbuf("maximum", 1, DataType.Fp32, 2);
        _probabilities = kernel.Sbuf("probabilities", tokens, DataType.Bf16, 2);
        _exponentials = RoundsLater ? kernel.Sbuf("exponentials", tokens, softmax, 2) : _probabilities;
        _sums = kernel.Sbuf("sums", Sums, DataType.Fp32, 4);
        _transposed = kernel.Sbuf("transposed", tokens, DataType.Bf16, 2);
        _divisors = kernel.Sbuf("divisors", rows, DataType.Fp32, 2);
        _results = kernel.Sbuf("results", rows, DataType.Fp32, 2);
        _quotients = kernel.Sbuf("quotients", rows, type, 2);
        _scoreBanks = kernel.Psum("scores", 3);
        _transposeBanks = kernel.Psum("transposes", 2, DataType.Bf16);
        _resultBanks = kernel.Psum("results", 2);
        _smallBank = kernel.Psum("small", 1);
    }

    /// <summary>The exponentials are rounded to bf16 in a pass of their own.</summary>
    private bool RoundsLater => !_allocated && _type == DataType.Fp32;

    /// <summary>Partial sums of a row: an activation takes 1024 elements where memory is allocated by hand, else all.</summary>
    private int Sums => _allocated ? _tokens / (2 * _piece) : 1;

    /// <summary>Writes the program.</summary>
    /// <exception cref="ArgumentException">Tokens are not a multiple of a bank, or there are more features than partitions.</exception>
    /// <exception cref="CapacityException">The scores do not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, int tokens, int features, DataType type, bool allocated)
    {
        var attention = new SdAttentionKernel(kernel, tokens, features, type, allocated);
        attention.LoadOperands();
        int tiles = tokens / kernel.Partitions;
        TilePipeline.Write(tiles, Staging, attention.Score, attention.Exponentiate, attention.Multiply, attention.Finish);
        return kernel.Build();
    }

    private void LoadOperands()
    {
        int rows = _kernel.Partitions;
        MemoryTensor q = _kernel.Input("q", _features, _tokens, _type);
        MemoryTensor k = _allocated ? _kernel.Input("k", _features, _tokens, _type) : _kernel.Input("k", _tokens, _features, _type);
        MemoryTensor v = _kernel.Input("v", _tokens, _features, _type);
        for (int start = 0; start < _tokens; start += _piece)
        {
            LoadColumns(q, _q, start, Scale);
            if (_allocated)
            {
                LoadColumns(k, _k, start, 1);
            }

            for (int token = start; token < start + _piece; token += rows)
            {
                if (!_allocated)
                {
                    TileView keys = LoadRows(k, token, _narrow[_staged]), bank = _transposeBanks[_bank++][.._features, ..rows];
                    _kernel.Transpose(bank, keys);
                    _kernel.Copy(StreamId.Scalar, _k[0][.._features, token..(token + rows)], bank);
                }

                LoadRows(v, token, _v[0], token / rows * _features);
            }
        }
    }

    /// <summary>A bank's width of a transposed operand, scaled and rounded.</summary>
    private void LoadColumns(MemoryTensor tensor, TileBuffer target, int start, float scale)
    {
        TileView staged = _staging[_staged++][.._features, ..];
        _kernel.Load(StreamId.QueueActivations, staged, tensor.Part(0, _features, start, _piece));
        _kernel.Activation(ActivationFunction.Identity, target[0][.._features, start..(start + _piece)], staged, scale: scale);
    }

    /// <summary>128 tokens of an operand as it lies in memory, rounded.</summary>
    private TileView LoadRows(MemoryTensor tensor, int token, Tile target, int column = 0)
    {
        TileView staged = _staging[_staged++][.., .._features], rows = target[.., column..(column + _features)];
        _kernel.Load(StreamId.QueueActivations, staged, tensor.Part(token, _kernel.Partitions));
        _kernel.Copy(StreamId.Scalar, rows, staged);
        return rows;
    }

    private void Score(long tile)
    {
        int rows = _kernel.Partitions, query = (int)tile * rows;
        TileView maxima = _maxima[tile];
        for (int piece = 0; piece < _tokens / _piece; piece++)
        {
            TileView bank = _scoreBanks[(tile * (_tokens / _piece)) + piece], scores = _scores[tile][.., (piece * _piece)..((piece + 1) * _piece)];
            _kernel.MatMul(bank, _q[0][.._features, query..(query + rows)], _k[0][.._features, (piece * _piece)..((piece + 1) * _piece)], false);
            _kernel.Copy(StreamId.Vector, scores, bank);
            _kernel.TensorReduce(AluOperator.Maximum, maxima.Skip(piece).Every(1, 1), scores);
        }

        _kernel.TensorReduce(AluOperator.Maximum, _maximum[tile], maxima, negate: true);
    }

    private void Exponentiate(long tile)
    {
        int length = _tokens / Sums;
        for (int part = 0; part < Sums; part++)
        {
            _kernel.ActivationReduce(ActivationFunction.Exp, _exponentials[tile][.., (part * length)..((part + 1) * length)], _sums[tile][.., part..(part + 1)],
                _scores[tile][.., (part * length)..((part + 1) * length)], _maximum[tile].ToTileView());
        }
    }

    /// <summary>Probabilities are transposed through the array and multiply the values, a bank at a time.</summary>
    private void Multiply(long tile)
    {
        int rows = _kernel.Partitions;
        if (RoundsLater)
        {
            _kernel.Copy(StreamId.Vector, _probabilities[tile], _exponentials[tile]);
        }

        for (int start = 0; start < _tokens; start += _piece)
        {
            TileView bank = _transposeBanks[_bank++][.., .._piece], transposed = _transposed[tile][.., start..(start + _piece)];
            for (int at = 0; at < _piece; at += rows)
            {
                _kernel.Transpose(bank.Skip(at).Every(1, rows), _probabilities[tile][.., (start + at)..(start + at + rows)]);
            }

            _kernel.Copy(StreamId.Vector, transposed, bank);
        }

        TileView result = _resultBanks[tile][.._features, ..rows];
        for (int token = 0; token < _tokens; token += rows)
        {
            _kernel.MatMul(result, _v[0][.., (token / rows * _features)..(((token / rows) + 1) * _features)], _transposed[tile][.., token..(token + rows)], token > 0);
        }
    }

    /// <summary>Each result is divided by the sum of its query, which the array brings to the query's column.</summary>
    private void Finish(long tile)
    {
        int rows = _kernel.Partitions;
        TileView sum = _sums[tile][.., ..1], divisor = _divisors[tile][.., .._features], result = _results[tile][.._features, ..], quotient = _quotients[tile][.._features, ..];
        if (Sums > 1)
        {
            _kernel.TensorReduce(AluOperator.Add, sum, _sums[tile]);
        }

        _kernel.Reciprocal(sum, sum);
        _kernel.Copy(StreamId.Scalar, divisor, sum.Spread(_features));
        TileView divisors = _smallBank[_small++][.._features, ..rows];
        _kernel.Transpose(divisors, divisor);
        _kernel.Copy(_allocated ? StreamId.Vector : StreamId.Scalar, result, _resultBanks[tile][.._features, ..rows]);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, quotient, result, divisors);
        MemoryView target = _allocated ? _output.Part(0, _features, tile * rows, rows) : _output.Part(tile * rows, rows);
        _kernel.Store(StreamId.QueueStores, target, _allocated ? quotient : Transposed(quotient));
    }

    private TileView Transposed(in TileView quotient)
    {
        TileView bank = _smallBank[_small++][.., .._features], staged = _staging[_staged++][.., .._features];
        _kernel.Transpose(bank, quotient);
        _kernel.Copy(StreamId.Scalar, staged, bank);
        return staged;
    }
}
