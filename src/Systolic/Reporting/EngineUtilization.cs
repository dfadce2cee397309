using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>How busy one kind of engine was.</summary>
/// <param name="Engine">The engine's name, one of <see cref="RunTrace.Engines"/>.</param>
/// <param name="Instances">How many the machine has.</param>
/// <param name="Share">Busy time over instances times duration, between 0 and 1.</param>
public sealed record EngineUtilization(string Engine, int Instances, double Share)
{
    internal static ImmutableArray<EngineUtilization> Of(RunTrace trace, SimTime time)
    {
        var engines = ImmutableArray.CreateBuilder<EngineUtilization>(trace.Engines.Length);
        for (int i = 0; i < trace.Engines.Length; i++)
        {
            EngineInfo engine = trace.Engines[i];
            double available = (double)time.Value * engine.Instances;
            engines.Add(new EngineUtilization(engine.Name, engine.Instances, (double)Busy(trace, i) / available));
        }

        return engines.MoveToImmutable();
    }

    internal static double Find(ImmutableArray<EngineUtilization> engines, MachineProfile machine)
    {
        foreach (EngineUtilization engine in engines)
        {
            if (engine.Engine == machine.MatrixEngine)
            {
                return engine.Share;
            }
        }

        throw new ArgumentException(
            $"{machine.Name}: found matrix engine \"{machine.MatrixEngine}\", expected one of the trace's engines: {string.Join(", ", engines.Select(engine => engine.Engine))}.",
            nameof(machine));
    }

    private static Int128 Busy(RunTrace trace, int engine)
    {
        Int128 busy = 0;
        foreach (OperatorRun run in trace.Operators)
        {
            busy += (Int128)run.Busy[engine].Value * run.Repeat;
        }

        return busy;
    }
}
