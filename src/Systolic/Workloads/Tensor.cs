using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>What a tensor is for; decides which traffic is compulsory and what the memory report lists.</summary>
public enum TensorRole
{
    /// <summary>Produced and consumed within a step.</summary>
    Activation,

    /// <summary>A trained parameter.</summary>
    Weight,

    /// <summary>Keys and values kept between decode steps.</summary>
    KvCache,

    /// <summary>Gradient of a weight.</summary>
    WeightGradient,

    /// <summary>Optimizer moments and master weights.</summary>
    OptimizerState,

    /// <summary>Token ids, labels, positions, routing indices.</summary>
    Index,
}

/// <summary>The name and role of a tensor that an operator reads or writes; its shape follows from the operator.</summary>
/// <param name="Name">Unique within the graph's section; the producer and the consumer use the same name.</param>
/// <param name="Role">What it is for.</param>
public readonly record struct Operand(string Name, TensorRole Role = TensorRole.Activation)
{
    /// <summary>An activation of that name.</summary>
    public static implicit operator Operand(string name) => new(name);

    /// <summary>The named form of the conversion from a string.</summary>
    public static Operand FromString(string name) => new(name);
}

/// <summary>One tensor as an operator sees it.</summary>
/// <param name="Operand">Name and role.</param>
/// <param name="Shape">Extent of what the operator touches.</param>
/// <param name="Type">Element type in memory.</param>
public readonly record struct Tensor(Operand Operand, Shape Shape, DataType Type)
{
    /// <summary>Bytes touched once.</summary>
    public Bytes Size => Shape.Size(Type);
}
