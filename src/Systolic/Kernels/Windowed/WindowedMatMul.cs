using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>
/// A product on a machine whose arrays do not take the operands' type: each tile is loaded, converted by the vector engine, multiplied, added up over K and converted back.
/// </summary>
/// <remarks>
/// A step is one tile of K: first the left operand is converted, whole; then the right one panel by panel, each while the arrays multiply the panel before. The sums of a panel
/// leave the accumulators before those of the next one come. Operands lie with K on the lanes, the result with N on the lanes, all padded; main memory holds them by blocks of lanes.
/// </remarks>
internal sealed class WindowedMatMul
{
    /// <summary>Blocks of K that one transfer brings and one instruction converts.</summary>
    private const int PieceBlocks = 2;

    /// <summary>Blocks of a result that leave together: those of a bank.</summary>
    private const int ResultBlocks = 4;

    /// <summary>Pieces of an operand that are on their way or wait for conversion.</summary>
    private const int Ahead = 4;

    /// <summary>Panels of the right operand, and pieces of the result, that are held at once.</summary>
    public const int Copies = 2;

    private readonly KernelBuilder _kernel;
    private readonly WindowedProduct _product;
    private readonly WindowedTile _tile;
    private readonly (int Rows, int Columns) _part;
    private readonly (MemoryTensor Left, MemoryTensor Right, MemoryTensor Result) _memory;
    private readonly (TileBuffer Left, TileBuffer Right) _raw;
    private readonly (TileBuffer Left, TileBuffer Right) _converted;
    private readonly TileBuffer _psum;
    private readonly TileBuffer? _sums;
    private readonly TileBuffer _out;
    private readonly int _unit;
    private long _leftPiece;
    private long _rightPiece;
    private long _panel;
    private long _outPiece;

    private WindowedMatMul(KernelBuilder kernel, WindowedProduct product, WindowedTile tile, DataType type)
    {
        (_kernel, _product, _tile, _part) = (kernel, product, tile, product.OfCore(tile.DividesRows));
        _unit = tile.Rows % Lanes == 0 ? Lanes : tile.Rows < Lanes ? tile.Rows : Lanes / 2;
        int blocks = product.K / Lanes, piece = Math.Min(PieceBlocks, Depth), panels = Math.Min(Copies, Panels);
        _memory = (
            kernel.Input("left", (long)_part.Rows / _unit * Lanes, (long)blocks * _unit, type),
            kernel.Input("right", _part.Columns, product.K, type),
            kernel.Output("result", _part.Columns, _part.Rows, type));
        _raw = (kernel.Sbuf("left as stored", piece * _unit, type, Ahead), kernel.Sbuf("right as stored", piece * Lanes, type, Ahead));
        _converted = (
            kernel.Sbuf("left", Depth * _unit, DataType.Bf16, tile.Rows / _unit),
            kernel.Sbuf("right", tile.Contraction, DataType.Bf16, panels * product.PanelColumns));
        _psum = kernel.Psum("products", Math.Min(product.PanelColumns, Columns) * BanksPerColumn);
        _sums = tile.Contraction < product.K ? kernel.Sbuf("sums", tile.Rows, DataType.Fp32, Columns) : null;
        _out = kernel.Sbuf("result", Math.Min(kernel.BankColumns, tile.Rows), type, Copies);
    }

    private int Lanes => _product.Lanes;

    private int Depth => _tile.Contraction / Lanes;

    private int Columns => _tile.Columns / Lanes;

    private int Panels => (Columns + _product.PanelColumns - 1) / _product.PanelColumns;

    private int UnitsPerBank => _kernel.BankColumns / _unit;

    private int BanksPerColumn => ((_tile.Rows / _unit) + UnitsPerBank - 1) / UnitsPerBank;

    /// <summary>Scratchpad that is taken by what is on its way: pieces of both operands and of the result.</summary>
    public static long StagingBytes(int lanes) => ((2L * Ahead * PieceBlocks) + (Copies * ResultBlocks)) * lanes * lanes * sizeof(short);

    /// <summary>What the core that has most to do executes, with a tile of the caller's or of the compiler's.</summary>
    /// <exception cref="Accounting.CapacityException">The tile does not divide the product or does not fit.</exception>
    public static Program Write(Accelerator machine, string name, WindowedProduct product, DataType type, WindowedTile tile, bool values = false)
    {
        product.Require(tile);
        var kernel = new KernelBuilder(machine, name, values);
        new WindowedMatMul(kernel, product, tile, type).Write();
        return kernel.Build();
    }

    private void Write()
    {
        int steps = _product.K / _tile.Contraction;
        for (int i = 0; i < _part.Rows / _tile.Rows; i++)
        {
            for (int j = 0; j < _part.Columns / _tile.Columns; j++)
            {
                for (int step = 0; step < steps; step++)
                {
                    Step(i, j, step, step == steps - 1);
                }
            }
        }
    }

    private void Step(int i, int j, int step, bool last)
    {
        for (int unit = 0; unit < _tile.Rows / _unit; unit++)
        {
            Convert(_memory.Left, _raw.Left, ref _leftPiece, _converted.Left[unit], (i * _tile.Rows / _unit) + unit, step, _unit, StreamId.QueueActivations);
        }

        ConvertPanel(j, 0, step);
        for (int panel = 0; panel < Panels; panel++, _panel++)
        {
            Multiply(panel);
            if (panel + 1 < Panels)
            {
                ConvertPanel(j, panel + 1, step);
            }

            Evict(i, j, panel, step == 0, last);
        }
    }

    /// <summary>Column blocks of a panel.</summary>
    private int Width(int panel) => Math.Min(_product.PanelColumns, Columns - (panel * _product.PanelColumns));

    /// <summary>The tile of a column of the panel at work, or of the one that follows it.</summary>
    private Tile Right(int column, int ahead) => _converted.Right[((_panel + ahead) * _product.PanelColumns) + column];

    private void ConvertPanel(int j, int panel, int step)
    {
        for (int column = 0; column < Width(panel); column++)
        {
            int block = (j * Columns) + (panel * _product.PanelColumns) + column;
            Convert(_memory.Right, _raw.Right, ref _rightPiece, Right(column, panel == 0 ? 0 : 1), block, step, Lanes, StreamId.QueueWeights);
        }
    }

    /// <summary>Brings one row of blocks of an operand, a tile deep, and converts it.</summary>
    private void Convert(MemoryTensor memory, TileBuffer raw, ref long round, Tile target, int block, int step, int width, StreamId queue)
    {
        for (int k = 0; k < Depth; k += PieceBlocks, round++)
        {
            int elements = Math.Min(PieceBlocks, Depth - k) * width, first = k * width;
            TileView piece = raw[round][.., ..elements];
            _kernel.Load(queue, piece, memory.Flat((((long)block * _product.K / Lanes * width) + (step * (long)Depth * width) + first) * Lanes, Lanes, elements));
            _kernel.Copy(StreamId.Vector, target[.., first..(first + elements)], piece);
        }
    }

    /// <summary>Each array takes a block of the right operand; where there are fewer blocks than arrays, they divide the rows.</summary>
    private void Multiply(int panel)
    {
        int arrays = _kernel.Machine.TensorEngine.Arrays, part = Depth * Width(panel) >= arrays || _unit % arrays > 0 ? _unit : _unit / arrays;
        for (int k = 0; k < Depth; k++)
        {
            for (int column = 0; column < Width(panel); column++)
            {
                TileView stationary = Right(column, 0)[.., (k * Lanes)..((k + 1) * Lanes)];
                for (int row = 0; row < _tile.Rows; row += part)
                {
                    int place = row % (UnitsPerBank * _unit), start = (k * _unit) + (row % _unit);
                    Tile bank = _psum[(column * BanksPerColumn) + (row / (UnitsPerBank * _unit))];
                    _kernel.MatMul(bank[.., place..(place + part)], stationary, _converted.Left[row / _unit][.., start..(start + part)], accumulate: k > 0);
                }
            }
        }
    }

    /// <summary>Sums over K leave the accumulators: to the fp32 sums of the tile, and with the last part of K to main memory. Last ones first, so that the next panel waits for all.</summary>
    private void Evict(int i, int j, int panel, bool first, bool last)
    {
        int height = UnitsPerBank * _unit;
        for (int bank = (Width(panel) * BanksPerColumn) - 1; bank >= 0; bank--)
        {
            int block = (panel * _product.PanelColumns) + (bank / BanksPerColumn), row = bank % BanksPerColumn * height;
            int width = Math.Min(height, _tile.Rows - row);
            TileView products = _psum[bank][.., ..width], target = last ? _out[_outPiece++][.., ..width] : Sums(block, row, width);
            if (first)
            {
                _kernel.Copy(StreamId.Vector, target, products);
            }
            else
            {
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, target, Sums(block, row, width), products);
            }

            if (last)
            {
                _kernel.Store(StreamId.QueueStores, _memory.Result.Flat((((((long)j * Columns) + block) * _part.Rows) + (i * (long)_tile.Rows) + row) * Lanes, Lanes, width), target);
            }
        }
    }

    private TileView Sums(int block, int row, int width) => _sums![block][.., row..(row + width)];
}
