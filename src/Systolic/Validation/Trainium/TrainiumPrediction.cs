using Systolic.Units;

namespace Systolic.Validation;

/// <summary>A predicted figure, or why there is none.</summary>
/// <param name="Time">A duration; compared in the unit of the row.</param>
/// <param name="Figure">Any other figure, in the unit of the row.</param>
/// <param name="Reason">Why the row is not predicted.</param>
internal readonly record struct TrainiumPrediction(SimTime? Time, double? Figure, string? Reason)
{
    /// <summary>Where its row counts apart from the others of the family and chip: the rest of the group's name, such as "/spills".</summary>
    public string? Apart { get; init; }

    public static TrainiumPrediction Of(SimTime time) => new(time, null, null);

    public static TrainiumPrediction Of(double figure) => new(null, figure, null);

    public static TrainiumPrediction Skip(string reason) => new(null, null, reason);
}
