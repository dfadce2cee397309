using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Tests.Simulation;

/// <summary>The timing equations of the four engines, iterated from zero until nothing changes: no events, no queues, no order of issue.</summary>
internal sealed class FixedPoint
{
    private readonly Program _program;
    private readonly Accelerator _machine;
    private readonly long[][] _free;

    public FixedPoint(Program program, Accelerator machine)
    {
        (_program, _machine) = (program, machine);
        Start = [.. Lengths().Select(length => new long[length])];
        Done = [.. Lengths().Select(length => new long[length])];
        _free = [.. Lengths().Select(length => new long[length])];
        while (Relax())
        {
        }
    }

    public long[][] Start { get; }

    public long[][] Done { get; }

    private IEnumerable<int> Lengths() => Enumerable.Range(0, 4).Select(stream => _program[(StreamId)stream].Length);

    private bool Relax()
    {
        bool changed = false;
        for (int stream = 0; stream < 4; stream++)
        {
            ActivationFunction table = ActivationFunction.Identity;
            for (int i = 0; i < Start[stream].Length; i++)
            {
                changed |= Relax(stream, i, ref table);
            }
        }

        return changed;
    }

    private bool Relax(int stream, int i, ref ActivationFunction table)
    {
        Instruction op = _program[(StreamId)stream][i];
        long before = i == 0 ? 0 : _free[stream][i - 1], ready = before;
        foreach (SemaphoreWait wait in _program.Waits.Slice(op.FirstWait, op.WaitCount))
        {
            long signal = (int)wait.Stream != stream ? _machine.Synchronization.SemaphoreLatency.Value : stream == 2 ? _machine.ScalarEngine.DependentLatency.Value : 0;
            ready = Math.Max(ready, Done[(int)wait.Stream][wait.AtLeast - 1] + signal);
        }

        Clock clock = Clocks()[stream];
        Cycles edge = clock.EdgeAtOrAfter(new SimTime(ready));
        long start = clock.At(edge).Value;
        bool idle = i == 0 || start > before;
        long free = clock.At(edge + new Cycles(Interval(stream, op) + (stream == 0 && idle ? 32 : 0))).Value;
        long load = 0;
        if (stream == 2 && op.Function is ActivationFunction.Exp or ActivationFunction.Gelu && op.Function != table)
        {
            (table, load) = (op.Function, _machine.ScalarEngine.TableLoad.Value);
            free += load;
        }

        long result = stream switch
        {
            0 => free + _machine.TensorEngine.ResultLatency.Value,
            2 => Math.Max(free, clock.At(edge + new Cycles(op.Free)).Value + load + _machine.ScalarEngine.ResultLatency.Value),
            _ => free,
        };
        long done = Math.Max(result, i == 0 ? 0 : Done[stream][i - 1]);
        bool changed = (Start[stream][i], _free[stream][i], Done[stream][i]) != (start, free, done);
        (Start[stream][i], _free[stream][i], Done[stream][i]) = (start, free, done);
        return changed;
    }

    private Clock[] Clocks() =>
    [
        new(_machine.TensorEngine.SustainedRate), new(_machine.VectorEngine.Clock), new(_machine.ScalarEngine.Clock), new(_machine.GpSimdEngine.Clock),
    ];

    /// <summary>The published cost rules for the instructions that random programs hold, all fp32 but the product.</summary>
    private long Interval(int stream, in Instruction op) => (stream, op.Opcode) switch
    {
        (0, _) => Math.Max(64, op.Free),
        (1, Opcode.Copy) => Math.Max(64, op.Free) + _machine.VectorEngine.StaticCycles,
        (1, Opcode.TensorTensor) => Math.Max(64, 2 * op.Free) + _machine.VectorEngine.StaticCycles,
        (2, Opcode.Activation) => Math.Max(64, op.Free),
        (2, Opcode.ActivationReduce) => Math.Max(64, op.Free) + 64,
        (3, _) => 150 + op.Free,
        _ => throw new InvalidOperationException($"No rule for {op.Opcode}."),
    };
}
