namespace Systolic.Programs;

/// <summary>Two-operand arithmetic of the vector, scalar and general-purpose engines; computed in fp32, comparisons give 1 or 0.</summary>
public enum AluOperator : byte
{
    /// <summary>The first operand.</summary>
    Bypass,

    /// <summary>First + second.</summary>
    Add,

    /// <summary>First - second.</summary>
    Subtract,

    /// <summary>Second - first.</summary>
    ReverseSubtract,

    /// <summary>First x second.</summary>
    Multiply,

    /// <summary>First / second.</summary>
    Divide,

    /// <summary>The larger.</summary>
    Maximum,

    /// <summary>The smaller.</summary>
    Minimum,

    /// <summary>First to the power of second.</summary>
    Power,

    /// <summary>First = second.</summary>
    Equal,

    /// <summary>First > second.</summary>
    Greater,

    /// <summary>First >= second.</summary>
    GreaterOrEqual,

    /// <summary>First &lt; second.</summary>
    Less,

    /// <summary>The larger magnitude.</summary>
    AbsoluteMaximum,
}

/// <summary>The scalar of an instruction: a constant, or a value per partition held in a tile.</summary>
/// <param name="Constant">The constant, when <paramref name="PerPartition"/> is null.</param>
/// <param name="PerPartition">One element in each partition.</param>
public readonly record struct ScalarOperand(float Constant, TileView? PerPartition)
{
    /// <summary>A constant.</summary>
    public static implicit operator ScalarOperand(float constant) => new(constant, null);

    /// <summary>A value per partition.</summary>
    public static implicit operator ScalarOperand(TileView perPartition) => new(0, perPartition);

    /// <summary>The named form of the conversion from a constant.</summary>
    public static ScalarOperand FromSingle(float constant) => constant;

    /// <summary>The named form of the conversion from a view.</summary>
    public static ScalarOperand FromTileView(TileView perPartition) => perPartition;
}
