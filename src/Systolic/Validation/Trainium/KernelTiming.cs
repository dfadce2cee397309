using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Machines;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>A kernel timed as it is measured on a device: alone, with what starting and ending it takes.</summary>
internal sealed class KernelTiming
{
    private readonly StreamState[] _streams;

    private KernelTiming(Program program, CoreRun run, StreamState[] streams, SimTime time) => (Program, Run, _streams, Time) = (program, run, streams, time);

    /// <summary>The program.</summary>
    public Program Program { get; }

    /// <summary>The program on one core, without start and end.</summary>
    public CoreRun Run { get; }

    /// <summary>Device time.</summary>
    public SimTime Time { get; }

    /// <summary>Times <paramref name="program"/> on one core of <paramref name="machine"/>.</summary>
    public static KernelTiming Of(Program program, Accelerator machine)
    {
        (CoreRun run, StreamState[] streams) = Simulator.RunWithTimes(program, machine);
        return new KernelTiming(program, run, streams, run.Time + machine.Synchronization.Overhead(program.DescribesAtRunTime));
    }

    /// <summary>Predicts the device time of a row's kernel on the machine of the row.</summary>
    public static TrainiumPrediction Predict(Func<Accelerator, Program> kernel, TrainiumRow row)
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

    /// <summary>The machine of a row: one core, or two that share a stack of main memory.</summary>
    public static Accelerator Machine(TrainiumRow row) => ((SystolicMachine)MachinePresets.Load(row.Chip + "-core")).Accelerator with { Cores = Math.Max(1, row.Cores) };

    /// <summary>From the start of an instruction to its completion.</summary>
    public SimTime Duration(StreamId stream, int index) => new(_streams[(int)stream].Done[index] - Start(stream, index));

    /// <summary>When an instruction started, in femtoseconds; of a transfer, when it was triggered with its descriptors ready.</summary>
    public long Start(StreamId stream, int index) => stream.IsQueue() ? _streams[(int)stream].Free[index] : _streams[(int)stream].Start[index];

    /// <summary>When an instruction completed, in femtoseconds.</summary>
    public long End(StreamId stream, int index) => _streams[(int)stream].Done[index];

    /// <summary>Time for which at least one instruction of a stream is in progress.</summary>
    public SimTime Active(StreamId stream) => Union(Progress(stream));

    /// <summary>Time for which at least one transfer is in progress.</summary>
    public SimTime TransfersActive() => Union(Enum.GetValues<StreamId>().Where(stream => stream.IsQueue()).SelectMany(Progress));

    /// <summary>Bytes read from and written to main memory.</summary>
    public long MemoryBytes => Run.Counts[ActivityKind.DramReadByte] + Run.Counts[ActivityKind.DramWriteByte];

    /// <summary>Share of the device time, in percent.</summary>
    public double Percent(SimTime part) => 100.0 * part.Value / Time.Value;

    private IEnumerable<(long Start, long End)> Progress(StreamId stream) =>
        Enumerable.Range(0, _streams[(int)stream].Issued).Select(index => (Start(stream, index), End(stream, index)));

    private static SimTime Union(IEnumerable<(long Start, long End)> parts)
    {
        long sum = 0, until = 0;
        foreach ((long start, long end) in parts.Order())
        {
            sum += Math.Max(0, end - Math.Max(start, until));
            until = Math.Max(until, end);
        }

        return new SimTime(sum);
    }
}
