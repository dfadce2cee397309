using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <content>Gate and up projections, their exchange, and the product with silu.</content>
internal sealed partial class DecodeMlpKernel
{
    private const int BytesOfPiece = 4096;
    private const int ScaleRows = 128;

    private bool _vectorsUsed;

    /// <summary>What one of the two projections reads and writes.</summary>
    private sealed record Projection(MemoryTensor Weights, Tile Sums, MemoryTensor? Bias, MemoryTensor? Scales);

    /// <summary>Results of gate and up: tokens on the partitions, or intermediate features, all tokens of a block of 128 side by side.</summary>
    private (int Partitions, int Elements) ResultSize => _shape.GateUpColumns ? (_shape.Tokens, _shape.Intermediate) : (_kernel.Partitions, _rows.Pieces * _shape.Tokens);

    /// <summary>Writes everything up to the product; returns where the piece of weights that is used last ends.</summary>
    private long WriteGateUp()
    {
        (Action loadTokens, Action releaseTokens, long scratch) = PlaceTokens();
        Tile? gate = _shape.Gate ? PlaceSums("gate") : null;
        Tile up = PlaceSums("up");
        Tile? received = _tokens.Cores > 1 ? PlaceSums("other core's sums") : null;
        Projection[] projections = gate is { } first ? [Declare("gate", first), Declare("up", up)] : [Declare("up", up)];
        var shards = new ColumnTiling(_shape.Intermediate, (_shape.GateUpColumns ? _kernel.BankColumns : _kernel.Partitions) * Banks);
        int vector = _shape.GateUpColumns ? shards[0] : (shards[0] + _kernel.Partitions - 1) / _kernel.Partitions;
        Tile? bias = _shape.Bias ? _kernel.Sbuf("bias", vector, Type)[0] : null;
        Tile? scale = _shape.Scaling == WeightScaling.None ? null : _kernel.Sbuf("scales", _shape.Scaling == WeightScaling.Row ? vector : 1, DataType.Fp32)[0];
        ColumnTiling pieces = Pieces(scratch, out int copies);
        var placed = new List<TileBuffer>();
        var ring = new WeightRing(_kernel, StreamId.QueueWeights);
        ring.Add(
            from shard in Enumerable.Range(0, shards.Pieces)
            from projection in projections
            from piece in Enumerable.Range(0, pieces.Pieces)
            select Piece(projection.Weights, pieces, piece, (int)shards.Start(shard), shards[shard]));
        long tile = (long)_shape.Intermediate * pieces.Width;
        int early = (int)Math.Min(copies, _kernel.FreeSbuf / (tile * _shape.WeightType.ByteSize()));
        PlaceTiles("weights", early);
        ring.Fill();
        loadTokens();
        PlaceTiles("more weights", copies - early);
        for (int shard = 0; shard < shards.Pieces; shard++)
        {
            foreach (Projection projection in projections)
            {
                Project(projection, ring, pieces, (int)shards.Start(shard), shards[shard], bias, scale);
            }
        }

        WriteProduct(gate, up, received);
        placed.ForEach(_kernel.Release);
        releaseTokens();
        return ring.End;

        void PlaceTiles(string name, int count)
        {
            if (count > 0)
            {
                placed.Add(_kernel.Sbuf(name, tile, _shape.WeightType, count));
                ring.Add(placed[^1]);
            }
        }
    }

    private Tile PlaceSums(string name) => _kernel.Sbuf(name, ResultSize.Elements, DataType.Fp32)[0];

    private Projection Declare(string name, Tile sums) => new(
        _kernel.Input(name, _shape.Hidden / _tokens.Cores, _shape.Intermediate, _shape.WeightType),
        sums,
        _shape.Bias ? _kernel.Input(name + " bias", 1, _shape.Intermediate, Type) : null,
        _shape.Scaling == WeightScaling.None ? null : _kernel.Input(name + " scales", ScaleRows, _shape.Scaling == WeightScaling.Row ? _shape.Intermediate : 1, DataType.Fp32));

    /// <summary>How the features of a partition are cut, and how many pieces find room once <paramref name="scratch"/> bytes are given back: shorter ones where not even one does.</summary>
    private ColumnTiling Pieces(long scratch, out int copies)
    {
        long room = _kernel.FreeSbuf + scratch;
        int size = _shape.WeightType.ByteSize(), features = BytesOfPiece / _kernel.Partitions / size, bytes = _shape.Intermediate * size;
        if (room < (long)features * bytes)
        {
            features /= 4;
        }

        var pieces = new ColumnTiling(_tokens.Share, features);
        copies = (int)Math.Clamp(room / ((long)features * bytes), 1, 2 * pieces.Pieces);
        return pieces;
    }

    private WeightPiece Piece(MemoryTensor weights, ColumnTiling pieces, int piece, int start, int width)
    {
        int features = pieces[piece], columns = _shape.Intermediate;
        (int blocks, int elements) = width == columns ? (1, features * columns) : (features, width);
        var pattern = new MemoryPattern(1, 0, _kernel.Partitions, (long)_tokens.Share * columns, blocks, columns, elements);
        return new WeightPiece(new MemoryView(weights, (pieces.Start(piece) * columns) + start, pattern), _kernel.Partitions);
    }

    /// <summary>The sums of one core over its features for some intermediate ones, scaled and with the bias. What takes the place of vectors in use waits in a queue of its own.</summary>
    private void Project(Projection projection, WeightRing ring, ColumnTiling pieces, int start, int width, Tile? bias, Tile? scale)
    {
        StreamId queue = _vectorsUsed ? StreamId.QueueSmall : Queue;
        _vectorsUsed = true;
        TileView? biases = bias is { } tile ? LoadVector(queue, tile, projection.Bias!, start, width) : null;
        TileView? scales = scale is not { } factors ? null
            : _shape.Scaling == WeightScaling.Row ? LoadVector(queue, factors, projection.Scales!, start, width) : LoadScalar(queue, factors, projection.Scales!, ResultSize.Partitions);
        if (_shape.GateUpColumns)
        {
            ProjectColumns(ring, pieces, width, projection.Sums[.._shape.Tokens, ..width].Skip(start), biases, scales);
        }
        else
        {
            ProjectRows(ring, pieces, start, width, projection.Sums, biases, scales);
        }
    }

    /// <summary>A value for each intermediate feature: the same for all tokens, or feature f on partition f mod 128.</summary>
    private TileView LoadVector(StreamId queue, Tile tile, MemoryTensor source, int start, int width)
    {
        if (_shape.GateUpColumns)
        {
            TileView all = tile[.._shape.Tokens, ..width];
            _kernel.Load(queue, all, Rows(source, _shape.Tokens, start, width));
            return all;
        }

        (int full, int rest) = Math.DivRem(width, _kernel.Partitions);
        if (full > 0)
        {
            _kernel.Load(queue, tile[.., ..full], source.Flat(start, _kernel.Partitions, 1).Blocks(full, _kernel.Partitions));
        }

        if (rest > 0)
        {
            _kernel.Load(queue, tile[..rest, full..(full + 1)], source.Flat(start + (full * _kernel.Partitions), rest, 1));
        }

        return tile[.., ..];
    }

    /// <summary>As many equal rows: scales lie in main memory once for each partition, biases once.</summary>
    private static MemoryView Rows(MemoryTensor vector, int rows, int start, int width) =>
        vector.Rows == 1 ? vector.Broadcast(0, rows, start, width) : vector.Part(0, rows, start, width);

    private TileView LoadScalar(StreamId queue, Tile tile, MemoryTensor source, int partitions)
    {
        _kernel.Load(queue, tile[..partitions, ..1], source.Part(0, partitions));
        return tile[..partitions, ..1];
    }

    private void ProjectColumns(WeightRing ring, ColumnTiling pieces, int width, in TileView result, in TileView? bias, in TileView? scale)
    {
        var banks = new ColumnTiling(width, _kernel.BankColumns);
        for (int piece = 0; piece < pieces.Pieces; piece++)
        {
            Tile weights = ring.Take();
            for (int first = 0; first < pieces[piece]; first += _strips.Count)
            {
                WriteStrips(weights, banks, (int)pieces.Start(piece), first, Math.Min(_strips.Count, pieces[piece] - first));
            }
        }

        for (int bank = 0; bank < banks.Pieces; bank++)
        {
            TileView part = result.Columns((int)banks.Start(bank), banks[bank]);
            _kernel.Copy(StreamId.Scalar, part, _strips.Of(_banks[bank], 0, banks[bank]));
            for (int strip = 1; strip < Math.Min(_strips.Count, _tokens.Share); strip++)
            {
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, part, _strips.Of(_banks[bank], strip, banks[bank]), part);
            }
        }

        if (scale is not null)
        {
            Evict(0, result, result, scale);
        }

        if (bias is { } added)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, result, result, added);
        }
    }

    /// <summary>As many features as there are strips, side by side.</summary>
    private void WriteStrips(Tile weights, ColumnTiling banks, int start, int first, int strips)
    {
        for (int bank = 0; bank < banks.Pieces; bank++)
        {
            for (int strip = 0; strip < strips; strip++)
            {
                int feature = first + strip;
                TileView moving = weights[.., ..banks[bank]].Skip((feature * (int)banks.Columns) + (int)banks.Start(bank));
                _kernel.MatMul(_strips.Of(_banks[bank], strip, banks[bank]), Stationary(start + feature), moving, start + feature >= _strips.Count, tile: _strips.Part(strip));
            }
        }
    }

    private TileView Stationary(int feature) => _tokens.Feature(_x, feature, _tokens.Share);

    private void ProjectRows(WeightRing ring, ColumnTiling pieces, int start, int width, Tile result, in TileView? bias, in TileView? scale)
    {
        var blocks = new ColumnTiling(width, _kernel.Partitions);
        for (int piece = 0; piece < pieces.Pieces; piece++)
        {
            Tile weights = ring.Take();
            for (int feature = 0; feature < pieces[piece]; feature++)
            {
                for (int block = 0; block < blocks.Pieces; block++)
                {
                    TileView stationary = weights[.., ..blocks[block]].Skip((feature * width) + (int)blocks.Start(block));
                    int column = (int)pieces.Start(piece) + feature;
                    _kernel.MatMul(_banks[block][..blocks[block], .._shape.Tokens], stationary, Stationary(column), column > 0);
                }
            }
        }

        for (int block = 0; block < blocks.Pieces; block++)
        {
            int features = blocks[block], at = (start / _kernel.Partitions) + block;
            TileView target = result[..features, .._shape.Tokens].Skip(at * _shape.Tokens);
            Evict(block, target, _banks[block][..features, .._shape.Tokens], ForBlock(scale, block, features));
            if (bias is { } added)
            {
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, target, target, One(added, block, features).Spread(_shape.Tokens));
            }
        }
    }

    private TileView? ForBlock(in TileView? scale, int block, int features) => scale is not { } factor ? null
        : _shape.Scaling == WeightScaling.Row ? One(factor, block, features).Spread(_shape.Tokens) : factor with { Partitions = features };

    private static TileView One(in TileView vector, int element, int partitions) => vector.Skip(element) with { Partitions = partitions, Free = FreePattern.Row(1) };

    private void WriteProduct(Tile? gate, Tile up, Tile? received)
    {
        if (gate is { } gated)
        {
            Exchange(gated, received);
            Silu(gated);
            Exchange(up, received);
            ForResult((partitions, elements, start) => _kernel.TensorTensor(
                StreamId.Vector, AluOperator.Multiply, Part(_shape.GateUpColumns ? up : _product[0], partitions, elements, start), Part(gated, partitions, elements, start), Part(up, partitions, elements, start)));
        }
        else
        {
            Exchange(up, received);
            Silu(up);
            if (!_shape.GateUpColumns)
            {
                ForResult((partitions, elements, start) => _kernel.Copy(StreamId.Vector, Part(_product[0], partitions, elements, start), Part(up, partitions, elements, start)));
            }
        }

        for (int block = 0; _shape.GateUpColumns && block < _rows.Pieces; block++)
        {
            TileView transposed = _banks[block][.._rows[block], .._shape.Tokens];
            _kernel.Transpose(transposed, up[.._shape.Tokens, .._rows[block]].Skip((int)_rows.Start(block)));
            _kernel.Copy(StreamId.Vector, Product(block), transposed);
        }
    }

    private void Silu(Tile tile) => ForResult((partitions, elements, start) =>
        _kernel.Activation(ActivationFunction.Silu, Part(tile, partitions, elements, start), Part(tile, partitions, elements, start)));

    private void Exchange(Tile sums, Tile? received)
    {
        if (received is { } other)
        {
            (int partitions, int elements) = ResultSize;
            _kernel.SendReceive(other[..partitions, ..elements], sums[..partitions, ..elements]);
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sums[..partitions, ..elements], sums[..partitions, ..elements], other[..partitions, ..elements]);
        }
    }

    /// <summary>Calls for the whole result, or, with intermediate features on the partitions, for its full blocks and for what fills the last one in part.</summary>
    private void ForResult(Action<int, int, int> write)
    {
        (int partitions, int elements) = ResultSize;
        int rest = _shape.GateUpColumns ? 0 : _shape.Intermediate % _kernel.Partitions, full = elements - (rest > 0 ? _shape.Tokens : 0);
        if (full > 0)
        {
            write(partitions, full, 0);
        }

        if (rest > 0)
        {
            write(rest, _shape.Tokens, full);
        }
    }

    private static TileView Part(Tile tile, int partitions, int elements, int start) => tile[..partitions, start..(start + elements)];
}
