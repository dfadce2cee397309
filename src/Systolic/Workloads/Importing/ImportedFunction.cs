namespace Systolic.Workloads;

/// <summary>What a node of an imported computation does; the vocabulary that the readers of all formats share.</summary>
internal enum ImportedFunction
{
    /// <summary>The operator that the node carries.</summary>
    Operator,

    /// <summary>A function of one tensor that no other member names.</summary>
    Unary,

    /// <summary>A function of two or more tensors that no other member names.</summary>
    Binary,

    Add,
    Subtract,
    Multiply,
    Divide,
    Raise,
    Maximum,
    Negate,
    Exponential,
    Erf,
    Tanh,
    Sigmoid,
    SquareRoot,
    ReciprocalSquareRoot,
    Reciprocal,

    /// <summary>Elements of the second tensor where the first is true, else of the third.</summary>
    Select,

    /// <summary>The truth of an order between two tensors.</summary>
    Compare,

    /// <summary>The triangle below or above a diagonal.</summary>
    Triangle,

    /// <summary>Positions 0, 1, 2...</summary>
    Ordinals,

    ReduceSum,
    ReduceMean,
    ReduceMaximum,

    /// <summary>The same elements under another shape or type.</summary>
    Reshape,

    /// <summary>The same elements in another order of dimensions.</summary>
    Transpose,

    /// <summary>Elements repeated.</summary>
    Broadcast,

    /// <summary>A part along one dimension: axis, first, count.</summary>
    Slice,

    /// <summary>One tensor after the other.</summary>
    Concatenate,
}
