using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Simt;

/// <summary>How tensor cores are fed, and so which kernels exist.</summary>
public enum MatrixInstruction
{
    /// <summary>Volta: operands pass from global memory through registers into two shared-memory stages.</summary>
    Hmma,

    /// <summary>Ampere: mma.sync from registers, shared memory filled by cp.async in several stages.</summary>
    MmaSync,

    /// <summary>Hopper: warpgroups multiply out of shared memory, filled by the tensor memory accelerator (TMA), in clusters of two CTAs.</summary>
    Wgmma,
}

/// <summary>The tensor cores of one streaming multiprocessor.</summary>
/// <param name="Instruction">How they are fed.</param>
/// <param name="MacsPerCycle">Dense multiply-accumulates per cycle of one multiprocessor, per type.</param>
/// <param name="RunsAs">Types the tensor cores lack, and what is multiplied instead after conversion.</param>
public sealed record TensorCoreSpec(MatrixInstruction Instruction, ImmutableDictionary<DataType, int> MacsPerCycle, ImmutableDictionary<DataType, DataType> RunsAs);
