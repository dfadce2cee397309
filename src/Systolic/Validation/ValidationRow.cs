namespace Systolic.Validation;

/// <summary>One figure of a reference beside its prediction.</summary>
/// <param name="Group">The group it counts in, such as "gemm/ws/CALC".</param>
/// <param name="Id">The row of the file.</param>
/// <param name="Column">The column of the file.</param>
/// <param name="Expected">The figure of the file.</param>
/// <param name="Predicted">The prediction, rounded to the decimals that the file gives where it gives few.</param>
public sealed record ValidationRow(string Group, string Id, string Column, double Expected, double Predicted)
{
    /// <summary>Listed beside the compared figures; not counted in the statistics of the group.</summary>
    public bool IsBeside { get; init; }

    /// <summary>Prediction and figure are the same.</summary>
    public bool IsExact => Expected == Predicted;

    /// <summary>Prediction minus figure, in percent of the figure's size; where the figure is 0, 100 with the prediction's sign.</summary>
    public double ErrorPercent => IsExact ? 0 : Expected == 0 ? 100 * Math.Sign(Predicted) : 100 * (Predicted - Expected) / Math.Abs(Expected);
}
