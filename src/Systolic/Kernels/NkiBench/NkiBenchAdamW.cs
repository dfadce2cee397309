using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>adamw of NKIBench, fp32: the first step of AdamW, which returns the weights only; 128 rows of 1,024 columns at a time, in halves of 512.</summary>
/// <remarks>
/// Products with constants and the root are on ScalarE, sums and products of two tensors on VectorE. The text multiplies by a reciprocal; here the vector engine divides, since its share in the
/// published profile leaves no room for the eight cycles an element of a reciprocal.
/// </remarks>
internal sealed class NkiBenchAdamW
{
    private const int Width = 1024;
    private const DataType Type = DataType.Fp32;
    private readonly KernelBuilder _kernel;
    private readonly RowTiling _rows;
    private readonly ColumnTiling _columns;
    private readonly MemoryTensor[] _inputs;
    private readonly MemoryTensor _output;
    private readonly TileBuffer[] _loaded;
    private readonly TileBuffer _updated;
    private readonly TileBuffer[] _scratch;

    private NkiBenchAdamW(KernelBuilder kernel, int m, int n)
    {
        (_kernel, _rows, _columns) = (kernel, new RowTiling(m, kernel.Partitions), new ColumnTiling(n, Width));
        string[] names = ["weights", "gradient", "first moment", "second moment"];
        _inputs = [.. names.Select(name => kernel.Input(name, m, n, Type))];
        _output = kernel.Output("new weights", m, n, Type);
        _loaded = [.. names.Select(name => kernel.Sbuf(name, Width, Type, TilePipeline.Copies))];
        _updated = kernel.Sbuf("new weights", Width, Type, TilePipeline.Copies);
        _scratch = [.. Enumerable.Range(0, Scratches).Select(i => kernel.Sbuf(FormattableString.Invariant($"scratch {i}"), Width / 2, Type, TilePipeline.Copies))];
    }

    private const int Scratches = 6;

    /// <summary>Writes the program.</summary>
    public static Program Write(KernelBuilder kernel, int m, int n)
    {
        var step = new NkiBenchAdamW(kernel, m, n);
        TilePipeline.Write(2 * step._rows.Tiles * step._columns.Pieces, TilePipeline.Copies, step.Moments, step.Root, step.Update);
        return kernel.Build();
    }

    private (int Rows, int Columns, long Tile, int Offset) Half(long half)
    {
        (long row, long piece) = Math.DivRem(half / 2, _columns.Pieces);
        int columns = _columns[piece] / 2;
        return (_rows[row], columns, half / 2, (int)(half % 2) * columns);
    }

    private MemoryView Memory(MemoryTensor tensor, long tile)
    {
        (long row, long piece) = Math.DivRem(tile, _columns.Pieces);
        return tensor.Part(_rows.Start(row), _rows[row], _columns.Start(piece), _columns[piece]);
    }

    private TileView Loaded(int input, long half)
    {
        (int rows, int columns, long tile, int offset) = Half(half);
        return _loaded[input][tile][..rows, offset..(offset + columns)];
    }

    private TileView Scratch(int index, long half)
    {
        (int rows, int columns, _, _) = Half(half);
        return _scratch[index][half][..rows, ..columns];
    }

    /// <summary>Decayed weights w - 1e-5 w, step 0.9 m + 0.1 g, second moment 0.999 v + 0.001 g g.</summary>
    private void Moments(long half)
    {
        if (half % 2 == 0)
        {
            foreach (int i in (ReadOnlySpan<int>)[0, 2, 3, 1])
            {
                MemoryView source = Memory(_inputs[i], half / 2);
                _kernel.Load(StreamId.QueueActivations, _loaded[i][half / 2][..source.Pattern.Rows, ..source.Pattern.Elements], source);
            }
        }

        TileView weights = Loaded(0, half), gradient = Loaded(1, half), first = Loaded(2, half), second = Loaded(3, half);
        TileView decayed = Scratch(0, half), step = Scratch(1, half), term = Scratch(2, half), square = Scratch(3, half), change = Scratch(5, half);
        Scale(decayed, weights, 1e-5f);
        Two(AluOperator.Subtract, decayed, weights, decayed);
        Scale(step, first, 0.9f);
        Scale(term, gradient, 0.1f);
        Two(AluOperator.Add, step, step, term);
        Scale(square, second, 0.999f);
        Scale(change, gradient, 0.001f);
        Two(AluOperator.Multiply, change, change, gradient);
        Two(AluOperator.Add, square, square, change);
    }

    /// <summary>The step times 0.01; the root of the corrected second moment, and 1e-8.</summary>
    private void Root(long half)
    {
        TileView root = Scratch(4, half), step = Scratch(1, half);
        Scale(step, step, 0.01f);
        _kernel.Activation(ActivationFunction.Sqrt, root, Scratch(3, half), 0, 1000);
        _kernel.TensorScalar(StreamId.Scalar, root, root, AluOperator.Add, 1e-8f);
    }

    private void Update(long half)
    {
        (int rows, int columns, long tile, int offset) = Half(half);
        TileView step = Scratch(1, half);
        Two(AluOperator.Divide, step, step, Scratch(4, half));
        Two(AluOperator.Subtract, _updated[tile][..rows, offset..(offset + columns)], Scratch(0, half), step);
        if (half % 2 == 1)
        {
            _kernel.Store(StreamId.QueueStores, Memory(_output, tile), _updated[tile][..rows, ..(2 * columns)]);
        }
    }

    private void Scale(in TileView target, in TileView source, float factor) => _kernel.TensorScalar(StreamId.Scalar, target, source, AluOperator.Multiply, factor);

    private void Two(AluOperator op, in TileView target, in TileView first, in TileView second) => _kernel.TensorTensor(StreamId.Vector, op, target, first, second);
}
