using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>Published measurements on Trainium: single instructions and transfers, and kernels.</summary>
internal sealed class TrainiumSuite : IValidationSuite
{
    private const double LargestFigure = 1e15;

    private static readonly ImmutableArray<string> Columns = ["id", "device", "cores", "workload", "shapes", "dtype", "metric", "value", "unit", "source", "notes"];

    private static readonly ImmutableArray<string> Chips = ["inf2", "trn1", "trn2", "trn3"];

    /// <inheritdoc/>
    public string Name => "trainium";

    /// <inheritdoc/>
    public void Score(string csv, string file, ValidationTally tally, CancellationToken cancellation)
    {
        var table = CsvTable.Parse(csv, file, Columns);
        TrainiumRow[] rows = [.. table.Rows.Select(Read)];
        table.Finish();

        // Families remember the kernels they timed, for several rows are of one run; of this file only.
        ITrainiumFamily[] families =
        [
            new WholeModelFamily(), new InstructionFamily(), new DmaFamily(), new MatMulFamily(), new NkiBenchFamily(), new AttentionFamily(),
            new RmsNormQuantFamily(), new DecodeQkvFamily(), new MlpFamily(), new TutorialFamily(),
        ];
        foreach (TrainiumRow row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            Score(row, families, tally);
        }
    }

    private static TrainiumRow Read(CsvRow row) => new(
        row.Text("id"), row.Text("device"), row.Optional("cores").Length == 0 ? 0 : (int)row.Integer("cores", 1, 1 << 20), row.Text("workload"), row.Optional("shapes"),
        row.Optional("dtype"), row.Text("metric"), row.Number("value", -LargestFigure, LargestFigure), row.Text("unit"), row.Optional("notes"));

    private static void Score(TrainiumRow row, ITrainiumFamily[] families, ValidationTally tally)
    {
        if (!Chips.Contains(row.Chip))
        {
            tally.Skip($"no machine of the library is a {row.Device}");
            return;
        }

        if (families.FirstOrDefault(candidate => candidate.Takes(row)) is not { } family)
        {
            tally.Skip("no kernel of this kind in the library");
            return;
        }

        TrainiumPrediction prediction = Predict(family, row);
        double? figure = prediction.Time is { } time ? row.InUnit(time) : prediction.Figure;
        if (figure is not { } predicted)
        {
            tally.Skip($"{family.Name}: {prediction.Reason ?? "the unit is not one of time"}");
            return;
        }

        bool share = row.Unit == "percent";
        string suffix = row.IsUpperBound ? "/bound" : share ? "/share" : prediction.Time is null && !row.IsWholeModel ? "/count" : row.Metric.EndsWith("_active_time", StringComparison.Ordinal) ? "/active" : "";
        tally.Add(new ValidationRow($"{family.Name}/{row.Chip}{prediction.Apart}{suffix}", row.Id, row.Metric, row.Value, predicted) { IsUpperBound = row.IsUpperBound, IsShare = share });
    }

    private static TrainiumPrediction Predict(ITrainiumFamily family, TrainiumRow row)
    {
        try
        {
            return family.Predict(row);
        }
        catch (Exception refused) when (refused is FormatException or ArgumentException or CapacityException or OverflowException)
        {
            // Sizes that no kernel takes, from a file: a row that cannot be modelled.
            return TrainiumPrediction.Skip(refused.Message);
        }
    }
}
