using Systolic.Exploration;

namespace Systolic.Tests.Exploration;

/// <summary>Spaces that are run in a moment: one GPT-2 layer on few tokens.</summary>
internal static class SmallSpaces
{
    public static SweepWorkload Layer { get; } = new("gpt2") { Tokens = 16, Layers = "1" };

    /// <summary>Three clocks by four sizes of SBUF, of which the smallest holds too little.</summary>
    public static DesignSpace ClockAndSbuf { get; } = new(
        "trn2-core",
        Layer,
        [
            new DesignParameter("clock", "1.2 GHz", "1.8 GHz", "2.4 GHz").To("tensorEngine.clock", "tensorEngine.sustainedRate"),
            new DesignParameter("sbuf.partitionSize", "2 KiB", "48 KiB", "96 KiB", "192 KiB"),
        ]);

    /// <summary>Arrays, clocks, bandwidths and SBUF sizes as in docs/samples/w4-sweep.json, fewer of each.</summary>
    public static DesignSpace Wide { get; } = new(
        "trn2-core",
        Layer,
        [
            new DesignParameter("array", 32, 64, 128, 256).To("tensorEngine.rows", "tensorEngine.columns", "sbuf.partitions", "psum.partitions"),
            DesignParameter.Linear("clock", "0.8 GHz", "2.4 GHz", 4).To("tensorEngine.clock", "tensorEngine.sustainedRate"),
            DesignParameter.Logarithmic("memory.bandwidth", "90.625 GB/s", "1450 GB/s", 5),
            new DesignParameter("sbuf", "1 MiB", "2 MiB", "4 MiB", "8 MiB", "16 MiB").To(),
        ],
        new Dictionary<string, string> { ["memory.channels"] = "memory.bandwidth / 45.3125 GB/s", ["sbuf.partitionSize"] = "sbuf / array" });

    /// <summary>The table of a result as CSV.</summary>
    public static string Csv(SweepResult result)
    {
        using var text = new StringWriter();
        SweepWriter.WriteCsv(text, result);
        return text.ToString();
    }
}
