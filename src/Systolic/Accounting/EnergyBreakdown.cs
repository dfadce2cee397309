using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>The energy of one component of a machine over a run.</summary>
/// <param name="Component">The component's name in reports, such as "main memory"; "memory background", "idle" and "active clocking" are the powers of the <see cref="EnergyModel"/>.</param>
/// <param name="Value">Its energy.</param>
/// <param name="Low">Its energy if every row that prices it were at its low end.</param>
/// <param name="High">Its energy if every row that prices it were at its high end.</param>
public sealed record EnergyPart(string Component, Energy Value, Energy Low, Energy High)
{
    /// <summary>The part of <see cref="Value"/> that rests on rows or powers that no figure supports directly.</summary>
    public Energy Assumed { get; init; }

    /// <summary>With another part of the same component.</summary>
    internal EnergyPart Plus(EnergyPart other) =>
        new(Component, Value + other.Value, Low + other.Low, High + other.High) { Assumed = Assumed + other.Assumed };

    /// <summary>Scaled.</summary>
    internal EnergyPart Times(double factor) =>
        new(Component, Value * factor, Low * factor, High * factor) { Assumed = Assumed * factor };
}

/// <summary>The energy of a run, divided by component. The parts sum to the total.</summary>
/// <remarks>
/// Low and high take every row at the same end at once: they bound the total, they are no error bar. Rows are uncertain by up to
/// 2x each while their sum is known better, to about 20 % for a GPU-class matrix product and 35 % for an accelerator.
/// </remarks>
/// <param name="Parts">Components in a fixed order, without those that did nothing; then "memory background", "idle" and "active clocking".</param>
public sealed record EnergyBreakdown(ImmutableArray<EnergyPart> Parts)
{
    /// <summary>Energy of the run.</summary>
    public Energy Total => Sum(part => part.Value);

    /// <summary>Energy of the run with every row at its low end.</summary>
    public Energy Low => Sum(part => part.Low);

    /// <summary>Energy of the run with every row at its high end.</summary>
    public Energy High => Sum(part => part.High);

    /// <summary>Share of the total that rests on assumed rows and powers, from 0 to 1.</summary>
    public double AssumedShare => Total > Energy.Zero ? Sum(part => part.Assumed) / Total : 0;

    /// <summary>The sum of several, each so many times; components keep their order.</summary>
    internal static EnergyBreakdown Sum(IEnumerable<(EnergyBreakdown Energy, long Times)> summands)
    {
        var parts = new Dictionary<string, EnergyPart>(StringComparer.Ordinal);
        foreach ((EnergyBreakdown energy, long times) in summands)
        {
            foreach (EnergyPart part in energy.Parts)
            {
                parts[part.Component] = parts.TryGetValue(part.Component, out EnergyPart? sum) ? sum.Plus(part.Times(times)) : part.Times(times);
            }
        }

        return new([.. parts.Values.OrderBy(part => Components.IndexOf(part.Component))]);
    }

    /// <summary>All components in the order of reports.</summary>
    internal static ImmutableArray<string> Components { get; } =
        [.. Enum.GetValues<ActivityKind>().Select(kind => kind.Component()).Distinct(), MemoryBackground, Idle, ActiveClocking];

    internal const string MemoryBackground = "memory background";
    internal const string Idle = "idle";
    internal const string ActiveClocking = "active clocking";

    private Energy Sum(Func<EnergyPart, Energy> select) =>
        Parts.Aggregate(Energy.Zero, (sum, part) => sum + select(part));
}
