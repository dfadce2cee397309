using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>What <see cref="DecodeQkvKernel"/> computes.</summary>
/// <param name="Tokens">Tokens: batch x new tokens of each.</param>
/// <param name="Hidden">Features of a token.</param>
/// <param name="Outputs">Columns of the fused projection: queries, keys and values.</param>
/// <param name="Norm">Normalization before; null for none.</param>
/// <param name="AddResiduals">The tokens are the sum of three tensors, and that sum is stored.</param>
internal sealed record DecodeQkvShape(int Tokens, int Hidden, int Outputs, NormFunction? Norm, bool AddResiduals = false);

/// <summary>Normalization and the query, key and value projection of a decode step.</summary>
/// <remarks>
/// Cores share the hidden features. Tokens are the stationary operand, in column strips of the array; weights move, in blocks of 2,048 features x up to
/// 4,096 outputs. Loads of the tokens queue behind the weight blocks that find room. Each strip's sums are added on the vector engine; then the cores exchange.
/// </remarks>
internal sealed class DecodeQkvKernel
{
    private const int BlockFeatures = 2048;
    private const int BlockOutputs = 4096;
    private const long DescriptorBytes = 16 << 10;
    private const DataType Type = DataType.Bf16;
    private const StreamId Queue = StreamId.QueueWeights;

    private readonly DecodeQkvShape _shape;
    private readonly DecodeTokens _tokens;
    private readonly ColumnStrips _strips;
    private readonly KernelBuilder _kernel;
    private readonly MemoryTensor _weights;
    private readonly MemoryTensor _output;
    private readonly TileBuffer _banks;
    private readonly Tile _x;
    private readonly ColumnTiling _blocks;
    private readonly int _width;

    private DecodeQkvKernel(Accelerator machine, DecodeQkvShape shape, bool values)
    {
        _shape = shape;
        _tokens = new DecodeTokens(shape.Tokens, shape.Hidden, machine.Cores, shape.Norm);
        _strips = new ColumnStrips(machine.TensorEngine, shape.Tokens);
        _kernel = new KernelBuilder(machine, "decode qkv", values);
        _weights = _kernel.Input("weights", shape.Hidden / machine.Cores, shape.Outputs, Type);
        _output = _kernel.Output("output", shape.Tokens, shape.Outputs, Type);
        _banks = _kernel.Psum("sums", 8);
        _blocks = new ColumnTiling(_tokens.Share, BlockFeatures / _kernel.Partitions);
        _width = shape.Norm is null ? _tokens.Share : _tokens.Columns;
        _kernel.SbufFromTop("descriptors", DescriptorBytes, DataType.Int8);
        _x = _kernel.Sbuf("tokens", shape.Tokens * _width, Type)[0];
    }

    /// <summary>The program of one core.</summary>
    /// <exception cref="CapacityException">A block of weights does not fit SBUF.</exception>
    public static Program Write(Accelerator machine, DecodeQkvShape shape, bool values = false) => new DecodeQkvKernel(machine, shape, values).Write();

    private Program Write()
    {
        _kernel.Descriptors = DescriptorSource.Hardware;
        MemoryTensor source = Source();
        DecodeNorm? norm = _shape.Norm is { } function ? new DecodeNorm(_kernel, _tokens, function) : null;
        var outputs = new ColumnTiling(_shape.Outputs, BlockOutputs);
        for (int block = 0; block < outputs.Pieces; block++)
        {
            int start = (int)outputs.Start(block), width = outputs[block];
            TileBuffer result = _kernel.Sbuf("result", width, Type), received = _kernel.Sbuf("other core's result", width, Type);
            TileBuffer tiles = PlaceWeights(width);
            var ring = new WeightRing(_kernel, Queue);
            ring.Add(tiles);
            ring.Add(Enumerable.Range(0, _blocks.Pieces).Select(piece => Piece(piece, start, width)));
            ring.Fill();
            if (block == 0)
            {
                LoadTokens(source, norm);
            }

            _kernel.Memset(StreamId.GpSimd, result[0][.._shape.Tokens, ..], 0);
            Project(ring, result[0], width);
            Finish(result[0], received[0], start, width);
            _kernel.Release(tiles);
            _kernel.Release(received);
            _kernel.Release(result);
        }

        return _kernel.Build();
    }

    /// <summary>The tokens in main memory; where residuals are added, their sum.</summary>
    private MemoryTensor Source()
    {
        MemoryTensor x = _kernel.Input("x", _shape.Tokens, _shape.Hidden, Type);
        if (!_shape.AddResiduals)
        {
            return x;
        }

        MemoryTensor attention = _kernel.Input("attention", _shape.Tokens, _shape.Hidden, Type), mlp = _kernel.Input("mlp", _shape.Tokens, _shape.Hidden, Type);
        MemoryTensor sum = _kernel.Scratch("sum", _shape.Tokens, _shape.Hidden, Type);
        _kernel.MemorySum(StreamId.QueueActivations, Part(sum), Part(x), Part(attention), Part(mlp));
        return sum;

        MemoryView Part(MemoryTensor tensor) => _tokens.Part(tensor);
    }

    private WeightPiece Piece(int piece, int start, int width) => new(
        new MemoryView(_weights, (_blocks.Start(piece) * _shape.Outputs) + start, new MemoryPattern(1, 0, _kernel.Partitions, (long)_tokens.Share * _shape.Outputs, _blocks[piece], _shape.Outputs, width)),
        _kernel.Partitions);

    private TileBuffer PlaceWeights(int width)
    {
        long elements = (long)Math.Min(_tokens.Share, BlockFeatures / _kernel.Partitions) * width;
        int copies = (int)Math.Clamp(_kernel.FreeSbuf / (elements * Type.ByteSize()), 1, _blocks.Pieces);
        return _kernel.Sbuf("weights", elements, Type, copies);
    }

    private void LoadTokens(MemoryTensor source, DecodeNorm? norm)
    {
        _kernel.Descriptors = norm is null ? DescriptorSource.Hardware : DescriptorSource.Compiled;
        MemoryView view = norm is null ? _tokens.Shared(source) : _tokens.All(source, _tokens.Own);
        _kernel.Load(Queue, _x[.., ..view.Pattern.RowElements], view);
        if (norm is not null)
        {
            norm.Write(Queue, _x, _kernel.Input("norm parameters", _shape.Norm == NormFunction.Layer ? 2 : 1, _shape.Hidden, Type), _banks[0], _banks[1]);
            norm.Release();
        }

        _kernel.Descriptors = DescriptorSource.Hardware;
    }

    private void Project(WeightRing ring, Tile result, int width)
    {
        var pieces = new ColumnTiling(width, _kernel.BankColumns);
        for (int block = 0; block < _blocks.Pieces; block++)
        {
            Tile weights = ring.Take();
            for (int first = 0; first < _blocks[block]; first += _strips.Count)
            {
                WriteProducts(weights, pieces, (int)_blocks.Start(block), first, Math.Min(_strips.Count, _blocks[block] - first));
            }
        }

        int used = Math.Min(_strips.Count, _tokens.Share);
        for (int piece = 0; piece < pieces.Pieces; piece++)
        {
            TileView part = result[.._shape.Tokens, ..pieces[piece]].Skip((int)pieces.Start(piece));
            for (int strip = 0; strip < used; strip++)
            {
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, part, part, _strips.Of(_banks[piece], strip, pieces[piece]));
            }
        }
    }

    /// <summary>As many features as there are strips, side by side.</summary>
    private void WriteProducts(Tile weights, ColumnTiling pieces, int start, int first, int strips)
    {
        for (int piece = 0; piece < pieces.Pieces; piece++)
        {
            for (int strip = 0; strip < strips; strip++)
            {
                int feature = first + strip;
                TileView moving = weights[.., ..pieces[piece]].Skip((feature * (int)pieces.Columns) + (int)pieces.Start(piece));
                _kernel.MatMul(
                    _strips.Of(_banks[piece], strip, pieces[piece]), _tokens.Feature(_x, start + feature, _width), moving, start + feature >= _strips.Count, tile: _strips.Part(strip));
            }
        }
    }

    private void Finish(Tile result, Tile received, int start, int width)
    {
        TileView sum = result[.._shape.Tokens, ..], other = received[.._shape.Tokens, ..];
        if (_tokens.Cores > 1)
        {
            _kernel.SendReceive(other, sum);
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sum, sum, other);
        }

        _kernel.Store(StreamId.QueueStores, _output.Part(0, _shape.Tokens, start, width), sum);
    }
}
