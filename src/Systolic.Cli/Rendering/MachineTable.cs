using Spectre.Console;
using Systolic.Numerics;
using Systolic.Reporting;

namespace Systolic.Cli.Rendering;

/// <summary>The table of `systolic machine list`.</summary>
internal static class MachineTable
{
    /// <summary>Draws a line per machine.</summary>
    public static void Show(IAnsiConsole console, IEnumerable<MachineProfile> machines)
    {
        var table = new TextTable(new("machine", true), new("class", true), new("bf16 FLOP/s"), new("fp8 FLOP/s"), new("memory"), new("bandwidth"));
        foreach (MachineProfile machine in machines)
        {
            table.Add(
                machine.Name, machine.Energy.MachineClass, Peak(machine, DataType.Bf16), Peak(machine, DataType.Fp8E4M3),
                machine.MainMemoryCapacity.ToString(), FormattableString.Invariant($"{machine.MainMemory.BytesPerSecond / 1e9:N0} GB/s"));
        }

        table.Draw(console);
    }

    private static string Peak(MachineProfile machine, DataType type) =>
        machine.PeakMacsPerSecond.TryGetValue(type, out double macs) ? FormattableString.Invariant($"{2 * macs / 1e12:N1} T") : "-";
}
