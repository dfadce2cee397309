using System.Collections.Immutable;
using Systolic.Simt;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>How a source reads a clock: what is inside its readings beside the kernels. One line per source, clock and call path, never per operator or shape.</summary>
/// <param name="Source">How the source's name begins.</param>
/// <param name="Operators">The operators that its driver calls along this path.</param>
/// <param name="Timing">The clock that is read.</param>
/// <param name="Host">Time around the kernels that is in every reading.</param>
/// <param name="Launch">What a kernel costs to start in the loop of the source; null where the reading begins with the kernel.</param>
internal sealed record GpuProtocol(string Source, ImmutableArray<string> Operators, string Timing, SimTime Host, LaunchMode? Launch)
{
    private static readonly ImmutableArray<string> Columns = ["source", "operators", "timing", "path", "host_us", "launch", "status", "reason"];
    private static readonly string[] Paths = ["eager", "compiled"];
    private static readonly string[] Launches = ["graph", "stream", "none"];
    private static readonly string[] States = ["documented", "fitted"];

    /// <summary>All lines of the table.</summary>
    public static ImmutableArray<GpuProtocol> All { get; } = PublishedTable.Load("gpu-protocols.csv", Columns, Read);

    /// <summary>The protocol of a row; null when its source is not known.</summary>
    public static GpuProtocol? Find(GpuRow row) => All.FirstOrDefault(line =>
        row.Source.StartsWith(line.Source, StringComparison.Ordinal) && line.Timing == row.Timing && line.Operators.Contains(row.Op));

    /// <summary>The machine with the launch cost of this protocol.</summary>
    public SimtSpec Applied(SimtSpec board) => board with
    {
        Launch = Launch is { } mode ? board.Launch with { Mode = mode } : new LaunchSpec(LaunchMode.Stream, SimTime.Zero, SimTime.Zero),
    };

    private static GpuProtocol Read(CsvRow row)
    {
        row.Choice("path", Paths);
        row.Choice("status", States);
        row.Text("reason");
        int launch = row.Choice("launch", Launches);
        return new(
            row.Text("source"), [.. row.Text("operators").Split(' ')], row.Text("timing"), SimTime.FromMicroseconds(row.Number("host_us", 0, 1e3)),
            launch is 0 or 1 ? (LaunchMode)launch : null);
    }
}
