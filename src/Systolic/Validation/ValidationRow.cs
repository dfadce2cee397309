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

    /// <summary>The figure bounds what it describes from above: a prediction at or below it has no error.</summary>
    public bool IsUpperBound { get; init; }

    /// <summary>The figure is a share in percent: the error is the difference in percentage points.</summary>
    public bool IsShare { get; init; }

    /// <summary>The class it counts in beside its group, where the suite has targets for classes.</summary>
    public string? Class { get; init; }

    /// <summary>Prediction and figure are the same, or the prediction keeps to the bound.</summary>
    public bool IsExact => Expected == Predicted || (IsUpperBound && Predicted <= Expected);

    /// <summary>Prediction minus figure, in percent of the figure's size (of a share in points); where the figure is 0, 100 with the prediction's sign.</summary>
    public double ErrorPercent => IsExact ? 0 : IsShare ? Predicted - Expected : Expected == 0 ? 100 * Math.Sign(Predicted) : 100 * (Predicted - Expected) / Math.Abs(Expected);
}
