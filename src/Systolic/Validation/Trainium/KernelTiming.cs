using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>A kernel timed as it is measured on a device: alone, with what starting and ending it takes.</summary>
internal sealed class KernelTiming
{
    private readonly Accelerator _machine;
    private readonly StreamState[] _streams;

    private KernelTiming(Accelerator machine, CoreRun run, StreamState[] streams, SimTime time) => (_machine, Run, _streams, Time) = (machine, run, streams, time);

    /// <summary>The program on one core, without start and end.</summary>
    public CoreRun Run { get; }

    /// <summary>Device time.</summary>
    public SimTime Time { get; }

    /// <summary>Times <paramref name="program"/> on one core of <paramref name="machine"/>.</summary>
    public static KernelTiming Of(Program program, Accelerator machine)
    {
        (CoreRun run, StreamState[] streams) = Simulator.RunWithTimes(program, machine);
        return new KernelTiming(machine, run, streams, run.Time + machine.Synchronization.Overhead(program.DescribesAtRunTime));
    }

    /// <summary>Times a row's kernel on the machine of the row.</summary>
    public static KernelTiming Of(TrainiumRow row, Func<KernelBuilder, Program> write)
    {
        Accelerator machine = Machine(row);
        return Of(write(new KernelBuilder(machine, row.Id)), machine);
    }

    /// <summary>The device time of a row's kernel on the machine of the row.</summary>
    public static TrainiumPrediction Predict(Func<Accelerator, Program> kernel, TrainiumRow row)
    {
        Accelerator machine = Machine(row);
        return TrainiumPrediction.Of(Of(kernel(machine), machine).Time);
    }

    /// <summary>The machine of a row: one core, or two that share a stack of main memory.</summary>
    public static Accelerator Machine(TrainiumRow row) => MachinePresets.Accelerator(row.Chip + "-core") with { Cores = Math.Max(1, row.Cores) };

    /// <summary>A profiler's figure of this kernel.</summary>
    /// <param name="row">The row that names it.</param>
    /// <param name="macs">Multiply-accumulates as the profiler counts them.</param>
    public TrainiumPrediction Figure(TrainiumRow row, double macs) => row.Metric switch
    {
        "HFU" or "HFU (= MFU)" => TrainiumPrediction.Of(100 * macs / (_machine.TensorEngine.PeakMacsPerSecond(DataType.Bf16) * Time.Seconds)),
        "tensor_engine_active_time" => TrainiumPrediction.Of(Active(StreamId.Tensor)),
        "tensor_engine_active_time_percent" => TrainiumPrediction.Of(Percent(Active(StreamId.Tensor))),
        "vector_engine_active_time_percent" or "vector_engine_active_time_percent (core region)" => TrainiumPrediction.Of(Percent(Active(StreamId.Vector))),
        "scalar_engine_active_time_percent" => TrainiumPrediction.Of(Percent(Active(StreamId.Scalar))),
        "dma_active_time" => TrainiumPrediction.Of(TransfersActive()),
        "dma_active_time_percent" => TrainiumPrediction.Of(Percent(TransfersActive())),
        "mbu_estimated_percent" => TrainiumPrediction.Of(100 * Run.Counts.DramBytes / (_machine.Memory.Bandwidth.BytesPerSecond * Time.Seconds)),
        "hbm_read_bytes" => TrainiumPrediction.Of((double)Run.Counts[ActivityKind.DramReadByte]),
        "hbm_write_bytes" => TrainiumPrediction.Of((double)Run.Counts[ActivityKind.DramWriteByte]),
        "dma_packet_time (summed over engines)" => TrainiumPrediction.Skip("how the profiler counts packets that wait is not published"),
        "spill_save_bytes" or "spill_reload_bytes" => TrainiumPrediction.Skip("spills are the compiler's"),
        _ => TrainiumPrediction.Of(Time),
    };

    /// <summary>From the start of an instruction to its completion.</summary>
    public SimTime Duration(StreamId stream, int index) => new(_streams[(int)stream].Done[index] - Start(stream, index));

    /// <summary>When an instruction started, in femtoseconds; of a transfer, when it was triggered with its descriptors ready.</summary>
    public long Start(StreamId stream, int index) => stream.IsQueue() ? _streams[(int)stream].Free[index] : _streams[(int)stream].Start[index];

    /// <summary>When an instruction completed, in femtoseconds.</summary>
    public long End(StreamId stream, int index) => _streams[(int)stream].Done[index];

    /// <summary>Time for which at least one instruction of a stream is in progress.</summary>
    private SimTime Active(StreamId stream) => Union(Progress(stream));

    /// <summary>Time for which at least one transfer is in progress.</summary>
    private SimTime TransfersActive() => Union(Enum.GetValues<StreamId>().Where(stream => stream.IsQueue()).SelectMany(Progress));

    /// <summary>Share of the device time, in percent.</summary>
    private double Percent(SimTime part) => 100.0 * part.Value / Time.Value;

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
