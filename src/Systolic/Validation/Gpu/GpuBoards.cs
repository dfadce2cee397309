using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Systolic.Machines;
using Systolic.Simt;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>The boards of published readings: presets, or a preset with the clock, cap and memory of another board.</summary>
internal static partial class GpuBoards
{
    private static readonly ImmutableArray<string> Columns = ["device", "preset", "multiprocessors", "maximum_mhz", "cap_w", "memory_gbs", "sustained_share", "streaming_cycles", "l2_bytes_per_cycle", "source"];

    private static readonly Lazy<ImmutableDictionary<string, SimtSpec>> Boards = new(() => PublishedTable.Load("gpu-boards.csv", Columns, Read).ToImmutableDictionary(board => board.Name));

    /// <summary>The board that a file calls <paramref name="device"/>, alone or as one of several ("4x A100 NVLink3"); null when the library has none.</summary>
    public static SimtSpec? Find(string device) => Boards.Value.GetValueOrDefault(GroupPattern().Replace(device, "$2"));

    /// <summary>How many boards <paramref name="device"/> names.</summary>
    public static int Count(string device) => GroupPattern().Match(device) is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 1;

    private static SimtSpec Read(CsvRow row)
    {
        SimtSpec preset = ((SimtMachine)MachinePresets.Load(row.Text("preset"))).Spec;
        double Number(string column, double otherwise) => row.Optional(column).Length == 0 ? otherwise : row.Number(column, 0.01, 1e6);
        var clock = Frequency.FromMegahertz(Number("maximum_mhz", preset.MaximumClock.Hertz / 1e6));
        return preset with
        {
            Name = row.Text("device"),
            Multiprocessors = (int)Number("multiprocessors", preset.Multiprocessors),
            MaximumClock = clock,
            BoostClock = preset.BoostClock.Hertz < clock.Hertz ? preset.BoostClock : clock,
            L2 = preset.L2 with { BytesPerCycle = (int)Number("l2_bytes_per_cycle", preset.L2.BytesPerCycle) },
            Memory = preset.Memory with
            {
                Peak = Bandwidth.FromGigabytesPerSecond(Number("memory_gbs", preset.Memory.Peak.BytesPerSecond / 1e9)),
                SustainedShare = Number("sustained_share", preset.Memory.SustainedShare),
                StreamingCycles = (int)Number("streaming_cycles", preset.Memory.StreamingCycles),
            },
            Power = preset.Power with { Cap = Power.FromWatts(Number("cap_w", preset.Power.Cap.Watts)) },
        };
    }

    [GeneratedRegex(@"^(\d{1,4})x (\S+)( \S+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex GroupPattern();
}
