using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>A published reading on a GPU. Sizes that an operator does not have are 0, figures that were not read are NaN.</summary>
internal sealed record GpuRow
{
    private const long LargestSize = 1L << 40;
    private const double LargestFigure = 1e15;

    /// <summary>Identifier.</summary>
    public required string Id { get; init; }

    /// <summary>The board, such as "A100-PCIe-40GB"; of an exchange with the number of boards and their links in front and behind.</summary>
    public required string Device { get; init; }

    /// <summary>The operator, such as "gemm".</summary>
    public required string Op { get; init; }

    /// <summary>Which kernel or which layer of a model.</summary>
    public required string Variant { get; init; }

    public required long M { get; init; }

    public required long K { get; init; }

    public required long N { get; init; }

    public required long Batch { get; init; }

    public required long QueryHeads { get; init; }

    public required long KvHeads { get; init; }

    public required long QueryTokens { get; init; }

    public required long KvTokens { get; init; }

    public required long HeadDim { get; init; }

    public required bool Causal { get; init; }

    /// <summary>The element type's name; may be empty.</summary>
    public required string TypeName { get; init; }

    public required double Microseconds { get; init; }

    public required double Gigabytes { get; init; }

    /// <summary>The clock that was read: device, profiler, event, host_sync.</summary>
    public required string Timing { get; init; }

    /// <summary>A: output files of the machine; B: charts and tables; C: crowd-sourced or of an assumed size.</summary>
    public required string Quality { get; init; }

    /// <summary>Where it was published.</summary>
    public required string Source { get; init; }

    /// <summary>Remarks of the source.</summary>
    public required string Notes { get; init; }

    /// <summary>What other models made of the time, in the order of <see cref="Peers"/>.</summary>
    public required ImmutableArray<double> PeerMicroseconds { get; init; }

    /// <summary>The element type.</summary>
    /// <exception cref="FormatException">The name is unknown.</exception>
    public DataType Type => DataTypes.Parse(TypeName);

    /// <summary>Columns of the file, in order.</summary>
    public static ImmutableArray<string> Columns { get; } =
    [
        "id", "device", "op", "variant", "M", "K", "N", "batch", "heads_q", "heads_kv", "seq_q", "seq_kv", "head_dim", "causal", "dtype", "latency_us", "tflops", "gbps", "power_w",
        "timing", "quality", "source", "notes", .. Peers,
    ];

    /// <summary>Columns with what other models made of the row.</summary>
    public static ImmutableArray<string> Peers => ["peer_llmcompass_us", "peer_roofline_us", "peer_neusight_us"];

    /// <summary>Reads a row.</summary>
    public static GpuRow Read(CsvRow row) => new()
    {
        Id = row.Text("id"),
        Device = row.Text("device"),
        Op = row.Text("op"),
        Variant = row.Optional("variant"),
        M = Size(row, "M"),
        K = Size(row, "K"),
        N = Size(row, "N"),
        Batch = Size(row, "batch"),
        QueryHeads = Size(row, "heads_q"),
        KvHeads = Size(row, "heads_kv"),
        QueryTokens = Size(row, "seq_q"),
        KvTokens = Size(row, "seq_kv"),
        HeadDim = Size(row, "head_dim"),
        Causal = Size(row, "causal") == 1,
        TypeName = row.Optional("dtype"),
        Microseconds = Figure(row, "latency_us"),
        Gigabytes = Figure(row, "gbps"),
        Timing = row.Text("timing"),
        Quality = row.Text("quality"),
        Source = row.Text("source"),
        Notes = row.Optional("notes"),
        PeerMicroseconds = [.. Peers.Select(peer => Figure(row, peer))],
    };

    private static long Size(CsvRow row, string column) => row.Optional(column).Length == 0 ? 0 : row.Integer(column, 0, LargestSize);

    private static double Figure(CsvRow row, string column) => row.Optional(column).Length == 0 ? double.NaN : row.Number(column, double.Epsilon, LargestFigure);
}
