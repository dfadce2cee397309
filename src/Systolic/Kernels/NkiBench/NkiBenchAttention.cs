using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>gqa_full of NKIBench, fp32: attention without mask, all scores of all heads before the first probability; heads of 128 features, several to a key and value head.</summary>
/// <remarks>Transposed queries and scores exceed SBUF, so they are stored and read back, as a compiler has to spill them. Keys of half of the tokens, later all values, stay in SBUF.</remarks>
internal sealed class NkiBenchAttention
{
    private const DataType Type = DataType.Fp32;
    private readonly KernelBuilder _kernel;
    private readonly int _height;
    private readonly int _bank;
    private readonly int _tokens;
    private readonly int _heads;
    private readonly int _group;
    private readonly int _tiles;
    private readonly int _pieces;
    private readonly ArrayBanks _banks;
    private readonly MemoryTensor _queries;
    private readonly MemoryTensor _scores;
    private readonly MemoryTensor _valueTensor;
    private readonly MemoryTensor _output;
    private readonly TileBuffer _held;
    private readonly TileBuffer _ring;
    private readonly TileBuffer _transposed;
    private readonly TileBuffer _maxima;
    private readonly TileBuffer _statistics;
    private readonly TileBuffer _results;
    private long _next;

    private NkiBenchAttention(KernelBuilder kernel, int tokens, int heads, int keyHeads)
    {
        (_kernel, _height, _bank, _tokens, _heads, _group) = (kernel, kernel.Partitions, kernel.BankColumns, tokens, heads, heads / keyHeads);
        if (tokens % (2 * _bank) != 0 || heads % keyHeads != 0 || keyHeads * _height % _bank != 0)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found {tokens} tokens, {heads} heads and {keyHeads} key heads, expected a multiple of {2 * _bank} tokens, of {_bank / _height} key heads, and heads in equal groups."), nameof(tokens));
        }

        (_tiles, _pieces) = (tokens / _height, tokens / _bank);
        _banks = new ArrayBanks(kernel);
        _queries = kernel.Scratch("transposed queries", (long)heads * _height, tokens, Type);
        _scores = kernel.Scratch("scores", (long)heads * tokens, tokens, Type);
        _valueTensor = kernel.Input("values", tokens, (long)keyHeads * _height, Type);
        _output = kernel.Output("output", (long)heads * tokens, _height, Type);
        _held = kernel.Sbuf("keys, then values", (long)keyHeads * _height, Type, _tiles);
        _ring = kernel.Sbuf("scores", _bank, Type, 2 * _pieces);
        _transposed = kernel.Sbuf("queries, then probabilities, transposed", _bank, Type, _pieces);
        _maxima = kernel.Sbuf("maxima", 2, Type, heads * _tiles);
        _statistics = kernel.Sbuf("statistics", 3, Type, 2);
        _results = kernel.Sbuf("results", _height, Type, 2);
    }

    /// <summary>Writes the program for queries [tokens, heads x 128] and keys and values [tokens, key heads x 128].</summary>
    public static Program Write(KernelBuilder kernel, int tokens, int heads, int keyHeads)
    {
        var attention = new NkiBenchAttention(kernel, tokens, heads, keyHeads);
        int width = attention._height, bank = attention._bank;
        var queries = new TransposedLoads(kernel, attention._banks, kernel.Input("queries", tokens, (long)heads * width, Type), width, 8);
        var keys = new TransposedLoads(kernel, attention._banks, kernel.Input("keys", tokens, (long)keyHeads * width, Type), width, 8);
        for (long start = 0; start < tokens; start += bank)
        {
            attention.KeepQueries(queries, start);
        }

        for (int half = 0; half < 2; half++)
        {
            attention.Score(keys, half);
        }

        attention.Combine();
        return kernel.Build();
    }

    private void KeepQueries(TransposedLoads queries, long start)
    {
        for (int head = 0; head < _heads; head++)
        {
            TileView piece = _ring[_next++];
            queries.Load(start, _bank, (long)head * _height, _height, _ => piece);
            _kernel.Store(StreamId.QueueStores, _queries.Part((long)head * _height, _height, start, _bank), piece);
        }
    }

    /// <summary>Scores of all queries against half of the keys, 512 at a time.</summary>
    private void Score(TransposedLoads keys, int half)
    {
        int chunks = _pieces / 2, keyHeads = _heads / _group;
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            int at = chunk;
            keys.Load(((half * chunks) + chunk) * (long)_bank, _bank, 0, keyHeads * _height, head => Keys(at, head));
        }

        for (int head = 0; head < _heads; head++)
        {
            for (int piece = 0; piece < _pieces; piece++)
            {
                _kernel.Load(StreamId.QueueWeights, _transposed[piece], _queries.Part((long)head * _height, _height, (long)piece * _bank, _bank));
            }

            for (int chunk = 0; chunk < chunks; chunk++)
            {
                for (int tile = 0; tile < _tiles; tile++)
                {
                    ScoreTile(head, tile, (half * chunks) + chunk, Keys(chunk, head / _group));
                }
            }
        }
    }

    /// <summary>512 keys of a head, transposed; they lie where the values will.</summary>
    private TileView Keys(int chunk, int head)
    {
        int perTile = _held.Elements / _bank, index = (chunk * _heads / _group) + head;
        return _held[index / perTile].Columns(index % perTile * _bank, _bank);
    }

    private void ScoreTile(int head, int tile, int chunk, TileView keys)
    {
        int query = tile * _height;
        TileView queries = _transposed[query / _bank].Columns(query % _bank, _height), scores = _ring[_next++];
        _kernel.TensorScalar(StreamId.Scalar, scores, _banks.Multiply(_height, _bank, 1, _ => queries, _ => keys), AluOperator.Multiply, 1 / MathF.Sqrt(_height));
        RowStatistics.Merge(_kernel, AluOperator.Maximum, _maxima[(head * _tiles) + tile], scores, chunk == 0);
        _kernel.Store(StreamId.QueueStores, _scores.Part(((long)head * _tokens) + query, _height, (long)chunk * _bank, _bank), scores);
    }

    /// <summary>Probabilities of each 128 queries, transposed, times the values.</summary>
    private void Combine()
    {
        for (int tile = 0; tile < _tiles; tile++)
        {
            _kernel.Load(StreamId.QueueWeights, _held[tile], _valueTensor.Part((long)tile * _height, _height));
        }

        TilePipeline.Write((long)_heads * _tiles, 2, Exponential, Weigh);
    }

    private void Exponential(long tile)
    {
        Tile statistics = _statistics[tile];
        TileView negative = statistics[.., 2..];
        _kernel.TensorScalar(StreamId.Scalar, negative, _maxima[tile][.., ..1], AluOperator.Multiply, -1);
        for (int piece = 0; piece < _pieces; piece++)
        {
            TileView scores = _ring[(tile * _pieces) + piece];
            _kernel.Load(StreamId.QueueActivations, scores, _scores.Part(tile * _height, _height, (long)piece * _bank, _bank));
            _kernel.Activation(ActivationFunction.Exp, scores, scores, negative);
            RowStatistics.Merge(_kernel, AluOperator.Add, statistics, scores, piece == 0);
        }
    }

    private void Weigh(long tile)
    {
        TileView inverse = _statistics[tile][.., 1..2], result = _results[tile];
        int head = (int)(tile / _tiles) / _group, perBank = _bank / _height;
        _kernel.Reciprocal(inverse, _statistics[tile][.., ..1]);
        for (int piece = 0; piece < _pieces; piece++)
        {
            TileView scores = _ring[(tile * _pieces) + piece];
            _kernel.TensorScalar(StreamId.Scalar, scores, scores, AluOperator.Multiply, inverse);
        }

        for (int piece = 0; piece < _pieces; piece++)
        {
            _banks.TransposeColumns(_transposed[piece], _ring[(tile * _pieces) + piece]);
        }

        TileView sum = _banks.Multiply(
            _height,
            _height,
            _tiles,
            i => _transposed[i / perBank].Columns(i % perBank * _height, _height),
            i => _held[i].Columns(head * _height, _height));
        _kernel.Copy(StreamId.Scalar, result, sum);
        _kernel.Store(StreamId.QueueStores, _output.Part(tile * _height, _height), result);
    }
}
