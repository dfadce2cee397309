using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>(x + z) / rms(x + z) x gain of whole rows, fp32. The gain is spread over the partitions by the array, for every tile again as in the text of NKIBench.</summary>
internal sealed class ResidualNorm
{
    private const float Epsilon = 1e-5f;
    private readonly KernelBuilder _kernel;
    private readonly ArrayBanks _banks;
    private readonly MemoryTensor _zTensor;
    private readonly TileBuffer _z;
    private readonly TileBuffer _results;
    private readonly TileBuffer _gains;
    private readonly TileBuffer _statistics;
    private readonly TileView _gain;
    private readonly TileView _ones;

    public ResidualNorm(KernelBuilder kernel, ArrayBanks banks, MemoryTensor z, int width, int copies)
    {
        (_kernel, _banks, _zTensor) = (kernel, banks, z);
        _z = kernel.Sbuf("z", width, DataType.Fp32, copies);
        _results = kernel.Sbuf("squares and result", width, DataType.Fp32, copies);
        _gains = kernel.Sbuf("gain of every partition", width, DataType.Fp32, copies);
        _statistics = kernel.Sbuf("statistics", 2, DataType.Fp32, copies);
        _gain = kernel.Sbuf("gain", width, DataType.Fp32)[0][..1, ..];
        _ones = kernel.Sbuf("ones", kernel.Partitions, DataType.Fp32)[0][..1, ..];
        kernel.Load(StreamId.QueueSmall, _gain, kernel.Input("gain", 1, width, DataType.Fp32).Part(0, 1));
        kernel.Memset(StreamId.Vector, _ones, 1);
    }

    /// <summary>Normed rows of a tile.</summary>
    public TileView Result(int tile) => _results[tile];

    /// <summary>Adds z to <paramref name="x"/> in place and norms the sum.</summary>
    public void Write(int tile, in TileView x)
    {
        TileView z = _z[tile], result = _results[tile], gain = _gains[tile], sum = _statistics[tile].Columns(0, 1), inverse = _statistics[tile].Columns(1, 1);
        _kernel.Load(StreamId.QueueActivations, z, _zTensor.Part((long)tile * z.Partitions, z.Partitions));
        _kernel.TensorTensor(StreamId.Vector, AluOperator.Add, x, x, z);
        _kernel.Activation(ActivationFunction.Square, result, x);
        _kernel.TensorReduce(AluOperator.Add, sum, result);
        _kernel.TensorScalar(StreamId.Scalar, sum, sum, AluOperator.Multiply, 1f / x.Elements, AluOperator.Add, Epsilon);
        _kernel.Activation(ActivationFunction.Rsqrt, inverse, sum);
        _kernel.TensorScalar(StreamId.Scalar, result, x, AluOperator.Multiply, inverse);
        for (int column = 0; column < x.Elements; column += _kernel.BankColumns)
        {
            TileView moving = _gain.Columns(column, _kernel.BankColumns);
            _kernel.Copy(StreamId.Scalar, gain.Columns(column, _kernel.BankColumns), _banks.Multiply(z.Partitions, _kernel.BankColumns, 1, _ => _ones, _ => moving));
        }

        _kernel.TensorTensor(StreamId.Vector, AluOperator.Multiply, result, result, gain);
    }
}
