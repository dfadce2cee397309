using System.Collections.Immutable;
using Systolic.Accounting;

namespace Systolic.Validation;

/// <summary>FLOP per joule of a published array without a machine of its own, from the rows of one cell, its share of scratchpad traffic and of the clock.</summary>
internal static class PowerMacro
{
    private const double NominalVolts = 0.75;

    /// <summary>Scratchpad bytes per multiply-accumulate of 16-bit operands in a large product.</summary>
    private const double ScratchpadBytes = 0.047;

    /// <summary>Share of clock tree and ungated logic: 20 to 24 % of the board power of A100 and H100.</summary>
    private const double ClockShare = 0.22;

    private static readonly ImmutableArray<(string Word, ActivityKind Kind, double Bytes)> Types =
    [
        ("FP8", ActivityKind.MacFp8, 1), ("INT8", ActivityKind.MacInt8, 1), ("INT4", ActivityKind.MacInt4, 0.5), ("FP4", ActivityKind.MacFp4, 0.5),
        ("BF16", ActivityKind.MacBf16, 2), ("FP16", ActivityKind.MacFp16, 2),
    ];

    /// <summary>Tera-operations per joule of a row that names node and type.</summary>
    public static PowerPrediction Efficiency(PowerCase one)
    {
        (string _, ActivityKind kind, double bytes) = Types.FirstOrDefault(type => one.Workload.Contains(type.Word, StringComparison.OrdinalIgnoreCase));
        if (bytes == 0 || one.InChip("nm") is not { } node)
        {
            return PowerPrediction.Refuse("an array without process node or type");
        }

        double Picojoules(ActivityKind activity) => EnergyReferenceTable.Default.Row(activity, (int)node, "systolic").Value.Picojoules;
        double volts = (one.InChip("V") ?? NominalVolts) / NominalVolts;
        double cell = Picojoules(kind) + Picojoules(ActivityKind.PePipeline) + (ScratchpadBytes * bytes / 2 * Picojoules(ActivityKind.ScratchpadReadByte));
        return new(2 * (1 - ClockShare) / (cell * volts * volts));
    }
}
