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
        Table table = Tables.Create(1, "machine", "class", "bf16 FLOP/s", "fp8 FLOP/s", "memory", "bandwidth");
        foreach (MachineProfile machine in machines)
        {
            table.Add(
                machine.Name, machine.Energy.MachineClass, Peak(machine, DataType.Bf16), Peak(machine, DataType.Fp8E4M3),
                machine.MainMemoryCapacity.ToString(), machine.MainMemory.ToString());
        }

        console.Write(table);
    }

    private static string Peak(MachineProfile machine, DataType type) =>
        machine.PeakMacsPerSecond.TryGetValue(type, out double macs) ? FormattableString.Invariant($"{2 * macs / 1e12:N1} T") : "-";
}
