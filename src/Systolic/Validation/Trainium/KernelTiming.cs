using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Machines;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>A kernel timed as it is measured on a device: alone, with what starting and ending it takes.</summary>
/// <param name="Run">The program on one core.</param>
/// <param name="Time">Device time.</param>
internal sealed record KernelTiming(CoreRun Run, SimTime Time)
{
    /// <summary>Times <paramref name="program"/> on one core of <paramref name="machine"/>.</summary>
    public static KernelTiming Of(Program program, Accelerator machine)
    {
        CoreRun run = Simulator.Run(program, machine);
        SynchronizationSpec start = machine.Synchronization;
        return new KernelTiming(run, run.Time + start.ProgramOverhead + (program.DescribesAtRunTime ? start.RunTimeDescriptorOverhead : SimTime.Zero));
    }

    /// <summary>Predicts the device time of a row's kernel on the machine of the row.</summary>
    public static TrainiumPrediction Of(Func<Accelerator, Program> kernel, TrainiumRow row)
    {
        Accelerator machine = Machine(row);
        try
        {
            return TrainiumPrediction.Of(Of(kernel(machine), machine).Time);
        }
        catch (CapacityException tooLarge)
        {
            return TrainiumPrediction.Skip(tooLarge.Message);
        }
    }

    /// <summary>Share of the device time for which an engine of <see cref="Simulator.Engines"/> works, in percent.</summary>
    public double ActivePercent(string engine) => 100.0 * Run.Busy[Simulator.Engines.IndexOf(engine)].Value / Time.Value;

    /// <summary>The machine of a row: one core, or two that share a stack of main memory.</summary>
    public static Accelerator Machine(TrainiumRow row) => ((SystolicMachine)MachinePresets.Load(row.Chip + "-core")).Accelerator with { Cores = Math.Max(1, row.Cores) };
}
