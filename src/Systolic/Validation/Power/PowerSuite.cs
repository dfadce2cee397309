using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>Published power and energy of chips: idle, large products, serving, training. A one-sided row that holds, within the tolerance that it states, is exact.</summary>
/// <remarks>
/// Where a row states the rate at which the chip worked (FLOP per second, tokens per second), the power is predicted at that rate; how fast the simulated machine
/// would be is listed beside.
/// </remarks>
internal sealed class PowerSuite : IValidationSuite
{
    private static readonly ImmutableArray<string> Columns =
        ["id", "chip", "workload", "metric", "value", "unit", "tolerance_pct", "kind", "source", "confidence", "notes"];

    /// <inheritdoc/>
    public string Name => "power";

    /// <inheritdoc/>
    public void Score(string csv, string file, ValidationTally tally, CancellationToken cancellation)
    {
        var table = CsvTable.Parse(csv, file, Columns);
        PowerCase[] cases = [.. table.Rows.Select(PowerCase.Read)];
        table.Finish();
        var predictor = new PowerPredictor(cancellation);
        foreach (PowerCase one in cases)
        {
            cancellation.ThrowIfCancellationRequested();
            PowerPrediction prediction = predictor.Predict(one);
            if (prediction.Refusal is { } reason)
            {
                tally.Skip(reason);
                continue;
            }

            bool holds = one.OneSided && prediction.Value <= one.Value * (1 + (one.Tolerance / 100));
            tally.Add(new ValidationRow(one.Group, one.Id, one.Metric, one.Value, holds ? one.Value : prediction.Value));
            foreach ((string name, double value) in holds ? [("predicted", prediction.Value), .. prediction.Beside] : prediction.Beside)
            {
                tally.Add(new ValidationRow(one.Group, one.Id, name, one.Value, value) { IsBeside = true });
            }
        }
    }
}

/// <summary>What a row should read, or why it cannot be told.</summary>
/// <param name="Value">The prediction in the row's unit.</param>
internal sealed record PowerPrediction(double Value)
{
    /// <summary>Why there is no prediction.</summary>
    public string? Refusal { get; init; }

    /// <summary>Figures to list beside it, in the row's unit.</summary>
    public ImmutableArray<(string Name, double Value)> Beside { get; init; } = [];

    /// <summary>No prediction.</summary>
    public static PowerPrediction Refuse(string reason) => new(double.NaN) { Refusal = reason };
}
