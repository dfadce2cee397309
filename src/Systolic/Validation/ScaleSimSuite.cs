using System.Collections.Immutable;
using Systolic.Components;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>Figures that SCALE-Sim v3 reported, a single-layer run per row: matrix products or convolutions, told apart by the header.</summary>
internal sealed class ScaleSimSuite : IValidationSuite
{
    private const long LargestSize = 1 << 20;
    private const double LargestFigure = 1e18;
    private const int PercentDecimals = 6;

    private static readonly ImmutableArray<string> Machine = ["case_id", "dataflow", "array_rows", "array_cols"];
    private static readonly ImmutableArray<string> GemmSizes = ["M", "K", "N"];
    private static readonly ImmutableArray<string> ConvSizes = ["ifmap_h", "ifmap_w", "filter_h", "filter_w", "channels", "num_filters", "stride"];
    private static readonly ImmutableArray<string> Memory =
    [
        "ifmap_sram_kb", "filter_sram_kb", "ofmap_sram_kb", "bandwidth_mode", "ifmap_bandwidth", "filter_bandwidth", "ofmap_bandwidth",
    ];

    private static readonly ImmutableArray<(string Column, Func<ScaleSimReport, double> Figure)> Figures =
    [
        ("compute_cycles", report => report.ComputeCycles),
        ("stall_cycles", report => report.StallCycles),
        ("total_cycles", report => report.TotalCycles),
        ("total_cycles_incl_prefetch", report => report.TotalCyclesWithPrefetch),
        ("utilization_pct", report => Math.Round(report.UtilizationPercent, PercentDecimals)),
        ("mapping_efficiency_pct", report => Math.Round(report.MappingEfficiencyPercent, PercentDecimals)),
        ("compute_utilization_pct", report => Math.Round(report.ComputeUtilizationPercent, PercentDecimals)),
        ("sram_ifmap_reads", report => report.Ifmap.Sram.Words),
        ("sram_filter_reads", report => report.Filter.Sram.Words),
        ("sram_ofmap_writes", report => report.Ofmap.Sram.Words),
        ("dram_ifmap_reads", report => report.Ifmap.Dram.Words),
        ("dram_filter_reads", report => report.Filter.Dram.Words),
        ("dram_ofmap_writes", report => report.Ofmap.Dram.Words),
        ("dram_ifmap_first_cycle", report => report.Ifmap.Dram.FirstCycle),
        ("dram_ifmap_last_cycle", report => report.Ifmap.Dram.LastCycle),
        ("dram_filter_first_cycle", report => report.Filter.Dram.FirstCycle),
        ("dram_filter_last_cycle", report => report.Filter.Dram.LastCycle),
        ("dram_ofmap_first_cycle", report => report.Ofmap.Dram.FirstCycle),
        ("dram_ofmap_last_cycle", report => report.Ofmap.Dram.LastCycle),
    ];

    private static readonly string[] Dataflows = ["os", "ws", "is"];
    private static readonly string[] Modes = ["CALC", "USER"];

    /// <inheritdoc/>
    public string Name => "scalesim";

    /// <inheritdoc/>
    public void Score(string csv, string file, ValidationTally tally, CancellationToken cancellation)
    {
        bool conv = csv.AsSpan().TrimStart('\uFEFF').StartsWith(string.Join(',', [.. Machine, ConvSizes[0]]), StringComparison.Ordinal);
        var table = CsvTable.Parse(csv, file, [.. Machine, .. conv ? ConvSizes : GemmSizes, .. Memory, .. Figures.Select(figure => figure.Column)]);
        Case[] cases = [.. table.Rows.Select(row => ReadCase(row, conv))];
        table.Finish();
        foreach (Case one in cases)
        {
            cancellation.ThrowIfCancellationRequested();
            Score(one, tally);
        }
    }

    private static void Score(Case one, ValidationTally tally)
    {
        if (one.Layer is null)
        {
            tally.Skip("the filter is larger than the input");
            return;
        }

        ScaleSimReport report = ScaleSimModel.Run(one.Configuration, one.Layer);
        if (report.TotalCycles == 0)
        {
            tally.Skip("the layer takes a single cycle, of which SCALE-Sim reports 0 and no utilization");
            return;
        }

        foreach (((string column, Func<ScaleSimReport, double> figure), double expected) in Figures.Zip(one.Expected))
        {
            tally.Add(new ValidationRow(one.Group, one.Id, column, expected, figure(report)));
        }
    }

    private static Case ReadCase(CsvRow row, bool conv)
    {
        string group = $"{(conv ? "conv" : "gemm")}/{row.Optional("dataflow")}/{row.Optional("bandwidth_mode")}";
        ScaleSimConfiguration configuration = ReadConfiguration(row);
        ScaleSimLayer? layer = conv ? ReadConvolution(row) : ScaleSimLayer.Gemm(row.Optional("case_id"), Size(row, "M"), Size(row, "K"), Size(row, "N"));
        return new Case(row.Text("case_id"), group, configuration, layer, [.. Figures.Select(figure => row.Number(figure.Column, -LargestFigure, LargestFigure))]);
    }

    private static ScaleSimConfiguration ReadConfiguration(CsvRow row) => new(
        Size(row, "array_rows"), Size(row, "array_cols"), (ScaleSimDataflow)Math.Max(0, row.Choice("dataflow", Dataflows)),
        Size(row, "ifmap_sram_kb"), Size(row, "filter_sram_kb"), Size(row, "ofmap_sram_kb"))
    {
        Bandwidth = row.Choice("bandwidth_mode", Modes) == 1
            ? new(Size(row, "ifmap_bandwidth"), Size(row, "filter_bandwidth"), Size(row, "ofmap_bandwidth"))
            : null,
    };

    private static ScaleSimLayer? ReadConvolution(CsvRow row)
    {
        var shape = new ScaleSimConvolution(
            Size(row, "ifmap_h"), Size(row, "ifmap_w"), Size(row, "filter_h"), Size(row, "filter_w"),
            Size(row, "channels"), Size(row, "num_filters"), Size(row, "stride"));
        return shape.FilterHeight > shape.InputHeight || shape.FilterWidth > shape.InputWidth ? null : ScaleSimLayer.Conv(row.Optional("case_id"), shape);
    }

    private static long Size(CsvRow row, string column) => row.Integer(column, 1, LargestSize);

    private sealed record Case(string Id, string Group, ScaleSimConfiguration Configuration, ScaleSimLayer? Layer, ImmutableArray<double> Expected);
}
