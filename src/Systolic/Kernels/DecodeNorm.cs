using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>The tokens of a decode step and how cores divide their features.</summary>
/// <param name="Tokens">Tokens.</param>
/// <param name="Features">Features of each, a multiple of partitions x cores.</param>
/// <param name="Cores">Cores; each multiplies its share of the features.</param>
/// <param name="Norm">Normalization before; null for none.</param>
internal sealed record DecodeTokens(int Tokens, int Features, int Cores, NormFunction? Norm)
{
    private const int Partitions = 128;
    private const int RunsOfSum = 16;

    /// <summary>Features of a partition over all cores.</summary>
    public int Columns { get; } = Tokens <= Partitions && Features % (Partitions * Cores) == 0 ? Features / Partitions : throw new CapacityException(FormattableString.Invariant(
        $"A decode step takes up to {Partitions} tokens and features in multiples of {Partitions} x {Cores} cores; found {Tokens} tokens of {Features} features. Use a prefill kernel, or pad the features."));

    /// <summary>Features of a partition that belong to one core.</summary>
    public int Share => Columns / Cores;

    /// <summary>Above so many tokens two cores normalize half of them each and exchange; below, each normalizes all (the public kernels' thresholds).</summary>
    public bool Halves => Cores == 2 && Tokens % 2 == 0 && Tokens > (Norm == NormFunction.Rms ? 18 : 10);

    /// <summary>Tokens that one core normalizes.</summary>
    public int Own => Halves ? Tokens / 2 : Tokens;

    /// <summary>Some tokens of a tensor of main memory with all features: those of core c, partition p and column j are feature c x share of the core + p x share of the partition + j.</summary>
    public MemoryView All(MemoryTensor tensor, int tokens) =>
        new(tensor, 0, new MemoryPattern(1, 0, Partitions, Share, tokens * Cores, Features / Cores, Share));

    /// <summary>All tokens with the features of this core.</summary>
    public MemoryView Shared(MemoryTensor tensor) => new(tensor, 0, new MemoryPattern(1, 0, Partitions, Share, Tokens, Features, Share));

    /// <summary>The part of the tokens that this core adds residuals to: the features it multiplies, the tokens it normalizes, or, where it normalizes all, everything; in runs that all DMA engines share.</summary>
    public MemoryView Part(MemoryTensor tensor)
    {
        (int tokens, int features) = Norm is null ? (Tokens, Features / Cores) : (Own, Features);
        return new MemoryView(tensor, 0, new MemoryPattern(tokens, Features, RunsOfSum, features / RunsOfSum, 1, 0, features / RunsOfSum));
    }

    /// <summary>Feature <paramref name="column"/> of every token as an operand of the array, in a tile of <paramref name="width"/> columns a token.</summary>
    public TileView Feature(Tile tile, int column, int width) => tile[.., column..(column + 1)].Every(width, Tokens);
}

/// <summary>RMS or layer normalization of the few tokens of a decode step, features over the partitions.</summary>
/// <remarks>
/// Each partition sums its features; a matrix of ones on the array adds the partitions and leaves the total in all of them. Intermediate
/// values are fp32. As in the public decode kernels, whose norm also exchanges the halves that two cores computed.
/// </remarks>
internal sealed class DecodeNorm
{
    private const float Epsilon = RmsNormQuantKernel.Epsilon;

    private readonly KernelBuilder _kernel;
    private readonly DecodeTokens _tokens;
    private readonly NormFunction _function;
    private readonly List<TileBuffer> _scratch = [];
    private readonly Tile _vectors;
    private readonly Tile _ones;
    private readonly Tile _squares;
    private readonly Tile _scaled;
    private readonly Tile _sums;

    /// <summary>Places what the normalization needs beside <paramref name="tokens"/> at the top of SBUF.</summary>
    public DecodeNorm(KernelBuilder kernel, DecodeTokens tokens, NormFunction function)
    {
        (_kernel, _tokens, _function) = (kernel, tokens, function);
        bool layer = function == NormFunction.Layer;
        int elements = tokens.Own * tokens.Columns;
        _vectors = Place("norm parameters", tokens.Columns * (layer ? 2 : 1), DataType.Bf16);
        _ones = Place("ones", kernel.Partitions, DataType.Fp32);
        _squares = Place("squares", elements, DataType.Fp32);
        _scaled = layer ? default : Place("x gamma", elements, DataType.Fp32);
        _sums = Place("sums", 2 * tokens.Own, DataType.Fp32);
    }

    /// <summary>Bytes per partition of the scratch.</summary>
    public long Bytes => _scratch.Sum(buffer => buffer.BytesPerPartition);

    /// <summary>Normalizes in place the tokens that <paramref name="x"/> holds with all their features; loads parameters through <paramref name="queue"/>.</summary>
    public void Write(StreamId queue, Tile x, MemoryTensor parameters, Tile bank, Tile otherBank)
    {
        bool layer = _function == NormFunction.Layer;
        int own = _tokens.Own, columns = _tokens.Columns;
        TileView mine = x[.., ..(own * columns)], sums = _sums[.., ..own], total = bank[.., ..own];
        TileView gamma = _vectors[.., ..columns];
        for (int vector = 0; vector < (layer ? 2 : 1); vector++)
        {
            _kernel.Load(queue, gamma.Skip(vector * columns), _tokens.All(parameters, 1) with { Offset = (long)vector * _tokens.Features });
        }

        _kernel.Memset(StreamId.GpSimd, _ones, 1f / _tokens.Features);
        _kernel.Activation(ActivationFunction.Square, _squares, mine);
        _kernel.TensorReduce(AluOperator.Add, sums, _squares);
        _kernel.MatMul(total, _ones, sums, false);
        if (layer)
        {
            WriteLayer(mine, sums, total, otherBank[.., ..own], gamma);
        }
        else
        {
            Combine(AluOperator.Multiply, _scaled, mine, gamma.Repeat(own, 0));
            _kernel.Activation(ActivationFunction.Rsqrt, sums, total, Epsilon);
            Combine(AluOperator.Multiply, mine, _scaled, sums.Spread(columns));
        }

        if (_tokens.Halves)
        {
            _kernel.SendReceive(mine.Skip(own * columns), mine);
        }
    }

    /// <summary>Gives the scratch back.</summary>
    public void Release() => _scratch.ForEach(_kernel.Release);

    private void WriteLayer(in TileView x, in TileView sums, in TileView squares, in TileView mean, in TileView gamma)
    {
        int own = _tokens.Own, columns = _tokens.Columns;
        TileView other = _sums[.., own..];
        _kernel.TensorReduce(AluOperator.Add, other, x);
        _kernel.MatMul(mean, _ones, other, false);
        Combine(AluOperator.Subtract, x, x, mean.Spread(columns));
        _kernel.Activation(ActivationFunction.Square, other, mean);
        Combine(AluOperator.Subtract, sums, squares, other);
        _kernel.Activation(ActivationFunction.Rsqrt, sums, sums, Epsilon);
        Combine(AluOperator.Multiply, x, x, sums.Spread(columns));
        Combine(AluOperator.Multiply, x, x, gamma.Repeat(own, 0));
        Combine(AluOperator.Add, x, x, gamma.Skip(columns).Repeat(own, 0));
    }

    private void Combine(AluOperator op, in TileView target, in TileView first, in TileView second) => _kernel.TensorTensor(StreamId.Vector, op, target, first, second);

    private Tile Place(string name, int elements, DataType type)
    {
        _scratch.Add(_kernel.SbufFromTop(name, elements, type));
        return _scratch[^1][0];
    }
}
