using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Simt;

/// <summary>A GPU: streaming multiprocessors behind a shared L2 and one main memory.</summary>
public sealed record SimtSpec
{
    /// <summary>The machine's name, such as "h100".</summary>
    public required string Name { get; init; }

    /// <summary>Streaming multiprocessors that are switched on.</summary>
    public required int Multiprocessors { get; init; }

    /// <summary>The clock at which the peak is quoted; reports count cycles of it.</summary>
    public required Frequency BoostClock { get; init; }

    /// <summary>The highest clock the part takes when power allows.</summary>
    public required Frequency MaximumClock { get; init; }

    /// <summary>One streaming multiprocessor.</summary>
    public required MultiprocessorSpec Multiprocessor { get; init; }

    /// <summary>The tensor cores of one streaming multiprocessor.</summary>
    public required TensorCoreSpec TensorCores { get; init; }

    /// <summary>The cache between the multiprocessors and main memory.</summary>
    public required L2Spec L2 { get; init; }

    /// <summary>Main memory.</summary>
    public required DeviceMemorySpec Memory { get; init; }

    /// <summary>What a kernel costs to start.</summary>
    public required LaunchSpec Launch { get; init; }

    /// <summary>Whether the library of products has stream-K kernels beside those that split K.</summary>
    public bool StreamK { get; init; }

    /// <summary>The power cap that sets the sustained clock.</summary>
    public required PowerCapSpec Power { get; init; }

    /// <summary>What prices the activity in reports.</summary>
    public required EnergyModel Energy { get; init; }

    /// <summary>The clock at whose voltage the energy rows hold.</summary>
    public required Frequency PricedClock { get; init; }

    /// <summary>Die area; null where it is not known.</summary>
    public AreaBreakdown? Area { get; init; }

    /// <summary>Links to other GPUs; null for none.</summary>
    public LinkFabric? Links { get; init; }

    /// <summary>Parameters without a source.</summary>
    public ImmutableArray<Assumption> Assumptions { get; init; } = [];

    /// <summary>Peak multiply-accumulates per second of <paramref name="type"/> at the boost clock.</summary>
    /// <exception cref="CapacityException">The machine cannot multiply this type.</exception>
    public double PeakMacsPerSecond(DataType type) => (double)Rate(type).MacsPerCycle * Multiprocessors * BoostClock.Hertz;

    /// <summary>How this machine multiplies <paramref name="type"/>.</summary>
    internal MatrixRate Rate(DataType type)
    {
        DataType executed = TensorCores.RunsAs.GetValueOrDefault(type, type);
        if (TensorCores.MacsPerCycle.TryGetValue(executed, out int macs))
        {
            return new MatrixRate(executed, macs, OnTensorCores: true);
        }

        return executed == DataType.Fp32
            ? new MatrixRate(executed, Multiprocessor.Fp32Lanes, OnTensorCores: false)
            : throw new CapacityException($"{Name} multiplies no {type.Label()}. Add a rate to tensorCores.macsPerCycle, or name a substitute in tensorCores.runsAs.");
    }

    /// <summary>The least times that no kernel of this machine can beat: arithmetic at the highest clock, bytes at the pin rate.</summary>
    internal LowerBound Bound(double macs, DataType type, Bytes bytes) =>
        new(macs == 0 ? SimTime.Zero : SimTime.FromSeconds(macs / ((double)Rate(type).MacsPerCycle * Multiprocessors * MaximumClock.Hertz)), Memory.Peak.TimeFor(bytes));
}

/// <summary>The rate of one type on one streaming multiprocessor.</summary>
/// <param name="Executed">The type that the unit multiplies; another than asked where the machine lacks it.</param>
/// <param name="MacsPerCycle">Multiply-accumulates per cycle of one multiprocessor, dense.</param>
/// <param name="OnTensorCores">Tensor cores; otherwise CUDA cores.</param>
internal readonly record struct MatrixRate(DataType Executed, int MacsPerCycle, bool OnTensorCores);
