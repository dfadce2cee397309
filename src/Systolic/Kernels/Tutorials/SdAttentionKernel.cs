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
    private const int Staging = 16;
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
        (_q, _k, _v) = (kernel.Sbuf("q", _piece, DataType.Bf16, Pieces), kernel.Sbuf("k", _piece, DataType.Bf16, Pieces), kernel.Sbuf("v", (long)_piece / rows * features, DataType.Bf16, Pieces));
        _staging = kernel.Sbuf("staging", _piece, type, Staging);
        _scores = kernel.Sbuf("scores", tokens, softmax, 2);
        _maxima = kernel.Sbuf("maxima", Pieces, DataType.Fp32, 2);
        _maximum = kernel.Sbuf("maximum", 1, DataType.Fp32, 2);
        _probabilities = kernel.Sbuf("probabilities", tokens, DataType.Bf16, 2);
        _exponentials = RoundsLater ? kernel.Sbuf("exponentials", tokens, softmax, 2) : _probabilities;
        _sums = kernel.Sbuf("sums", Sums, DataType.Fp32, 4);
        _transposed = kernel.Sbuf("transposed", _piece, DataType.Bf16, 4);
        _divisors = kernel.Sbuf("divisors", rows, DataType.Fp32, 2);
        _results = kernel.Sbuf("results", rows, DataType.Fp32, 2);
        _quotients = kernel.Sbuf("quotients", rows, type, 2);
        _scoreBanks = kernel.Psum("scores", 3);
        _transposeBanks = kernel.Psum("transposes", 2, DataType.Bf16);
        _resultBanks = kernel.Psum("results", 2);
        _smallBank = kernel.Psum("small", 1);
    }

    private int Pieces => _tokens / _piece;

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
        attention.WriteTiles(tokens / kernel.Partitions);
        return kernel.Build();
    }

    /// <summary>
    /// As a list scheduler leaves it: scores of the newest tile among the transposes of the one before the last, each of whose products follows the next transpose;
    /// exponentials of the last tile beside both.
    /// </summary>
    private void WriteTiles(int tiles)
    {
        for (int step = 0; step < ((tiles + 2) * Pieces) + 3; step++)
        {
            RunFirst(step, 2, tiles, Round);
            RunPiece(step, 0, tiles, Score);
            RunPiece(step, 2, tiles, Transpose);
            RunPiece(step - 1, 2, tiles, Multiply);
            RunFirst(step, 3, tiles, TakeSums);
            RunFirst(step, 1, tiles, Exponentiate);
            RunFirst(step - 1, 3, tiles, Divide);
            RunFirst(step - 2, 3, tiles, Store);
        }
    }

    private void RunFirst(int step, int behind, int tiles, Action<int> stage) => RunPiece(step, behind, tiles, (tile, piece) =>
    {
        if (piece == 0)
        {
            stage(tile);
        }
    });

    private void RunPiece(int step, int behind, int tiles, Action<int, int> stage)
    {
        int tile = (step / Pieces) - behind;
        if (step >= 0 && tile >= 0 && tile < tiles)
        {
            stage(tile, step % Pieces);
        }
    }

    private void LoadOperands()
    {
        int rows = _kernel.Partitions;
        MemoryTensor q = _kernel.Input("q", _features, _tokens, _type);
        MemoryTensor k = _allocated ? _kernel.Input("k", _features, _tokens, _type) : _kernel.Input("k", _tokens, _features, _type);
        MemoryTensor v = _kernel.Input("v", _tokens, _features, _type);
        for (int piece = 0; piece < Pieces; piece++)
        {
            LoadColumns(q, _q, piece, Scale);
            if (_allocated)
            {
                LoadColumns(k, _k, piece, 1);
                continue;
            }

            TileView bank = _scoreBanks[piece][.._features, ..];
            for (int at = 0; at < _piece; at += rows)
            {
                TileView keys = _staging[_staged++][.., .._features];
                _kernel.Load(StreamId.QueueActivations, keys, k.Part((piece * _piece) + at, rows));
                _kernel.Transpose(bank.Skip(at).Every(1, rows), keys);
            }

            _kernel.Copy(StreamId.Scalar, _k[piece][.._features, ..], bank);
        }

        for (int token = 0; token < _tokens; token += rows)
        {
            (int piece, int at) = Math.DivRem(token, _piece);
            int column = at / rows * _features;
            TileView values = _v[piece][.., column..(column + _features)], loaded = _type == DataType.Bf16 ? values : _staging[_staged++][.., .._features];
            _kernel.Load(StreamId.QueueActivations, loaded, v.Part(token, rows));
            if (loaded != values)
            {
                _kernel.Copy(StreamId.Scalar, values, loaded);
            }
        }
    }

    /// <summary>A bank's width of a transposed operand, scaled and rounded.</summary>
    private void LoadColumns(MemoryTensor tensor, TileBuffer target, int piece, float scale)
    {
        TileView staged = _staging[_staged++][.._features, ..];
        _kernel.Load(StreamId.QueueActivations, staged, tensor.Part(0, _features, (long)piece * _piece, _piece));
        _kernel.Activation(ActivationFunction.Identity, target[piece][.._features, ..], staged, scale: scale);
    }

    private void Score(int tile, int piece)
    {
        int rows = _kernel.Partitions;
        (int queries, int query) = Math.DivRem(tile * rows, _piece);
        TileView bank = _scoreBanks[(tile * Pieces) + piece], scores = _scores[tile][.., (piece * _piece)..((piece + 1) * _piece)], maxima = _maxima[tile];
        _kernel.MatMul(bank, _q[queries][.._features, query..(query + rows)], _k[piece][.._features, ..], false);
        _kernel.Copy(StreamId.Vector, scores, bank);
        _kernel.TensorReduce(AluOperator.Maximum, maxima.Skip(piece).Every(1, 1), scores);
        if (piece == Pieces - 1)
        {
            _kernel.TensorReduce(AluOperator.Maximum, _maximum[tile], maxima, negate: true);
        }
    }

    private void Exponentiate(int tile)
    {
        int length = _tokens / Sums;
        for (int part = 0; part < Sums; part++)
        {
            Range columns = (part * length)..((part + 1) * length);
            _kernel.ActivationReduce(ActivationFunction.Exp, _exponentials[tile][.., columns], _sums[tile][.., part..(part + 1)], _scores[tile][.., columns], _maximum[tile].ToTileView());
        }
    }

    private void Round(int tile)
    {
        if (RoundsLater)
        {
            _kernel.Copy(StreamId.Vector, _probabilities[tile], _exponentials[tile]);
        }
    }

    /// <summary>Probabilities pass through the array, a bank at a time.</summary>
    private void Transpose(int tile, int piece)
    {
        int rows = _kernel.Partitions;
        TileView bank = _transposeBanks[_bank++][.., .._piece];
        for (int at = 0; at < _piece; at += rows)
        {
            int start = (piece * _piece) + at;
            _kernel.Transpose(bank.Skip(at).Every(1, rows), _probabilities[tile][.., start..(start + rows)]);
        }

        _kernel.Copy(StreamId.Vector, _transposed[(tile * Pieces) + piece], bank);
    }

    private void Multiply(int tile, int piece)
    {
        int rows = _kernel.Partitions;
        for (int at = 0; at < _piece; at += rows)
        {
            int value = at / rows * _features;
            _kernel.MatMul(_resultBanks[tile][.._features, ..rows], _v[piece][.., value..(value + _features)], _transposed[(tile * Pieces) + piece][.., at..(at + rows)], piece + at > 0);
        }
    }

    private void TakeSums(int tile)
    {
        TileView sum = _sums[tile][.., ..1];
        if (Sums > 1)
        {
            _kernel.TensorReduce(AluOperator.Add, sum, _sums[tile]);
        }

        _kernel.Reciprocal(sum, sum);
        _kernel.Copy(StreamId.Scalar, _divisors[tile][.., .._features], sum.Spread(_features));
        _kernel.Copy(_allocated ? StreamId.Vector : StreamId.Scalar, Result(_results, tile), _resultBanks[tile][.._features, .._kernel.Partitions]);
    }

    /// <summary>Each result is divided by the sum of its query, which the array brings to the query's column.</summary>
    private void Divide(int tile)
    {
        TileView divisors = _smallBank[0][.._features, .._kernel.Partitions];
        _kernel.Transpose(divisors, _divisors[tile][.., .._features]);
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, Result(_quotients, tile), Result(_results, tile), divisors);
    }

    private void Store(int tile)
    {
        int rows = _kernel.Partitions;
        TileView quotient = Result(_quotients, tile);
        if (_allocated)
        {
            _kernel.Store(StreamId.QueueStores, _output.Part(0, _features, (long)tile * rows, rows), quotient);
            return;
        }

        TileView bank = _smallBank[0][.., .._features], staged = _staging[_staged++][.., .._features];
        _kernel.Transpose(bank, quotient);
        _kernel.Copy(StreamId.Scalar, staged, bank);
        _kernel.Store(StreamId.QueueStores, _output.Part((long)tile * rows, rows), staged);
    }

    private TileView Result(TileBuffer buffer, int tile) => buffer[tile][.._features, ..];
}
