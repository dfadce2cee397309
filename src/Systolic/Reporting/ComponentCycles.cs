using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>Whole cycles spent on one cause.</summary>
/// <param name="Component">The cause.</param>
/// <param name="Cycles">Cycles of the machine's clock.</param>
public sealed record ComponentCycles(CycleComponent Component, Cycles Cycles)
{
    /// <summary>Divides <paramref name="total"/> in proportion to a stack, so that the parts sum to it exactly.</summary>
    /// <remarks>Largest remainder: each part is rounded down, and the cycles left go to the parts that lost most, the first component winning a tie.</remarks>
    internal static ImmutableArray<ComponentCycles> Divide(CycleStack stack, Cycles total)
    {
        long time = stack.Total.Value;
        var parts = Enum.GetValues<CycleComponent>()
            .Where(component => stack[component] > SimTime.Zero)
            .Select(component => (Component: component, Product: (Int128)stack[component].Value * total.Value))
            .Select(part => (part.Component, Floor: (long)(part.Product / time), Remainder: part.Product % time))
            .ToArray();
        long left = total.Value - parts.Sum(part => part.Floor);
        var raised = parts.OrderByDescending(part => part.Remainder).Take((int)left).Select(part => part.Component).ToHashSet();
        return [.. parts.Select(part => new ComponentCycles(part.Component, new Cycles(part.Floor + (raised.Contains(part.Component) ? 1 : 0))))];
    }
}
