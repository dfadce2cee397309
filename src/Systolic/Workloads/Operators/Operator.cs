using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>One node of a workload: what is computed, on which shapes and types. It knows no hardware.</summary>
/// <remarks>
/// A derived record holds only numbers that decide cost, so two operators with equal <see cref="Signature"/> cost the same on any machine.
/// </remarks>
/// <param name="Name">The node's name in reports, such as "layer/attn/q_proj".</param>
public abstract record Operator(string Name)
{
    /// <summary>Names of the tensors read, in the order of <see cref="InputTypes"/>.</summary>
    public ImmutableArray<Operand> Inputs { get; init; } = [];

    /// <summary>Names of the tensors written, in the order of <see cref="OutputTypes"/>.</summary>
    public ImmutableArray<Operand> Outputs { get; init; } = [];

    /// <summary>How the operator is divided over tensor-parallel ranks.</summary>
    public Split Split { get; init; }

    /// <summary>The operator's family in reports, lower case, such as "matmul".</summary>
    public abstract string Kind { get; }

    /// <summary>Element type of the main operands.</summary>
    public abstract DataType Type { get; init; }

    /// <summary>Multiply-accumulates on matrices that the result needs; recomputation and transposes not counted.</summary>
    public virtual MacCount Macs => MacCount.Zero;

    /// <summary>Arithmetic outside matrix products, in scalar operations; an exponential or a division counts as one.</summary>
    public virtual long ElementOperations => 0;

    /// <summary>The shapes in one line, such as "2048x4096x14336".</summary>
    public abstract string Describe();

    /// <summary>Shape and type of each input.</summary>
    protected abstract ImmutableArray<(Shape Shape, DataType Type)> InputTypes();

    /// <summary>Shape and type of each output.</summary>
    protected abstract ImmutableArray<(Shape Shape, DataType Type)> OutputTypes();

    /// <summary>The operator restricted to <paramref name="share"/> of its <see cref="Workloads.Split.Units"/> units.</summary>
    protected abstract Operator Restrict(long share);

    /// <summary>Tensors read. An input without a name is an activation called "input k".</summary>
    public ImmutableArray<Tensor> Reads => Zip(Inputs, InputTypes(), "input");

    /// <summary>Tensors written. An output without a name is an activation called "output k".</summary>
    public ImmutableArray<Tensor> Writes => Zip(Outputs, OutputTypes(), "output");

    /// <summary>The operator without names: equal signatures cost the same on every machine.</summary>
    public Operator Signature => this with { Name = "", Inputs = [], Outputs = [], Split = default };

    /// <summary>Name, kind and shapes.</summary>
    public sealed override string ToString() => $"{Name}: {Kind} {Describe()}";

    /// <summary>The part that tensor-parallel rank <paramref name="rank"/> of <paramref name="degree"/> computes, which can be divided again; null when it has none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The degree is not positive or the rank is outside it.</exception>
    public Operator? ShareOf(int rank, int degree)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(degree);
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, degree);
        if (degree == 1 || Split.Axis == SplitAxis.Replicate)
        {
            return this;
        }

        long share = Split.ShareOf(rank, degree);
        return share == 0 ? null : (share == Split.Units ? this : Restrict(share)) with { Split = Split.Of(rank, degree) };
    }

    private static ImmutableArray<Tensor> Zip(ImmutableArray<Operand> names, ImmutableArray<(Shape Shape, DataType Type)> types, string fallback)
    {
        var tensors = ImmutableArray.CreateBuilder<Tensor>(types.Length);
        for (int i = 0; i < types.Length; i++)
        {
            Operand operand = i < names.Length ? names[i] : new Operand(FormattableString.Invariant($"{fallback} {i}"));
            tensors.Add(new Tensor(operand, types[i].Shape, types[i].Type));
        }

        return tensors.MoveToImmutable();
    }
}
