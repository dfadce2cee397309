using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>The feed-forward block of a prefill: (normalization), gate, up, activation, product, (quantization), down.</summary>
/// <remarks>
/// Tiles of up to 512 rows, as many as the sums of all intermediate features find banks for, in blocks of 128. Tokens are transposed through the array, in place, and stay;
/// gate and up weights stream past them in pieces of 1,024 features, then the product, quantized row by row, is transposed, and down weights stream past it in
/// pieces of 256 (bf16: 128) x 1,024. fp8 operands fill two rows of every cell. Cores share the rows, and every tile loads all weights again.
/// Tile sizes and buffers are those of the public kernel library (2.29).
/// </remarks>
internal sealed partial class PrefillMlpKernel
{
    private const DataType Type = DataType.Bf16;
    private const int Block = 128;
    private const int LargestTile = 512;
    private const int FeaturesOfPiece = 1024;
    private const int OutputsOfPiece = 1024;
    private const int SourceRing = 4;
    private const int DownRing = 8;
    private const int ScaleRing = 4;
    private const int Banks = 8;
    private const long DescriptorBytes = 16 << 10;

    private readonly PrefillMlpShape _shape;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _tiles;
    private readonly ColumnTiling _columns;
    private readonly ColumnTiling _blocks;
    private readonly int _doubled;
    private readonly MemoryTensor _input;
    private readonly MemoryTensor? _gate;
    private readonly MemoryTensor _up;
    private readonly MemoryTensor _down;
    private readonly MemoryTensor _output;
    private readonly MemoryTensor? _inputScales;
    private readonly MemoryTensor? _downScales;
    private readonly Tile? _gateScale;
    private readonly Tile? _upScale;
    private readonly Tile? _downScale;
    private readonly Tile? _gain;
    private readonly Tile? _shift;
    private readonly TileBuffer _banks;

    private PrefillMlpKernel(Accelerator machine, PrefillMlpShape shape, bool values)
    {
        _shape = shape;
        _kernel = new KernelBuilder(machine, "prefill mlp", values) { Descriptors = DescriptorSource.Hardware };
        _columns = new ColumnTiling(shape.Intermediate, _kernel.BankColumns);
        _blocks = new ColumnTiling(shape.Intermediate, Block);
        _doubled = machine.TensorEngine.ContractionRows(shape.OperandType) / Block;
        Check(shape);

        long rows = (shape.Rows + machine.Cores - 1) / machine.Cores;
        _tiles = new RowTiling(rows, Math.Clamp(Banks / _columns.Pieces, 1, LargestTile / Block) * Block);
        _input = _kernel.Input("x", rows, shape.Hidden, shape.OperandType);
        _inputScales = shape.Scaling == WeightScaling.Row ? _kernel.Input("x scales", rows, 1, DataType.Fp32) : null;
        _gate = shape.Gate ? _kernel.Input("gate", shape.Hidden, shape.Intermediate, shape.OperandType) : null;
        _up = _kernel.Input("up", shape.Hidden, shape.Intermediate, shape.OperandType);
        _down = _kernel.Input("down", shape.Intermediate, shape.Hidden, shape.OperandType);
        _output = _kernel.Output("output", rows, shape.Hidden, Type);
        _banks = _kernel.Psum("sums", Banks);
        _kernel.SbufFromTop("descriptors", DescriptorBytes, DataType.Int8);
        if (shape.Norm is { } norm)
        {
            MemoryTensor parameters = _kernel.Input("norm parameters", norm == NormFunction.Layer ? 2 : 1, shape.Hidden, Type);
            _gain = LoadFeatures("gain", parameters, 0);
            _shift = norm == NormFunction.Layer ? LoadFeatures("shift", parameters, 1) : null;
        }

        _gateScale = shape.Gate ? LoadScale("gate scales", shape.Intermediate) : null;
        _upScale = LoadScale("up scales", shape.Intermediate);
        _downScale = shape.Scaling == WeightScaling.Static ? LoadScale("down scales", 1) : null;
        _downScales = shape.Scaling == WeightScaling.Row ? _kernel.Input("down scales", Block, shape.Hidden, DataType.Fp32) : null;
    }

    /// <summary>The program of one core.</summary>
    /// <exception cref="CapacityException">The sums of a block of rows do not fit PSUM, or a tile does not fit SBUF.</exception>
    /// <exception cref="ArgumentException">Normalization of fp8 tokens.</exception>
    public static Program Write(Accelerator machine, PrefillMlpShape shape, bool values = false)
    {
        var kernel = new PrefillMlpKernel(machine, shape, values);
        for (long tile = 0; tile < kernel._tiles.Tiles; tile++)
        {
            kernel.WriteTile(kernel._tiles.Start(tile), new RowTiling(kernel._tiles[tile], Block));
        }

        return kernel._kernel.Build();
    }

    private void Check(PrefillMlpShape shape)
    {
        int features = Block * _doubled;
        if (_columns.Pieces > Banks || shape.Hidden % features != 0 || (_doubled > 1 && shape.Intermediate % Block != 0))
        {
            throw new CapacityException(FormattableString.Invariant(
                $"prefill mlp: found {shape.Hidden} features and {shape.Intermediate} intermediate ones in {shape.OperandType.Label()}, expected multiples of {features} and {(_doubled > 1 ? Block : 1)}, the latter at most {Banks * _kernel.BankColumns}. Pad or split them."));
        }

        if (shape.Norm is { } norm && shape.Scaling != WeightScaling.None)
        {
            throw new ArgumentException($"prefill mlp: found {norm} normalization of fp8 tokens, expected bf16 tokens. Normalize before they are quantized.");
        }
    }

    /// <summary>A parameter for each feature, 128 of them over the partitions.</summary>
    private Tile LoadFeatures(string name, MemoryTensor source, int row)
    {
        Tile tile = _kernel.Sbuf(name, _shape.Hidden / Block, Type)[0];
        _kernel.Load(StreamId.QueueSmall, tile, new MemoryView(source, (long)row * _shape.Hidden, new MemoryPattern(1, 0, Block, 1, _shape.Hidden / Block, Block, 1)));
        return tile;
    }

    private Tile? LoadScale(string name, int columns)
    {
        if (_shape.Scaling == WeightScaling.None)
        {
            return null;
        }

        int width = _shape.Scaling == WeightScaling.Row ? columns : 1;
        Tile tile = _kernel.Sbuf(name, width, DataType.Fp32)[0];
        _kernel.Load(StreamId.QueueSmall, tile, _kernel.Input(name, Block, width, DataType.Fp32).Part(0, Block));
        return tile;
    }

    private void WriteTile(long start, RowTiling rows)
    {
        int blocks = (int)rows.Tiles;
        TileBuffer scales = _kernel.Sbuf("row scales", 3, DataType.Fp32, blocks);
        TileBuffer product = _kernel.Sbuf("product", _shape.Intermediate, Type, blocks);
        TileBuffer tokens = _kernel.SbufFromTop("rows", _shape.Hidden, _shape.OperandType, blocks);
        LoadRows(start, rows, tokens, scales);
        Normalize(rows, tokens);
        TileBuffer weights = SourceWeights();
        var ring = new WeightRing(_kernel, StreamId.QueueWeights);
        ring.Add(weights);
        ring.Add((_gate is { } gate ? SourcePieces(gate) : []).Concat(SourcePieces(_up)));
        TransposeRows(rows, tokens);
        if (_shape.Gate)
        {
            Project(ring, rows, tokens);
            ForParts(rows, (block, column, bank) => Activate(Part(product[block], rows[block], column), bank, scales[block], column, _gateScale));
        }

        Project(ring, rows, tokens);
        ForParts(rows, (block, column, bank) => Finish(Part(product[block], rows[block], column), bank, scales[block], column));
        _kernel.Release(weights);
        if (_shape.Scaling != WeightScaling.None)
        {
            _kernel.Release(tokens);
        }

        TileBuffer operands = _kernel.Sbuf("transposed product", _columns.Pieces * _kernel.BankColumns, _shape.OperandType, blocks);
        TransposeProduct(rows, operands, product, scales);
        _kernel.Release(product);
        WriteDown(start, rows, operands, scales, tokens);
        _kernel.Release(operands);
        _kernel.Release(scales);
    }

    private void LoadRows(long start, RowTiling rows, TileBuffer tokens, TileBuffer scales)
    {
        for (int block = 0; block < rows.Tiles; block++)
        {
            _kernel.Load(StreamId.QueueActivations, tokens[block][..rows[block], ..], _input.Part(start + rows.Start(block), rows[block]));
            if (_inputScales is { } source)
            {
                _kernel.Load(StreamId.QueueActivations, scales[block][..rows[block], ..1], source.Part(start + rows.Start(block), rows[block]));
            }
        }
    }

    /// <summary>Each row by its root mean square or its mean and deviation; gain and shift follow when features lie on partitions.</summary>
    private void Normalize(RowTiling rows, TileBuffer tokens)
    {
        if (_shape.Norm is not { } function)
        {
            return;
        }

        var pieces = new ColumnTiling(_shape.Hidden, KernelBuilder.MaximumStatsElements);
        TileBuffer scratch = function == NormFunction.Rms
            ? _kernel.SbufFromTop("squares", _shape.Hidden, Type)
            : _kernel.SbufFromTop("statistics", pieces.Pieces * KernelBuilder.StatsPerPiece, DataType.Fp32);
        TileBuffer moments = _kernel.SbufFromTop("moments", 2, DataType.Fp32, (int)rows.Tiles);
        for (int block = 0; block < rows.Tiles; block++)
        {
            TileView row = tokens[block][..rows[block], ..], mean = moments[block][..rows[block], ..1], inverse = moments[block][..rows[block], 1..2];
            if (function == NormFunction.Rms)
            {
                _kernel.ActivationReduce(ActivationFunction.Square, scratch[0][..rows[block], ..], inverse, row);
                _kernel.Activation(ActivationFunction.Rsqrt, inverse, inverse, RmsNormQuantKernel.Epsilon, 1f / _shape.Hidden);
                _kernel.Activation(ActivationFunction.Identity, row, row, scale: (ScalarOperand)inverse);
                continue;
            }

            for (int piece = 0; piece < pieces.Pieces; piece++)
            {
                int at = piece * KernelBuilder.StatsPerPiece;
                _kernel.BatchNormStats(scratch[0][..rows[block], at..(at + KernelBuilder.StatsPerPiece)], row.Columns((int)pieces.Start(piece), pieces[piece]));
            }

            _kernel.BatchNormAggregate(moments[block][..rows[block], ..], scratch[0][..rows[block], ..]);
            _kernel.Activation(ActivationFunction.Rsqrt, inverse, inverse, RmsNormQuantKernel.Epsilon);
            _kernel.TensorScalar(StreamId.Vector, row, row, AluOperator.Subtract, mean, AluOperator.Multiply, inverse);
        }

        _kernel.Release(scratch);
        _kernel.Release(moments);
    }

    /// <summary>Four tiles, or as many as fit.</summary>
    private TileBuffer SourceWeights()
    {
        int elements = FeaturesOfPiece / Block * _shape.Intermediate;
        long fit = _kernel.FreeSbuf / (elements * _shape.OperandType.ByteSize());
        return _kernel.SbufFromTop("gate and up weights", elements, _shape.OperandType, (int)Math.Clamp(fit, 1, SourceRing));
    }

    /// <summary>512 features at a time, in place: block b of the features goes to columns 128 b on, all rows of each.</summary>
    private void TransposeRows(RowTiling rows, TileBuffer tokens)
    {
        for (int block = 0; block < rows.Tiles; block++)
        {
            for (int start = 0; start < _shape.Hidden; start += _kernel.BankColumns)
            {
                int columns = Math.Min(_kernel.BankColumns, _shape.Hidden - start);
                Tile bank = _banks[start / _kernel.BankColumns];
                Transpose(bank, tokens[block][..rows[block], ..].Skip(start), columns);
                Bring(tokens[block][.., ..rows[block]].Skip(start), bank[.., ..rows[block]], columns, start);
            }
        }
    }

    /// <summary>Transposed features to SBUF: at once, or each 128 with their gain and shift.</summary>
    private void Bring(in TileView target, in TileView bank, int columns, int start)
    {
        if (_gain is not { } gain)
        {
            _kernel.Copy(StreamId.Vector, target.Repeat(columns / Block, Block), bank.Repeat(columns / Block, Block));
            return;
        }

        for (int column = 0; column < columns; column += Block)
        {
            int feature = (start + column) / Block;
            ScalarOperand shift = _shift is { } view ? view[.., feature..(feature + 1)] : 0;
            _kernel.TensorScalar(StreamId.Vector, target.Skip(column), bank.Skip(column), AluOperator.Multiply, gain[.., feature..(feature + 1)], _shift is null ? AluOperator.Bypass : AluOperator.Add, shift);
        }
    }

    /// <summary>Up to 512 columns of some rows to a bank, 128 at a time.</summary>
    private void Transpose(Tile bank, in TileView source, int columns)
    {
        for (int column = 0; column < columns; column += Block)
        {
            TileView part = source.Columns(column, Math.Min(Block, columns - column));
            _kernel.Transpose(bank[..part.Elements, ..source.Partitions].Skip(column), part);
        }
    }

    private IEnumerable<WeightPiece> SourcePieces(MemoryTensor weights)
    {
        for (int start = 0; start < _shape.Hidden; start += FeaturesOfPiece)
        {
            int features = Math.Min(FeaturesOfPiece, _shape.Hidden - start) / Block, columns = _shape.Intermediate;
            yield return new WeightPiece(new MemoryView(weights, (long)start * columns, new MemoryPattern(1, 0, Block, columns, features, (long)Block * columns, columns)), Block);
        }
    }

    /// <summary>Rows x weights: a bank for each 128 rows and 512 intermediate features.</summary>
    private void Project(WeightRing ring, RowTiling rows, TileBuffer tokens)
    {
        for (int start = 0; start < _shape.Hidden / Block; start += FeaturesOfPiece / Block)
        {
            Tile weights = ring.Take();
            int features = Math.Min(FeaturesOfPiece / Block, (_shape.Hidden / Block) - start);
            for (int block = 0; block < rows.Tiles; block++)
            {
                for (int feature = 0; feature < features; feature += _doubled)
                {
                    TileView stationary = Blocks(tokens[block][.., ..rows[block]].Skip((start + feature) * Block), Block);
                    for (int column = 0; column < _columns.Pieces; column++)
                    {
                        TileView moving = weights[.., .._columns[column]].Skip((feature * _shape.Intermediate) + (int)_columns.Start(column));
                        _kernel.MatMul(Bank(block, column)[..rows[block], .._columns[column]], stationary, Blocks(moving, _shape.Intermediate), start + feature > 0);
                    }
                }
            }
        }
    }

    /// <summary>An operand of as many rows as a cell takes.</summary>
    private TileView Blocks(in TileView operand, int stride) => _doubled > 1 ? operand.Repeat(_doubled, stride) : operand;

    private Tile Bank(int block, int column) => _banks[(block * _columns.Pieces) + column];

    private void ForParts(RowTiling rows, Action<int, int, TileView> write)
    {
        for (int block = 0; block < rows.Tiles; block++)
        {
            for (int column = 0; column < _columns.Pieces; column++)
            {
                write(block, column, Bank(block, column)[..rows[block], .._columns[column]]);
            }
        }
    }

    private TileView Part(Tile tile, int rows, int column) => tile[..rows, .._columns[column]].Skip((int)_columns.Start(column));

    private void Activate(in TileView target, in TileView sums, Tile rowScale, int column, Tile? weightScale)
    {
        TileView source = sums;
        ScalarOperand scale = 1f;
        if (_shape.Scaling == WeightScaling.Row)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, target, sums, Part(weightScale!.Value, target.Partitions, column));
            (source, scale) = (target, rowScale[..target.Partitions, ..1]);
        }
        else if (_shape.Scaling == WeightScaling.Static)
        {
            scale = weightScale!.Value[..target.Partitions, ..1];
        }

        _kernel.Activation(_shape.Function, target, source, scale: scale);
    }

    /// <summary>The sums of up: multiplied, or activated where there is no gate.</summary>
    private void Finish(in TileView target, in TileView sums, Tile rowScale, int column)
    {
        if (!_shape.Gate)
        {
            Activate(target, sums, rowScale, column, _upScale);
            return;
        }

        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, target, target, sums);
        if (_shape.Scaling == WeightScaling.Row)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, target, target, Part(_upScale!.Value, target.Partitions, column));
            _kernel.Activation(ActivationFunction.Identity, target, target, scale: (ScalarOperand)rowScale[..target.Partitions, ..1]);
        }
        else if (_shape.Scaling == WeightScaling.Static)
        {
            _kernel.Activation(ActivationFunction.Identity, target, target, scale: (ScalarOperand)_upScale!.Value[..target.Partitions, ..1]);
        }
    }
}
