using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <content>The down projection and the store.</content>
internal sealed partial class DecodeMlpKernel
{
    private const int DownPieceBytes = 8192;

    private int OwnOutputs => _shape.Hidden / _tokens.Cores;

    private void WriteDown(long ringEnd)
    {
        int outputs = OwnOutputs, columns = _tokens.Share;
        (int partitions, int elements) = _shape.DownColumns ? (_shape.Tokens, outputs) : (_kernel.Partitions, columns * _shape.Tokens);
        Tile result = _kernel.Sbuf("output", elements, Type)[0];
        int perPartition = _shape.DownColumns ? outputs : columns;
        TileView? bias = _shape.Bias ? LoadOutputs("down bias", 1, Type) : null;
        TileView? scale = _shape.Scaling switch
        {
            WeightScaling.Row => LoadOutputs("down scales", ScaleRows, DataType.Fp32),
            WeightScaling.Static => LoadScalar(StreamId.QueueSmall, _kernel.Sbuf("down scale", 1, DataType.Fp32)[0], _kernel.Input("down scales", ScaleRows, 1, DataType.Fp32), partitions),
            _ => null,
        };
        ColumnTiling tiles = PlaceDownRing(ringEnd, out WeightRing ring);
        if (_shape.DownColumns)
        {
            DownColumns(ring, tiles, result, scale);
        }
        else
        {
            DownRows(ring, result, scale);
        }

        TileView all = result[..partitions, ..elements];
        if (bias is { } added)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, all, all, _shape.DownColumns ? added : added.Spread(_shape.Tokens));
        }

        if (!_shape.DownColumns)
        {
            all = TransposeBack(result);
        }

        _kernel.Store(StreamId.QueueStores, _output.Part(0, _shape.Tokens, 0, outputs), all);

        TileView LoadOutputs(string name, int rows, DataType type)
        {
            Tile tile = _kernel.Sbuf(name, perPartition, type)[0];
            MemoryTensor source = _kernel.Input(name, rows, _shape.Hidden, type);
            TileView target = tile[..partitions, ..];
            _kernel.Load(StreamId.QueueSmall, target, _shape.DownColumns ? Rows(source, partitions, 0, outputs) : source.Flat(0, partitions, columns));
            return target;
        }
    }

    /// <summary>
    /// Pieces of 128 intermediate features x up to 4,096 outputs (8,192 of fp8 where the banks hold as many sums; all where the weights are stationary) in a ring that starts
    /// behind the last piece of gate and up.
    /// </summary>
    private ColumnTiling PlaceDownRing(long ringEnd, out WeightRing ring)
    {
        int outputs = OwnOutputs, size = _shape.WeightType.ByteSize(), width = _shape.DownColumns ? Math.Min(DownPieceBytes / size, Banks * _strips.Count * _kernel.BankColumns) : outputs;
        var tiles = new ColumnTiling(outputs, width);
        int copies = (int)Math.Clamp(_kernel.FreeSbuf / ((long)width * size), 1, (long)tiles.Pieces * _rows.Pieces);
        TileBuffer buffer = _kernel.Sbuf("down weights", width, _shape.WeightType, copies);
        MemoryTensor weights = _kernel.Input("down", _shape.Intermediate, _shape.Hidden, _shape.WeightType);
        ring = new WeightRing(_kernel, StreamId.QueueWeights);
        ring.Add(buffer);
        ring.StartAt(ringEnd > buffer.Address && ringEnd < buffer.End ? (int)((ringEnd - buffer.Address + buffer.BytesPerPartition - 1) / buffer.BytesPerPartition) : 0);
        ring.Add(
            from tile in Enumerable.Range(0, tiles.Pieces)
            from row in Enumerable.Range(0, _rows.Pieces)
            select new WeightPiece(weights.Part(_rows.Start(row), _rows[row], tiles.Start(tile), tiles[tile]), _rows[row]));
        return tiles;
    }

    private TileView Product(int row) => _shape.GateUpColumns ? _product[row][.._rows[row], ..] : _product[0][.._rows[row], .._shape.Tokens].Skip(row * _shape.Tokens);

    private void DownColumns(WeightRing ring, ColumnTiling tiles, Tile result, in TileView? scale)
    {
        int banksOfTile = (((tiles[0] + _kernel.BankColumns - 1) / _kernel.BankColumns) + _strips.Count - 1) / _strips.Count;
        for (int tile = 0; tile < tiles.Pieces; tile++)
        {
            var parts = new ColumnTiling(tiles[tile], _kernel.BankColumns);
            int firstBank = tile % Math.Max(1, Banks / banksOfTile) * banksOfTile;
            for (int row = 0; row < _rows.Pieces; row++)
            {
                Tile weights = ring.Take();
                for (int part = 0; part < parts.Pieces; part++)
                {
                    TileView moving = weights[.._rows[row], ..parts[part]].Skip((int)parts.Start(part));
                    _kernel.MatMul(Bank(part), Product(row), moving, row > 0, tile: _strips.Part(part % _strips.Count));
                }
            }

            for (int part = 0; part < parts.Pieces; part++)
            {
                int start = (int)(tiles.Start(tile) + parts.Start(part)), width = parts[part];
                TileView? factor = scale is { } all && _shape.Scaling == WeightScaling.Row ? all.Columns(start, width) : scale;
                Evict(part % _strips.Count, result[.._shape.Tokens, ..width].Skip(start), Bank(part), factor);
            }

            TileView Bank(int part) => _strips.Of(_banks[firstBank + (part / _strips.Count)], part % _strips.Count, parts[part]);
        }
    }

    /// <summary>Outputs p x columns + c of partition p: block c of the weights has a column for each partition.</summary>
    private void DownRows(WeightRing ring, Tile result, in TileView? scale)
    {
        int columns = _tokens.Share, tokens = _shape.Tokens, perBank = _kernel.BankColumns / tokens;
        if (columns > Banks * perBank)
        {
            throw new CapacityException(FormattableString.Invariant(
                $"decode mlp: {columns} output columns of {tokens} tokens do not fit {Banks} banks of {perBank} columns. Make the tokens stationary (DownColumns)."));
        }

        for (int row = 0; row < _rows.Pieces; row++)
        {
            Tile weights = ring.Take();
            for (int column = 0; column < columns; column++)
            {
                TileView stationary = _shape.DownPermuted
                    ? weights[.._rows[row], .._kernel.Partitions].Skip(column * _kernel.Partitions)
                    : weights[.._rows[row], ..1].Skip(column).Every(columns, _kernel.Partitions);
                TileView sums = _banks[column / perBank][.., ..tokens].Skip(column % perBank * tokens);
                _kernel.MatMul(sums, stationary, Product(row), row > 0);
            }
        }

        for (int bank = 0; bank * perBank < columns; bank++)
        {
            int count = Math.Min(perBank, columns - (bank * perBank)), elements = count * tokens, start = bank * perBank;
            TileView? factor = scale is { } all && _shape.Scaling == WeightScaling.Row ? all.Columns(start, count).Spread(tokens) : scale;
            Evict(bank, result[.., ..elements].Skip(start * tokens), _banks[bank][.., ..elements], factor);
        }
    }

    /// <summary>Tokens to the partitions again: a transpose for each output column, copied to every so many elements by both engines in turn.</summary>
    private TileView TransposeBack(Tile result)
    {
        int columns = _tokens.Share, tokens = _shape.Tokens;
        _kernel.Release(_banks);
        TileBuffer banks = _kernel.Psum("transposes", Banks, Type);
        Tile output = _kernel.Sbuf("output, tokens on the partitions", OwnOutputs, Type)[0];
        for (int column = 0; column < columns; column++)
        {
            TileView transposed = banks[column][..tokens, .._kernel.Partitions];
            _kernel.Transpose(transposed, result[.., ..tokens].Skip(column * tokens));
            _kernel.Copy(column % 2 == 0 ? StreamId.Scalar : StreamId.Vector, output[..tokens, ..1].Skip(column).Every(columns, _kernel.Partitions), transposed);
        }

        return output[..tokens, ..];
    }
}
