using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>The feed-forward block of a decode step: (norm), gate, up, silu, product, down.</summary>
/// <remarks>
/// Cores share the hidden features: each multiplies its share, they exchange the sums between the projections, and each computes its share of the output.
/// Weights come in pieces of 2,048 features (4,096 of fp8) through a ring of tiles that fills what the rest leaves of 200 KiB a partition, gate and up one after the
/// other. The down projection takes the same place for its ring; its loads wait only for what lay there, so most of them run during the exchange. All transfers are
/// described by the compiler; those of tokens, scales and biases stand in queues of their own and share the DMA engines with the weights.
/// Tiling and allocation are those of the public kernel library (2.29); what the operands of each projection are is an option there, too.
/// </remarks>
internal sealed partial class DecodeMlpKernel
{
    private const DataType Type = DataType.Bf16;
    private const StreamId Queue = StreamId.QueueActivations;
    private const long Budget = 200 << 10;
    private const int Banks = 8;

    private readonly DecodeMlpShape _shape;
    private readonly DecodeTokens _tokens;
    private readonly ColumnStrips _strips;
    private readonly ColumnTiling _rows;
    private readonly KernelBuilder _kernel;
    private readonly MemoryTensor _output;
    private readonly TileBuffer _product;
    private readonly TileBuffer _banks;
    private Tile _x;

    private DecodeMlpKernel(Accelerator machine, DecodeMlpShape shape, bool values)
    {
        _shape = shape;
        _tokens = new DecodeTokens(shape.Tokens, shape.Hidden, machine.Cores, shape.Norm);
        _strips = new ColumnStrips(machine.TensorEngine, shape.Tokens);
        _kernel = new KernelBuilder(machine, "decode mlp", values);
        _rows = new ColumnTiling(shape.Intermediate, _kernel.Partitions);
        _output = _kernel.Output("output", shape.Tokens, shape.Hidden, Type);
        _banks = _kernel.Psum("sums", Banks);
        if (_kernel.FreeSbuf > Budget)
        {
            _kernel.SbufFromTop("not used", _kernel.FreeSbuf - Budget, DataType.Int8);
        }

        _product = shape.GateUpColumns ? _kernel.Sbuf("product", shape.Tokens, Type, _rows.Pieces) : _kernel.Sbuf("product", (long)_rows.Pieces * shape.Tokens, Type);
    }

    /// <summary>The program of one core.</summary>
    /// <exception cref="CapacityException">A piece of weights does not fit SBUF.</exception>
    public static Program Write(Accelerator machine, DecodeMlpShape shape, bool values = false) => new DecodeMlpKernel(machine, shape, values).Write();

    private Program Write()
    {
        long ringEnd = WriteGateUp();
        WriteDown(ringEnd);
        return _kernel.Build();
    }

    /// <summary>Reserves the tokens and returns what brings them there once their loads are due.</summary>
    private (Action Load, Action Release, long Scratch) PlaceTokens()
    {
        int tokens = _shape.Tokens;
        var scratch = new List<TileBuffer>();
        TileBuffer own = _kernel.SbufFromTop("tokens", tokens * _tokens.Share, Type);
        _x = own[0];
        bool all = _shape.Norm is not null && _tokens.Cores > 1;
        Tile whole = all ? Scratch("tokens with all features", tokens * _tokens.Columns) : _x;
        Tile? residual = _shape.AddResidual && !_shape.StoreSum ? Scratch("residual", whole.Elements) : null;
        DecodeNorm? norm = _shape.Norm is { } function ? new DecodeNorm(_kernel, _tokens, function) : null;
        return (Load, () => _kernel.Release(own), scratch.Sum(buffer => buffer.BytesPerPartition) + (norm?.Bytes ?? 0));

        Tile Scratch(string name, int elements)
        {
            scratch.Add(_kernel.SbufFromTop(name, elements, Type));
            return scratch[^1][0];
        }

        void Load()
        {
            LoadTokens(whole, residual);
            if (norm is not null)
            {
                norm.Write(Queue, whole, _kernel.Input("norm parameters", _shape.Norm == NormFunction.Layer ? 2 : 1, _shape.Hidden, Type), _banks[0], _banks[1]);
                norm.Release();
            }

            if (all)
            {
                _kernel.Copy(StreamId.Vector, _x, whole[.., .._tokens.Share].Repeat(tokens, _tokens.Columns));
            }

            scratch.ForEach(_kernel.Release);
        }
    }

    private void LoadTokens(Tile target, Tile? residual)
    {
        MemoryTensor x = _kernel.Input("x", _shape.Tokens, _shape.Hidden, Type);
        if (_shape.AddResidual)
        {
            MemoryTensor other = _kernel.Input("residual", _shape.Tokens, _shape.Hidden, Type);
            if (residual is { } second)
            {
                Load(target, x, _shape.Tokens);
                Load(second, other, _shape.Tokens);
                _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, target, target, second);
                return;
            }

            x = Sum(target, x, other);
        }

        Load(target, x, _tokens.Own);
    }

    /// <summary>Each core adds its part within main memory; where a core reads what another one added, they wait for each other.</summary>
    private MemoryTensor Sum(Tile target, MemoryTensor x, MemoryTensor residual)
    {
        MemoryTensor sum = _kernel.Scratch("sum", _shape.Tokens, _shape.Hidden, Type);
        _kernel.MemorySum(StreamId.QueueActivations, _tokens.Part(sum), _tokens.Part(x), _tokens.Part(residual));
        if (_shape.Norm is not null && _tokens.Cores > 1)
        {
            _kernel.Barrier(target, sum);
        }

        return sum;
    }

    private void Load(Tile target, MemoryTensor source, int tokens)
    {
        MemoryView view = _shape.Norm is null ? _tokens.Shared(source) : _tokens.All(source, tokens);
        _kernel.Load(Queue, target[.., ..view.Pattern.RowElements], view);
    }

    /// <summary>From PSUM to SBUF, scaled if the weights are; the scalar and the vector engine take turns where both can.</summary>
    private void Evict(int turn, in TileView target, in TileView source, in TileView? scale)
    {
        bool even = turn % 2 == 0;
        if (scale is not { } factor)
        {
            _kernel.Copy(even ? StreamId.Scalar : StreamId.Vector, target, source);
        }
        else if (_shape.Scaling == WeightScaling.Row)
        {
            _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, target, source, factor);
        }
        else if (even)
        {
            _kernel.Activation(ActivationFunction.Identity, target, source, scale: factor);
        }
        else
        {
            _kernel.TensorScalar(StreamId.Vector, target, source, AluOperator.Multiply, factor);
        }
    }
}
