namespace Systolic.Components;

/// <summary>Which operand of O = A x B (M x K times K x N) stays in the cells; the other dimension's extent is streamed past it.</summary>
public enum Dataflow
{
    /// <summary>B stays: K on rows, N on columns, M streamed; partial sums move down.</summary>
    WeightStationary,

    /// <summary>O stays: M on rows, N on columns, K streamed; A moves right, B moves down.</summary>
    OutputStationary,

    /// <summary>A stays: K on rows, M on columns, N streamed; partial sums move down.</summary>
    InputStationary,
}
