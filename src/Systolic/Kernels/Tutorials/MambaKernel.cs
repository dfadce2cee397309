using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The three loop orders of the public tutorial.</summary>
internal enum MambaOrder
{
    /// <summary>States outside, channels inside: delta and u are loaded again for every state (v1).</summary>
    StatesOutside,

    /// <summary>Channels outside, whole sequences inside (v2).</summary>
    ChannelsOutside,

    /// <summary>Channels outside, sequences in tiles of 512 that hand on their last state (v3).</summary>
    SequenceTiled,
}

/// <summary>Sizes of a selective scan.</summary>
internal readonly record struct MambaShape(int Batch, int Channels, int States, int Tokens);

/// <summary>The selective scan of the public fused Mamba tutorial (Neuron 2.20 to 2.32), fp32: for each state, h[t] = exp(delta a) h[t-1] + delta u b, and y = the sum of h c over the states.</summary>
/// <remarks>
/// 128 channels by a tile of tokens. For each state ScalarE takes the exponential, the array broadcasts the rows of b and c over the partitions, and VectorE runs product, scan, product and sum.
/// By default as the tutorial's profiles show it: delta u once for all states where the loops permit, and the broadcasts read in PSUM while a tile fits one bank.
/// <c>asWritten</c> keeps every operation of the text, with the broadcasts in SBUF and h c in PSUM, as later compilers do.
/// </remarks>
internal sealed class MambaKernel
{
    private readonly KernelBuilder _kernel;
    private readonly MambaShape _shape;
    private readonly int _tile;
    private readonly int _tiles;
    private readonly bool _hoisted;
    private readonly bool _broadcastsInPsum;
    private readonly MemoryTensor[] _inputs;
    private readonly MemoryTensor _output;
    private readonly TileBuffer _ones;
    private readonly TileBuffer _rows;
    private readonly TileBuffer _banks;
    private readonly TileBuffer? _broadcasts;
    private readonly TileBuffer _rates;
    private readonly TileBuffer _decays;
    private readonly TileBuffer _scans;
    private readonly TileBuffer? _products;
    private readonly TileBuffer _delta;
    private readonly TileBuffer _u;
    private readonly TileBuffer? _deltaU;
    private readonly TileBuffer _sums;
    private readonly TileBuffer _carried;
    private long _loaded;
    private long _bank;
    private long _row;
    private long _step;

    private MambaKernel(KernelBuilder kernel, MambaShape shape, MambaOrder order, bool asWritten)
    {
        (_kernel, _shape) = (kernel, shape);
        int bank = kernel.BankColumns, channelTiles = shape.Channels / kernel.Partitions;
        _tile = order == MambaOrder.SequenceTiled ? bank : shape.Tokens;
        _tiles = shape.Tokens / _tile;
        if (shape.Channels % kernel.Partitions != 0 || _tiles * _tile != shape.Tokens)
        {
            throw new ArgumentException(FormattableString.Invariant($"Found {shape.Channels} channels and {shape.Tokens} tokens, expected multiples of {kernel.Partitions} and {_tile}."), nameof(shape));
        }

        _broadcastsInPsum = !asWritten && _tile <= bank;
        _hoisted = _broadcastsInPsum && order != MambaOrder.StatesOutside;
        long tokens = (long)shape.Batch * shape.Channels;
        _inputs =
        [
            Input("delta", tokens, shape.Tokens), Input("u", tokens, shape.Tokens), Input("A", shape.Channels, shape.States),
            Input("B", (long)shape.Batch * shape.States, shape.Tokens), Input("C", (long)shape.Batch * shape.States, shape.Tokens),
        ];
        _output = kernel.Output("output", tokens, shape.Tokens, DataType.Fp32);
        _ones = kernel.Sbuf("ones", kernel.Partitions, DataType.Fp32);
        _rows = kernel.Sbuf("rows", Math.Min(_tile, bank), DataType.Fp32, 4);
        _banks = kernel.Psum("broadcast", 4);
        _products = asWritten && _tile <= bank ? kernel.Psum("products", 2) : null;
        _rates = kernel.Sbuf("rates", shape.States, DataType.Fp32, order == MambaOrder.StatesOutside ? channelTiles : 2);
        _carried = kernel.Sbuf("carried states", 1, DataType.Fp32, 2);
        int copies = _tile <= bank ? 2 : 1;
        _broadcasts = _broadcastsInPsum ? null : kernel.Sbuf("broadcast rows", _tile, DataType.Fp32, 2 * copies);
        _decays = kernel.Sbuf("decays", _tile, DataType.Fp32, copies);
        _scans = kernel.Sbuf("scans", _tile, DataType.Fp32, copies);
        int sums = order == MambaOrder.StatesOutside ? channelTiles : _tiles;
        _sums = kernel.Sbuf("sums", _tile, DataType.Fp32, sums);
        long bytes = (long)_tile * sizeof(float) * (_hoisted ? 3 : 2);
        int held = (int)Math.Clamp(kernel.FreeSbuf / bytes, _tiles, 2 * _tiles);
        (_delta, _u) = (kernel.Sbuf("delta", _tile, DataType.Fp32, held), kernel.Sbuf("u", _tile, DataType.Fp32, held));
        _deltaU = _hoisted ? kernel.Sbuf("delta u", _tile, DataType.Fp32, held) : null;
    }

    /// <summary>Writes the program.</summary>
    /// <exception cref="ArgumentException">Channels or tokens are not a multiple of a tile.</exception>
    /// <exception cref="CapacityException">What must stay does not fit SBUF.</exception>
    public static Program Write(KernelBuilder kernel, MambaShape shape, MambaOrder order, bool asWritten = false)
    {
        var scan = new MambaKernel(kernel, shape, order, asWritten);
        kernel.Memset(StreamId.Vector, scan._ones[0][..1, ..], 1);
        for (int batch = 0; batch < shape.Batch; batch++)
        {
            if (order == MambaOrder.StatesOutside)
            {
                scan.WriteStates(batch);
            }
            else
            {
                scan.WriteChannels(batch);
            }
        }

        return kernel.Build();
    }

    private int ChannelTiles => _shape.Channels / _kernel.Partitions;

    private MemoryTensor Input(string name, long rows, long columns) => _kernel.Input(name, rows, columns, DataType.Fp32);

    private void WriteStates(int batch)
    {
        for (int state = 0; state < _shape.States; state++)
        {
            (TileView b, TileView c) = (Broadcast(_inputs[3], batch, state, 0), Broadcast(_inputs[4], batch, state, 0));
            for (int channel = 0; channel < ChannelTiles; channel++)
            {
                LoadTile(batch, channel, 0);
                if (state == 0)
                {
                    LoadRates(channel);
                }

                Step(_loaded - 1, Column(_rates[channel], state), (b, c), _sums[channel], state == 0, default);
            }
        }

        for (int channel = 0; channel < ChannelTiles; channel++)
        {
            Store(batch, channel, 0, _sums[channel]);
        }
    }

    private void WriteChannels(int batch)
    {
        for (int channel = 0; channel < ChannelTiles; channel++)
        {
            LoadRates(channel);
            for (int tile = 0; tile < _tiles; tile++)
            {
                LoadTile(batch, channel, tile);
                if (_deltaU is { } products)
                {
                    _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, products[_loaded - 1], _delta[_loaded - 1], _u[_loaded - 1]);
                }
            }

            for (int state = 0; state < _shape.States; state++)
            {
                WriteSequence(batch, state, Column(_rates[channel], state));
            }

            for (int tile = 0; tile < _tiles; tile++)
            {
                Store(batch, channel, tile, _sums[tile]);
            }
        }
    }

    /// <summary>One state of 128 channels: each tile starts with the last state of the tile before.</summary>
    private void WriteSequence(int batch, int state, in TileView rate)
    {
        ScalarOperand initial = default;
        for (int tile = 0; tile < _tiles; tile++)
        {
            (TileView, TileView) rows = (Broadcast(_inputs[3], batch, state, tile), Broadcast(_inputs[4], batch, state, tile));
            TileView carried = _carried[_step];
            Step(_loaded - _tiles + tile, rate, rows, _sums[tile], state == 0, initial, tile + 1 < _tiles ? carried : null);
            initial = carried;
        }
    }

    private void Step(long loaded, in TileView rate, (TileView B, TileView C) rows, in TileView sum, bool first, in ScalarOperand initial, TileView? carried = null)
    {
        TileView decay = _decays[_step], scan = _scans[_step];
        _kernel.Activation(ActivationFunction.Exp, decay, _delta[loaded], scale: rate);
        if (!_hoisted)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, scan, _delta[loaded], _u[loaded]);
        }

        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, scan, _deltaU is { } products ? products[loaded] : scan, rows.B);
        _kernel.Scan(scan, decay, AluOperator.Multiply, scan, AluOperator.Add, initial);
        if (carried is { } last)
        {
            _kernel.Copy(StreamId.Vector, last, Column(_scans[_step], _tile - 1));
        }

        TileView product = _products is { } banks ? banks[_step] : scan;
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, first ? sum : product, scan, rows.C);
        if (!first)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, sum, sum, product);
        }

        _step++;
    }

    /// <summary>A row of b or c in all partitions: ones times the row, in pieces of a PSUM bank.</summary>
    private TileView Broadcast(MemoryTensor tensor, int batch, int state, int tile)
    {
        TileView all = _broadcasts is { } rows ? rows[_row++] : default;
        int piece = Math.Min(_tile, _kernel.BankColumns);
        for (int start = 0; start < _tile; start += piece)
        {
            int width = Math.Min(piece, _tile - start);
            TileView row = _rows[_bank][..1, ..width], bank = _banks[_bank++][.., ..width];
            _kernel.Load(StreamId.QueueSmall, row, tensor.Part(((long)batch * _shape.States) + state, 1, ((long)tile * _tile) + start, width));
            _kernel.MatMul(bank, _ones[0][..1, ..], row, false);
            if (_broadcastsInPsum)
            {
                return bank;
            }

            _kernel.Copy(StreamId.Scalar, all.Columns(start, width), bank);
        }

        return all;
    }

    private void LoadRates(int channel) => _kernel.Load(StreamId.QueueSmall, _rates[channel], _inputs[2].Part((long)channel * _kernel.Partitions, _kernel.Partitions));

    private void LoadTile(int batch, int channel, int tile)
    {
        _kernel.Load(StreamId.QueueActivations, _delta[_loaded], Part(_inputs[0], batch, channel, tile));
        _kernel.Load(StreamId.QueueActivations, _u[_loaded++], Part(_inputs[1], batch, channel, tile));
    }

    private void Store(int batch, int channel, int tile, in TileView sum) => _kernel.Store(StreamId.QueueStores, Part(_output, batch, channel, tile), sum);

    private MemoryView Part(MemoryTensor tensor, int batch, int channel, int tile) =>
        tensor.Part(((long)batch * _shape.Channels) + ((long)channel * _kernel.Partitions), _kernel.Partitions, (long)tile * _tile, _tile);

    private static TileView Column(Tile tile, int column) => tile[.., column..(column + 1)];
}
