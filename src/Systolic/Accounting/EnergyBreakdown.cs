using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Accounting;

/// <summary>The energy of one component of a machine over a run.</summary>
/// <param name="Component">The component's name in reports, such as "main memory"; "idle" and "active clocking" are the powers of the <see cref="EnergyModel"/>.</param>
/// <param name="Value">Its energy.</param>
/// <param name="Low">Its energy if every row that prices it were at its low end.</param>
/// <param name="High">Its energy if every row that prices it were at its high end.</param>
public sealed record EnergyPart(string Component, Energy Value, Energy Low, Energy High);

/// <summary>The energy of a run, divided by component. The parts sum to the total.</summary>
/// <remarks>
/// Low and high take every row at the same end at once: they bound the total, they are no error bar. Rows are uncertain by up to
/// 2x each while their sum is known better, to about 20 % for a GPU-class matrix product and 35 % for an accelerator.
/// </remarks>
/// <param name="Parts">Components in a fixed order, without those that did nothing; then "idle" and "active clocking".</param>
public sealed record EnergyBreakdown(ImmutableArray<EnergyPart> Parts)
{
    /// <summary>Energy of the run.</summary>
    public Energy Total => Sum(part => part.Value);

    /// <summary>Energy of the run with every row at its low end.</summary>
    public Energy Low => Sum(part => part.Low);

    /// <summary>Energy of the run with every row at its high end.</summary>
    public Energy High => Sum(part => part.High);

    private Energy Sum(Func<EnergyPart, Energy> select) =>
        Parts.Aggregate(Energy.Zero, (sum, part) => sum + select(part));
}
