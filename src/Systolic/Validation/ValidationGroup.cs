using System.Collections.Immutable;

namespace Systolic.Validation;

/// <summary>How near the predictions of a group are; errors in percent of the reference figure.</summary>
/// <param name="Name">The grouping columns, joined by slashes.</param>
/// <param name="Count">Figures compared.</param>
/// <param name="Exact">Those predicted exactly.</param>
/// <param name="MeanPercent">Mean absolute error (MAPE).</param>
/// <param name="MedianPercent">Median absolute error; of an even number the mean of the middle two.</param>
/// <param name="MaximumPercent">Largest absolute error.</param>
/// <param name="BiasPercent">Mean signed error: above 0 where predictions are too high.</param>
public sealed record ValidationGroup(
    string Name, int Count, int Exact, double MeanPercent, double MedianPercent, double MaximumPercent, double BiasPercent)
{
    /// <summary>The statistics of at least one row.</summary>
    internal static ValidationGroup Of(string name, ImmutableArray<ValidationRow> rows)
    {
        double[] sizes = [.. rows.Select(row => Math.Abs(row.ErrorPercent)).Order()];
        int middle = sizes.Length / 2;
        double median = sizes.Length % 2 == 1 ? sizes[middle] : (sizes[middle - 1] + sizes[middle]) / 2;
        return new ValidationGroup(name, rows.Length, rows.Count(row => row.IsExact), sizes.Average(), median, sizes[^1], rows.Average(row => row.ErrorPercent));
    }
}

/// <summary>Rows of a class across groups.</summary>
/// <param name="Rows">Their statistics, under the class's name.</param>
/// <param name="TargetPercent">The mean absolute error aimed at; null where none is.</param>
public sealed record ValidationClass(ValidationGroup Rows, double? TargetPercent);

/// <summary>Rows that could not be modelled.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Count">How many.</param>
public sealed record ValidationSkip(string Reason, int Count);
