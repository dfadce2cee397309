using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <content>The down projection: the product quantized and transposed, times the down weights.</content>
internal sealed partial class PrefillMlpKernel
{
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

    private void WriteDown(long start, RowTiling rows, TileBuffer operands, TileBuffer scales, TileBuffer tokens)
    {
        int blocks = (int)rows.Tiles, outputs = Math.Min(OutputsOfPiece, _shape.Hidden);
        TileBuffer weights = _kernel.Sbuf("down weights", (long)_doubled * outputs, _shape.OperandType, DownRing);
        TileBuffer results = _shape.Scaling == WeightScaling.None ? tokens : _kernel.Sbuf("output", _shape.Hidden, Type, blocks);
        TileBuffer? factors = _downScales is null ? null : _kernel.Sbuf("down scales", outputs, DataType.Fp32, ScaleRing);
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
                Evict(target, sums, factor, scales[block]);
            });
        }

        for (int block = 0; block < blocks; block++)
        {
            _kernel.Store(StreamId.QueueStores, _output.Part(start + rows.Start(block), rows[block]), results[block][..rows[block], ..]);
        }

        foreach (TileBuffer? buffer in new[] { weights, factors, results })
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
        int rows = source.Partitions, start = (int)_columns.Start(column), columns = _columns[column];
        Transpose(bank, source.Columns(start, columns), columns);
        int whole = columns / Block, rest = columns % Block;
        if (whole > 0)
        {
            _kernel.Copy(StreamId.Vector, target[.., ..rows].Skip(start).Repeat(whole, Block), bank[.., ..rows].Repeat(whole, Block));
        }

        if (rest > 0)
        {
            int last = whole * Block;
            _kernel.Copy(StreamId.Vector, target[..rest, ..rows].Skip(start + last), bank[..rest, ..rows].Skip(last));
        }
    }

    private WeightPiece DownPiece(ColumnTiling pieces, int piece, int inner)
    {
        int blocks = Math.Min(_doubled, _blocks.Pieces - (inner * _doubled)), hidden = _shape.Hidden;
        long offset = ((long)inner * _doubled * Block * hidden) + pieces.Start(piece);
        int height = blocks > 1 ? Block : _blocks[inner * _doubled];
        return new WeightPiece(new MemoryView(_down, offset, new MemoryPattern(1, 0, height, hidden, blocks, (long)Block * hidden, pieces[piece])), height);
    }

    /// <summary>Product x one piece of outputs; <paramref name="evict"/> takes each bank as soon as its sums are complete.</summary>
    private void WriteOutputs(WeightRing ring, RowTiling rows, TileBuffer operands, ColumnTiling parts, Action<int, int, TileView> evict)
    {
        int width = (int)parts.Columns;
        for (int inner = 0; inner < _blocks.Pieces; inner += _doubled)
        {
            Tile weights = ring.Take();
            bool both = inner + _doubled <= _blocks.Pieces;
            int height = _blocks[inner];
            for (int block = 0; block < rows.Tiles; block++)
            {
                TileView product = operands[block][..height, ..rows[block]].Skip(inner * Block);
                TileView stationary = both ? Blocks(product, Block) : product;
                for (int part = 0; part < parts.Pieces; part++)
                {
                    TileView moving = weights[..height, ..parts[part]].Skip((int)parts.Start(part));
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

    private void Evict(in TileView target, in TileView sums, in TileView? factor, Tile rowScale)
    {
        if (_shape.Scaling == WeightScaling.None)
        {
            _kernel.Copy(StreamId.Vector, target, sums);
            return;
        }

        TileView source = sums;
        if (factor is { } columns)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, target, sums, columns);
            source = target;
        }

        _kernel.Activation(ActivationFunction.Identity, target, source, scale: (ScalarOperand)rowScale[..sums.Partitions, 1..2]);
    }
}
