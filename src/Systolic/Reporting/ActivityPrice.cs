using System.Collections.Immutable;
using Systolic.Accounting;

namespace Systolic.Reporting;

/// <summary>How often an activity was counted in a run, and the row that prices it at the rows' voltage.</summary>
internal sealed record ActivityPrice(long Count, EnergyRow Row)
{
    /// <summary>The activities that were counted.</summary>
    public static ImmutableArray<ActivityPrice> Of(RunReport report) =>
        [.. Enum.GetValues<ActivityKind>().Where(kind => report.Counts[kind] > 0)
            .Select(kind => new ActivityPrice(report.Counts[kind], report.Prices.Row(kind, report.Machine.Energy.NodeNanometres, report.Machine.Energy.MachineClass)))];
}
