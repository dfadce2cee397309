namespace Systolic.Programs;

/// <summary>What an instruction computes on which elements: kept beside the instruction when values are asked for.</summary>
internal readonly record struct Operation
{
    /// <summary>Written.</summary>
    public TileView Target { get; init; }

    /// <summary>Also written: the reduction of an activation.</summary>
    public TileView Reduced { get; init; }

    /// <summary>Data; the stationary operand of a product.</summary>
    public TileView First { get; init; }

    /// <summary>Second tensor, moving operand, first scalar per partition, bias, or indices.</summary>
    public TileView Second { get; init; }

    /// <summary>Second scalar per partition, scale, or the scalar between two tensors.</summary>
    public TileView Third { get; init; }

    /// <summary>First operator, or that of a reduction.</summary>
    public AluOperator Operator { get; init; }

    /// <summary>Second operator.</summary>
    public AluOperator SecondOperator { get; init; }

    /// <summary>First constant: scalar, bias, fill, or factor of a reduction.</summary>
    public float Constant { get; init; }

    /// <summary>Second constant: scalar or scale.</summary>
    public float SecondConstant { get; init; }

    /// <summary>The condition of a selection by position.</summary>
    public AffineCondition Condition { get; init; }
}

/// <summary>Base + partition x partition step + element x element step >= 0.</summary>
/// <param name="Base">Value at the first element of the first partition of the view.</param>
/// <param name="PartitionStep">Increase per partition.</param>
/// <param name="ElementStep">Increase per element of a partition.</param>
public readonly record struct AffineCondition(int Base, int PartitionStep, int ElementStep);
