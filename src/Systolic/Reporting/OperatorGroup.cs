using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>The operators of a run that have the same kind and shape.</summary>
/// <param name="Kind">Their family, such as "matmul".</param>
/// <param name="Shape">Their shapes in one line.</param>
/// <param name="Names">Their distinct names without the path, in execution order.</param>
/// <param name="Runs">Executions of all.</param>
/// <param name="Time">Time of all executions.</param>
/// <param name="Share">Part of the run's time, between 0 and 1.</param>
/// <param name="Energy">Energy of all executions.</param>
/// <param name="Bound">The least time of all executions.</param>
/// <param name="Leading">The component that took most of their time.</param>
public sealed record OperatorGroup(
    string Kind, string Shape, ImmutableArray<string> Names, long Runs, SimTime Time, double Share, Energy Energy, SimTime Bound, CycleComponent Leading)
{
    /// <summary>Where the time of all executions went.</summary>
    public CycleStack Stack { get; init; } = new();

    /// <summary>Another run's group of the same operators.</summary>
    internal bool IsLike(OperatorGroup other) => (Kind, Shape) == (other.Kind, other.Shape);

    /// <summary>Groups the operators of a run, the longest group first, equal times in execution order.</summary>
    public static ImmutableArray<OperatorGroup> Of(RunReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return [.. report.Operators
            .GroupBy(op => (op.Run.Kind, op.Run.Shape))
            .Select(group => Of([.. group], report.Time))
            .OrderByDescending(group => group.Time)];
    }

    private static OperatorGroup Of(ImmutableArray<OperatorReport> operators, SimTime total)
    {
        SimTime time = SimTime.Zero, bound = SimTime.Zero;
        Energy energy = Energy.Zero;
        var stack = new CycleStack();
        long runs = 0;
        foreach (OperatorReport op in operators)
        {
            time += op.TotalTime;
            bound += op.Run.Bound.Time * op.Run.Repeat;
            energy += op.TotalEnergy;
            stack.Add(op.Run.Stack, op.Run.Repeat);
            runs += op.Run.Repeat;
        }

        ImmutableArray<string> names = [.. operators.Select(op => op.Run.Name[(op.Run.Name.LastIndexOf('/') + 1)..]).Distinct(StringComparer.Ordinal)];
        CycleComponent leading = Enum.GetValues<CycleComponent>().MaxBy(component => stack[component]);
        return new(operators[0].Run.Kind, operators[0].Run.Shape, names, runs, time, (double)time.Value / total.Value, energy, bound, leading) { Stack = stack };
    }
}
