using System.Collections.Immutable;
using Systolic.Simt;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>How a source reads a clock: what is inside its readings beside the kernels. One line per source, clock and call path, never per operator or shape.</summary>
/// <param name="Source">How the source's name begins.</param>
/// <param name="Operators">The operators that its driver calls along this path.</param>
/// <param name="Variants">How their variants begin; any where empty.</param>
/// <param name="Timing">The clock that is read.</param>
/// <param name="Path">How its driver calls them.</param>
/// <param name="Host">Time around the kernels that is in every reading.</param>
/// <param name="Launch">What a kernel costs to start in the loop of the source; null where the reading begins with the kernel.</param>
/// <param name="Flushed">L2 is emptied before each reading; otherwise the same operands were used in the one before.</param>
internal sealed record GpuProtocol(
    string Source, ImmutableArray<string> Operators, ImmutableArray<string> Variants, string Timing, string Path, SimTime Host, LaunchMode? Launch, bool Flushed)
{
    private static readonly ImmutableArray<string> Columns = ["source", "operators", "variants", "timing", "path", "host_us", "launch", "operands", "status", "reason"];

    /// <summary>Call paths, each with the row kernels it ends in: a compiled callable, a call of an eager framework, a serving engine, a collective of the framework, a whole eager model whose queue runs ahead.</summary>
    private static readonly string[] Paths = ["compiled", "eager", "serving", "collective", "model"];
    private static readonly RowStyle[] Styles = [RowStyle.Fused, RowStyle.Eager, RowStyle.Serving, RowStyle.Eager, RowStyle.Eager];
    private static readonly string[] Launches = ["graph", "stream", "none"];
    private static readonly string[] Operands = ["repeated", "flushed"];
    private static readonly string[] States = ["documented", "fitted"];

    /// <summary>All lines of the table.</summary>
    public static ImmutableArray<GpuProtocol> All { get; } = PublishedTable.Load("gpu-protocols.csv", Columns, Read);

    /// <summary>The protocol of a row; null when its source is not known.</summary>
    public static GpuProtocol? Find(GpuRow row) => All.FirstOrDefault(line =>
        row.Source.StartsWith(line.Source, StringComparison.Ordinal) && line.Timing == row.Timing && line.Operators.Contains(row.Op)
        && (line.Variants.IsEmpty || line.Variants.Any(variant => row.Variant.StartsWith(variant, StringComparison.Ordinal))));

    /// <summary>The board as this source drives it.</summary>
    public GpuBench Bench(SimtSpec board) => new(
        board with
        {
            Launch = Launch is { } mode ? board.Launch with { Mode = mode } : new LaunchSpec(LaunchMode.Stream, SimTime.Zero, SimTime.Zero),
            L2 = Flushed ? board.L2 with { ResidencyMidpoint = double.Epsilon } : board.L2,
        },
        Styles[Array.IndexOf(Paths, Path)]);

    private static GpuProtocol Read(CsvRow row)
    {
        row.Choice("status", States);
        row.Text("reason");
        int launch = row.Choice("launch", Launches), path = row.Choice("path", Paths);
        return new(
            row.Text("source"), Words(row, "operators"), Words(row, "variants"), row.Text("timing"), Paths[Math.Max(0, path)],
            SimTime.FromMicroseconds(row.Number("host_us", 0, 1e3)), launch is 0 or 1 ? (LaunchMode)launch : null, row.Choice("operands", Operands) == 1);
    }

    private static ImmutableArray<string> Words(CsvRow row, string column) => [.. row.Optional(column).Split(' ', StringSplitOptions.RemoveEmptyEntries)];
}
