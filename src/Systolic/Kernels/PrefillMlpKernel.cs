using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>What <see cref="PrefillMlpKernel"/> computes.</summary>
/// <param name="Rows">Tokens over all cores.</param>
/// <param name="Hidden">Features of a token, a multiple of 512.</param>
/// <param name="Intermediate">Features between the projections, a multiple of 128.</param>
/// <param name="Scaling">Scales of the weights: where there are any, tokens arrive in fp8, too, each with a scale of its own for <see cref="WeightScaling.Row"/>.</param>
internal sealed record PrefillMlpShape(long Rows, int Hidden, int Intermediate, WeightScaling Scaling)
{
    /// <summary>Element type of weights and tokens.</summary>
    public DataType OperandType => Scaling == WeightScaling.None ? DataType.Bf16 : DataType.Fp8E4M3;
}

/// <summary>The gated feed-forward block of a prefill: gate, up, silu, product, (quantization), down.</summary>
/// <remarks>
/// Tiles of up to 512 rows, as many as the sums of all intermediate features find banks for, in blocks of 128. Tokens are transposed through the array and stay;
/// gate and up weights stream past them in pieces of 1,024 features, then the product, quantized row by row, is transposed, and down weights stream past it in
/// pieces of 256 (bf16: 128) x 1,024. fp8 operands fill two rows of every cell. Cores share the rows, and every tile loads all weights again.
/// Tile sizes and buffers are those of the public kernel library (2.29).
/// </remarks>
internal sealed class PrefillMlpKernel
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
    private readonly MemoryTensor _gate;
    private readonly MemoryTensor _up;
    private readonly MemoryTensor _down;
    private readonly MemoryTensor _output;
    private readonly MemoryTensor? _inputScales;
    private readonly MemoryTensor? _downScales;
    private readonly Tile? _gateScale;
    private readonly Tile? _upScale;
    private readonly Tile? _downScale;
    private readonly TileBuffer _rows;
    private readonly TileBuffer _banks;
    private long _block;

    private PrefillMlpKernel(Accelerator machine, PrefillMlpShape shape, bool values)
    {
        _shape = shape;
        _kernel = new KernelBuilder(machine, "prefill mlp", values) { Descriptors = DescriptorSource.Hardware };
        _columns = new ColumnTiling(shape.Intermediate, _kernel.BankColumns);
        _blocks = new ColumnTiling(shape.Intermediate, Block);
        _doubled = machine.TensorEngine.ContractionRows(shape.OperandType) / Block;
        if (_columns.Pieces > Banks || shape.Intermediate % Block != 0 || shape.Hidden % _kernel.BankColumns != 0)
        {
            throw new CapacityException(FormattableString.Invariant(
                $"prefill mlp: found {shape.Hidden} features and {shape.Intermediate} intermediate ones, expected multiples of {_kernel.BankColumns} and {Block}, the latter at most {Banks * _kernel.BankColumns}. Pad or split them."));
        }

        long rows = (shape.Rows + machine.Cores - 1) / machine.Cores;
        _tiles = new RowTiling(rows, Math.Clamp(Banks / _columns.Pieces, 1, LargestTile / Block) * Block);
        _input = _kernel.Input("x", rows, shape.Hidden, shape.OperandType);
        _inputScales = shape.Scaling == WeightScaling.Row ? _kernel.Input("x scales", rows, 1, DataType.Fp32) : null;
        _gate = _kernel.Input("gate", shape.Hidden, shape.Intermediate, shape.OperandType);
        _up = _kernel.Input("up", shape.Hidden, shape.Intermediate, shape.OperandType);
        _down = _kernel.Input("down", shape.Intermediate, shape.Hidden, shape.OperandType);
        _output = _kernel.Output("output", rows, shape.Hidden, Type);
        _banks = _kernel.Psum("sums", Banks);
        _kernel.SbufFromTop("descriptors", DescriptorBytes, DataType.Int8);
        _gateScale = LoadScale("gate scales", shape.Intermediate);
        _upScale = LoadScale("up scales", shape.Intermediate);
        _downScale = shape.Scaling == WeightScaling.Static ? LoadScale("down scales", 1) : null;
        _downScales = shape.Scaling == WeightScaling.Row ? _kernel.Input("down scales", Block, shape.Hidden, DataType.Fp32) : null;
        _rows = _kernel.Sbuf("rows", shape.Hidden, shape.OperandType, 2);
    }

    /// <summary>The program of one core.</summary>
    /// <exception cref="CapacityException">The sums of a block of rows do not fit PSUM, or a tile does not fit SBUF.</exception>
    public static Program Write(Accelerator machine, PrefillMlpShape shape, bool values = false)
    {
        var kernel = new PrefillMlpKernel(machine, shape, values);
        for (long tile = 0; tile < kernel._tiles.Tiles; tile++)
        {
            kernel.WriteTile(kernel._tiles.Start(tile), new RowTiling(kernel._tiles[tile], Block));
        }

        return kernel._kernel.Build();
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
        int blocks = (int)rows.Tiles, chunks = _shape.Hidden / _kernel.BankColumns;
        TileBuffer scales = _kernel.Sbuf("row scales", 3, DataType.Fp32, blocks);
        TileBuffer product = _kernel.Sbuf("product", _shape.Intermediate, Type, blocks);
        TileBuffer transposed = _kernel.Sbuf("transposed rows", _kernel.BankColumns, _shape.OperandType, blocks * chunks);
        TileBuffer weights = _kernel.Sbuf("gate and up weights", FeaturesOfPiece / Block * _shape.Intermediate, _shape.OperandType, SourceRing);
        for (int block = 0; block < blocks; block++)
        {
            LoadBlock(start, rows, block, scales[block], chunk => transposed[(block * chunks) + chunk]);
        }

        var ring = new WeightRing(_kernel, StreamId.QueueWeights);
        ring.Add(weights);
        ring.Add(SourcePieces(_gate).Concat(SourcePieces(_up)));
        Project(ring, rows, transposed);
        ForParts(rows, (block, column, bank) => Activate(Part(product[block], rows[block], column), bank, scales[block], column));
        Project(ring, rows, transposed);
        ForParts(rows, (block, column, bank) => Multiply(Part(product[block], rows[block], column), bank, scales[block], column));
        _kernel.Release(weights);
        _kernel.Release(transposed);
        TileBuffer operands = _kernel.SbufFromTop("transposed product", _columns.Pieces * _kernel.BankColumns, _shape.OperandType, blocks);
        TransposeProduct(rows, operands, product, scales);
        _kernel.Release(product);
        WriteDown(start, rows, operands, scales);
        _kernel.Release(operands);
        _kernel.Release(scales);
    }

    /// <summary>128 rows: loaded, and transposed 512 features at a time.</summary>
    private void LoadBlock(long start, RowTiling rows, int block, Tile scales, Func<int, Tile> transposed)
    {
        int height = rows[block];
        Tile tile = _rows[_block++];
        _kernel.Load(StreamId.QueueActivations, tile[..height, ..], _input.Part(start + rows.Start(block), height));
        if (_inputScales is { } source)
        {
            _kernel.Load(StreamId.QueueActivations, scales[..height, ..1], source.Part(start + rows.Start(block), height));
        }

        for (int chunk = 0; chunk * _kernel.BankColumns < _shape.Hidden; chunk++)
        {
            Transpose(_banks[chunk], transposed(chunk), tile[..height, ..].Skip(chunk * _kernel.BankColumns), _kernel.BankColumns);
        }
    }

    /// <summary>Up to 512 columns of some rows, 128 at a time, to a bank and on: block b of the target holds columns 128 b on, all rows of each.</summary>
    private void Transpose(Tile bank, Tile target, in TileView source, int columns)
    {
        int rows = source.Partitions;
        for (int column = 0; column < columns; column += Block)
        {
            TileView part = source.Columns(column, Math.Min(Block, columns - column));
            _kernel.Transpose(bank[..part.Elements, ..rows].Skip(column), part);
        }

        int width = Math.Min(columns, Block), blocks = (columns + Block - 1) / Block;
        _kernel.Copy(StreamId.Vector, target[..width, ..rows].Repeat(blocks, Block), bank[..width, ..rows].Repeat(blocks, Block));
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
    private void Project(WeightRing ring, RowTiling rows, TileBuffer transposed)
    {
        int chunks = _shape.Hidden / _kernel.BankColumns, perChunk = _kernel.BankColumns / Block;
        for (int start = 0; start < _shape.Hidden / Block; start += FeaturesOfPiece / Block)
        {
            Tile weights = ring.Take();
            int features = Math.Min(FeaturesOfPiece / Block, (_shape.Hidden / Block) - start);
            for (int block = 0; block < rows.Tiles; block++)
            {
                for (int feature = 0; feature < features; feature += _doubled)
                {
                    int at = start + feature;
                    TileView stationary = Blocks(transposed[(block * chunks) + (at / perChunk)][.., ..rows[block]].Skip(at % perChunk * Block), Block);
                    for (int column = 0; column < _columns.Pieces; column++)
                    {
                        TileView moving = weights[.., .._columns[column]].Skip((feature * _shape.Intermediate) + (int)_columns.Start(column));
                        _kernel.MatMul(Bank(block, column)[..rows[block], .._columns[column]], stationary, Blocks(moving, _shape.Intermediate), at > 0);
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

    private void Activate(in TileView target, in TileView sums, Tile rowScale, int column)
    {
        TileView source = sums;
        ScalarOperand scale = 1f;
        if (_shape.Scaling == WeightScaling.Row)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, target, sums, Part(_gateScale!.Value, target.Partitions, column));
            (source, scale) = (target, rowScale[..target.Partitions, ..1]);
        }
        else if (_shape.Scaling == WeightScaling.Static)
        {
            scale = _gateScale!.Value[..target.Partitions, ..1];
        }

        _kernel.Activation(ActivationFunction.Silu, target, source, scale: scale);
    }

    private void Multiply(in TileView target, in TileView sums, Tile rowScale, int column)
    {
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

    /// <summary>The product as the stationary operand of the down projection, quantized where the weights are.</summary>
    private void TransposeProduct(RowTiling rows, TileBuffer operands, TileBuffer product, TileBuffer scales)
    {
        TileBuffer? quantized = _shape.Scaling == WeightScaling.None ? null : _kernel.Sbuf("quantized product", _shape.Intermediate, _shape.OperandType, operands.Copies);
        for (int block = 0; block < operands.Copies; block++)
        {
            TileView operand = product[block][..rows[block], ..];
            if (quantized is not null)
            {
                Quantize(quantized[block][..rows[block], ..], operand, scales[block]);
                operand = quantized[block][..rows[block], ..];
            }

            for (int column = 0; column < _columns.Pieces; column++)
            {
                TransposeProduct(Bank(block, column), operands[block], operand, column);
            }
        }

        if (quantized is not null)
        {
            _kernel.Release(quantized);
        }
    }

    private void WriteDown(long start, RowTiling rows, TileBuffer operands, TileBuffer scales)
    {
        int blocks = (int)rows.Tiles, outputs = Math.Min(OutputsOfPiece, _shape.Hidden);
        TileBuffer weights = _kernel.Sbuf("down weights", (long)_doubled * outputs, _shape.OperandType, DownRing);
        TileBuffer? factors = _downScales is null ? null : _kernel.Sbuf("down scales", outputs, DataType.Fp32, ScaleRing);
        TileBuffer? scaled = _shape.Scaling == WeightScaling.None ? null : _kernel.Sbuf("scaled sums", _kernel.BankColumns, Type, 2);
        TileBuffer results = _kernel.Sbuf("output", _shape.Hidden, Type, blocks);
        var ring = new WeightRing(_kernel, StreamId.QueueWeights);
        ring.Add(weights);
        var pieces = new ColumnTiling(_shape.Hidden, outputs);
        ring.Add(from piece in Enumerable.Range(0, pieces.Pieces) from inner in Enumerable.Range(0, (_blocks.Pieces + _doubled - 1) / _doubled) select DownPiece(pieces, piece, inner));
        for (int piece = 0; piece < pieces.Pieces; piece++)
        {
            if (factors is not null)
            {
                _kernel.Load(StreamId.QueueWeights, factors[piece][.., ..pieces[piece]], _downScales!.Part(0, Block, pieces.Start(piece), pieces[piece]));
            }

            WriteOutputs(ring, rows, operands, new ColumnTiling(pieces[piece], _kernel.BankColumns), (block, part, sums) =>
            {
                int at = (int)(pieces.Start(piece) + (part * (long)_kernel.BankColumns));
                TileView target = results[block][..rows[block], ..sums.Elements].Skip(at);
                TileView? factor = factors?[piece][..rows[block], ..sums.Elements].Skip(part * _kernel.BankColumns);
                Evict(target, sums, scaled, factor, scales[block], (block * 2) + part);
            });
        }

        for (int block = 0; block < blocks; block++)
        {
            _kernel.Store(StreamId.QueueStores, _output.Part(start + rows.Start(block), rows[block]), results[block][..rows[block], ..]);
        }

        foreach (TileBuffer? buffer in new[] { weights, factors, scaled, results })
        {
            if (buffer is not null)
            {
                _kernel.Release(buffer);
            }
        }
    }

    /// <summary>Each row to the range of fp8; its scale takes that of the weights in, where they have only one.</summary>
    private void Quantize(in TileView target, in TileView source, Tile scales)
    {
        TileView scale = scales[..source.Partitions, 1..2], inverse = scales[..source.Partitions, 2..];
        _kernel.TensorReduce(AluOperator.AbsoluteMaximum, scale, source);
        _kernel.TensorScalar(StreamId.Vector, scale, scale, AluOperator.Multiply, 1 / RmsNormQuantKernel.Fp8Range, AluOperator.Maximum, RmsNormQuantKernel.MinimumScale);
        _kernel.Reciprocal(inverse, scale);
        _kernel.Activation(ActivationFunction.Identity, target, source, scale: (ScalarOperand)inverse);
        if (_downScale is { } weights)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, scale, scale, weights[..source.Partitions, ..]);
        }
    }

    private void TransposeProduct(Tile bank, Tile target, in TileView source, int column)
    {
        int rows = source.Partitions, start = (int)_columns.Start(column);
        for (int at = 0; at < _columns[column]; at += Block)
        {
            TileView part = source.Columns(start + at, Math.Min(Block, _columns[column] - at));
            _kernel.Transpose(bank[..part.Elements, ..rows].Skip(at), part);
        }

        int blocks = (_columns[column] + Block - 1) / Block;
        _kernel.Copy(StreamId.Vector, target[.., ..rows].Skip(start).Repeat(blocks, Block), bank[.., ..rows].Repeat(blocks, Block));
    }

    private WeightPiece DownPiece(ColumnTiling pieces, int piece, int inner)
    {
        int blocks = Math.Min(_doubled, _blocks.Pieces - (inner * _doubled)), hidden = _shape.Hidden;
        long offset = ((long)inner * _doubled * Block * hidden) + pieces.Start(piece);
        return new WeightPiece(new MemoryView(_down, offset, new MemoryPattern(1, 0, Block, hidden, blocks, (long)Block * hidden, pieces[piece])), Block);
    }

    /// <summary>Product x one piece of outputs; <paramref name="evict"/> takes each bank as soon as its sums are complete.</summary>
    private void WriteOutputs(WeightRing ring, RowTiling rows, TileBuffer operands, ColumnTiling parts, Action<int, int, TileView> evict)
    {
        int width = (int)parts.Columns;
        for (int inner = 0; inner < _blocks.Pieces; inner += _doubled)
        {
            Tile weights = ring.Take();
            bool both = inner + _doubled <= _blocks.Pieces;
            for (int block = 0; block < rows.Tiles; block++)
            {
                TileView product = operands[block][.., ..rows[block]].Skip(inner * Block);
                TileView stationary = both ? Blocks(product, Block) : product;
                for (int part = 0; part < parts.Pieces; part++)
                {
                    TileView moving = weights[.., ..parts[part]].Skip((int)parts.Start(part));
                    TileView sums = _banks[(block * parts.Pieces) + part][..rows[block], ..parts[part]];
                    _kernel.MatMul(sums, stationary, both ? Blocks(moving, width) : moving, inner > 0);
                    if (inner + _doubled >= _blocks.Pieces)
                    {
                        evict(block, part, sums);
                    }
                }
            }
        }
    }

    private void Evict(in TileView target, in TileView sums, TileBuffer? scaled, in TileView? factor, Tile rowScale, int turn)
    {
        if (scaled is null)
        {
            _kernel.Copy(StreamId.Vector, target, sums);
            return;
        }

        TileView source = sums;
        if (factor is { } columns)
        {
            source = scaled[turn][..sums.Partitions, ..sums.Elements];
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, source, sums, columns);
        }

        _kernel.Activation(ActivationFunction.Identity, target, source, scale: (ScalarOperand)rowScale[..sums.Partitions, 1..2]);
    }
}
