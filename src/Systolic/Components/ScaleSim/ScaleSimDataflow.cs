namespace Systolic.Components;

/// <summary>The three dataflows of SCALE-Sim, by which operand stays in the cells.</summary>
public enum ScaleSimDataflow
{
    /// <summary>Outputs stay: M on rows, N on columns, K streamed ("os").</summary>
    OutputStationary,

    /// <summary>Weights stay: K on rows, N on columns, M streamed ("ws").</summary>
    WeightStationary,

    /// <summary>Inputs stay: K on rows, M on columns, N streamed ("is").</summary>
    InputStationary,
}
