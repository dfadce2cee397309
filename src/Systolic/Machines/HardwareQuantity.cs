using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Machines;

/// <summary>Quantities of a machine file. Bounds lie orders of magnitude outside of any hardware: what is beyond is a slip in number or unit, and would end in an overflow in the middle of a run.</summary>
internal static class HardwareQuantity
{
    private const long Gibibyte = 1 << 30;

    /// <summary>A clock.</summary>
    public static Frequency Clock(this JsonSection section, string key) =>
        section.Quantity(key, text => Within(Frequency.Parse(text), value => value.Hertz is >= 1_000_000 and <= 1_000_000_000_000, text, "a frequency from 1 MHz to 1000 GHz"));

    /// <summary>A rate of bytes.</summary>
    public static Bandwidth Rate(this JsonSection section, string key) =>
        section.Quantity(key, text => Within(Bandwidth.Parse(text), value => value.BytesPerSecond is >= 1e6 and <= 1e15, text, "a bandwidth from 1 MB/s to 1000 TB/s"));

    /// <summary>A size on chip or of a transfer.</summary>
    public static Bytes Size(this JsonSection section, string key) =>
        section.Quantity(key, text => Within(Bytes.Parse(text), value => value.Value is >= 1 and <= Gibibyte, text, "a size from 1 B to 1 GiB"));

    /// <summary>A size of main memory.</summary>
    public static Bytes Capacity(this JsonSection section, string key) =>
        section.Quantity(key, text => Within(Bytes.Parse(text), value => value.Value is >= 1 and <= Gibibyte << 20, text, "a size from 1 B to 1024 TiB"));

    /// <summary>A latency, or a time between two events.</summary>
    public static SimTime Time(this JsonSection section, string key) =>
        section.Quantity(key, text => Within(SimTime.Parse(text), value => value.Seconds is >= 0 and <= 1, text, "a time from 0 to 1 s"));

    /// <summary>A power.</summary>
    public static Power Watts(this JsonSection section, string key) =>
        section.Quantity(key, text => Within(Power.Parse(text), value => value.Watts is >= 0 and <= 1e6, text, "a power from 0 W to 1 MW"));

    /// <summary>Records a problem when the shipped energy table has no rows for the node.</summary>
    public static void RequirePrices(this JsonSection root, string path, EnergyModel energy)
    {
        ImmutableArray<int> nodes = EnergyReferenceTable.Default.Nodes(energy.MachineClass);
        if (!nodes.Contains(energy.NodeNanometres))
        {
            root.Problem(path, FormattableString.Invariant($"found {energy.NodeNanometres}, expected a process node with energy prices: {string.Join(", ", nodes)}"));
        }
    }

    private static T Within<T>(T quantity, Func<T, bool> holds, string text, string expected) =>
        holds(quantity) ? quantity : throw new FormatException($"found \"{text}\", expected {expected}");
}
