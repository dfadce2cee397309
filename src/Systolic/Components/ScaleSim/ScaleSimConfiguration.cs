using Systolic.Units;

namespace Systolic.Components;

/// <summary>Bandwidths of USER mode, in words (bytes) per cycle of three DRAM ports that never contend.</summary>
/// <param name="Ifmap">Of the ifmap port: the key IfmapSRAMBankBandwidth of SCALE-Sim v3.</param>
/// <param name="Filter">Of the filter port: the key FilterSRAMBankBandwidth.</param>
/// <param name="Ofmap">Of the ofmap port: the key Bandwidth, which sets nothing else.</param>
public sealed record ScaleSimBandwidth(long Ifmap, long Filter, long Ofmap);

/// <summary>A machine as SCALE-Sim v3 describes it: an array, three private SRAMs, one byte per word.</summary>
/// <remarks>Kept apart from this library's own machines: it exists to reproduce the figures of that tool, its quirks included.</remarks>
/// <param name="Rows">Rows of the array.</param>
/// <param name="Columns">Columns of the array.</param>
/// <param name="Dataflow">What stays in the cells.</param>
/// <param name="IfmapKibibytes">Size of the ifmap SRAM, in units of 1,024 words.</param>
/// <param name="FilterKibibytes">Size of the filter SRAM.</param>
/// <param name="OfmapKibibytes">Size of the ofmap SRAM.</param>
public sealed record ScaleSimConfiguration(
    long Rows, long Columns, ScaleSimDataflow Dataflow, long IfmapKibibytes, long FilterKibibytes, long OfmapKibibytes)
{
    /// <summary>The key run_name.</summary>
    public string RunName { get; init; } = "scale_run";

    /// <summary>The given bandwidths of USER mode; null in CALC mode, where reads never stall and bandwidth is estimated.</summary>
    public ScaleSimBandwidth? Bandwidth { get; init; }

    /// <summary>One of the three SRAMs: one partition, halves used in turn, one port to DRAM.</summary>
    internal static ScratchpadSpec Sram(long kibibytes, long wordsPerCycle) =>
        new() { Partitions = 1, PartitionSize = new Bytes(1024 * kibibytes), Banks = 2, Ports = 1, Width = new Bytes(wordsPerCycle) };

    /// <summary>Reads a configuration file of SCALE-Sim v3.</summary>
    /// <exception cref="InvalidDocumentException">The file is not such a configuration, or asks for what is not modelled here; the message lists every problem.</exception>
    public static ScaleSimConfiguration Read(string file) => Parse(DocumentText.Read(file), file);

    /// <summary>Reads the text of a configuration file.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="file">The file's name, for messages.</param>
    /// <exception cref="InvalidDocumentException">The text is not such a configuration.</exception>
    public static ScaleSimConfiguration Parse(string text, string file) => new ScaleSimConfigurationReader(ScaleSimIni.Parse(text, file)).Read();
}
