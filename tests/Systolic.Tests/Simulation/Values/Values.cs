using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Workloads;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Simulation.Values;

/// <summary>Lowers operators with values and executes them, in several orders that must agree on every bit.</summary>
internal static class Values
{
    private static readonly StreamId[] Engines = [StreamId.Tensor, StreamId.Vector, StreamId.Scalar, StreamId.QueueStores];

    /// <summary>Unit roundoff of fp32.</summary>
    public const double U = 1.0 / (1 << 24);

    /// <summary>Random values of a type, about -1 to 1.</summary>
    public static Matrix Random(int rows, int columns, int seed, DataType type, double scale = 1)
    {
        var random = new Random(seed);
        return Matrix.From(rows, columns, (_, _) => (float)(scale * ((2 * random.NextDouble()) - 1))).Rounded(type);
    }

    /// <summary>The only program of an operator.</summary>
    public static Program Lower(Operator op, Accelerator machine) =>
        KernelLibrary.Lower(op, machine, values: true).Passes.Should().ContainSingle(pass => pass.Repeat == 1).Which.Program;

    /// <summary>Executes in the written order, in the order in which the simulator completes, in a random one, and with one stream as early as can be; all must agree.</summary>
    public static Matrix Run(Operator op, Accelerator machine, params Matrix[] inputs) => RunAll(Lower(op, machine), machine, inputs)[0];

    /// <summary>All outputs, in the order of their declaration.</summary>
    public static Matrix[] RunAll(Program program, Accelerator machine, params Matrix[] inputs)
    {
        Matrix[] written = Execute(program, ExecutionOrder.Written, inputs);
        ExecutionOrder[] others = [ExecutionOrder.Completion(Simulator.RunWithTimes(program, machine).Streams), ExecutionOrder.Random(1), .. Engines.Select(ExecutionOrder.Eager)];
        foreach (ExecutionOrder order in others)
        {
            Matrix[] values = Execute(program, order, inputs);
            for (int i = 0; i < values.Length; i++)
            {
                values[i].Values.SequenceEqual(written[i].Values).Should().BeTrue("{0} computes the same in every order that its semaphores permit", program.Name);
            }
        }

        return written;
    }

    public static Matrix[] Execute(Program program, ExecutionOrder order, params Matrix[] inputs)
    {
        IEnumerable<string> names = program.Tensors.Where(tensor => tensor.Role is MemoryRole.Input or MemoryRole.InputOutput).Select(tensor => tensor.Name);
        IReadOnlyDictionary<string, Matrix> results = Interpreter.Run(program, names.Zip(inputs).ToDictionary(pair => pair.First, pair => pair.Second), order);
        return [.. program.Tensors.Where(tensor => results.ContainsKey(tensor.Name)).Select(tensor => results[tensor.Name])];
    }

    /// <summary>The program with the waits of one stream taken away.</summary>
    public static Program WithoutWaits(Program program, StreamId stream)
    {
        Instruction[][] streams = [.. Enumerable.Range(0, Streams.Count).Select(s => program[(StreamId)s].ToArray())];
        streams[(int)stream] = [.. streams[(int)stream].Select(op => op with { WaitCount = 0 })];
        return new Program(program.Name, streams, program.Waits.ToArray(), program.Buffers, program.Memory, program.Operations);
    }

    /// <summary>Higham's gamma: the relative error that n roundings can leave (Accuracy and Stability of Numerical Algorithms, chapter 3).</summary>
    public static double Gamma(double n, double u = U) => n * u / (1 - (n * u));

    /// <summary>Unit roundoff of a type: half a step above one.</summary>
    public static double UnitOf(DataType type) => type switch
    {
        DataType.Bf16 => 1.0 / (1 << 8),
        DataType.Fp16 or DataType.Tf32 => 1.0 / (1 << 11),
        DataType.Fp8E4M3 => 1.0 / (1 << 4),
        DataType.Fp8E5M2 => 1.0 / (1 << 3),
        _ => U,
    };

    /// <summary>Half the smallest positive value of a type: the error of a rounding that underflows.</summary>
    public static double SmallestOf(DataType type) => type switch
    {
        DataType.Bf16 => Math.Pow(2, -134),
        DataType.Fp16 => Math.Pow(2, -25),
        DataType.Fp8E4M3 => Math.Pow(2, -10),
        _ => Math.Pow(2, -150),
    };

    /// <summary>Fails at the first element that is further from the exact value than its bound.</summary>
    public static void Within(Matrix actual, Func<int, int, (double Exact, double Bound)> expected)
    {
        for (int row = 0; row < actual.Rows; row++)
        {
            for (int column = 0; column < actual.Columns; column++)
            {
                (double exact, double bound) = expected(row, column);
                if (!(Math.Abs(actual[row, column] - exact) <= bound))
                {
                    Assert.Fail(FormattableString.Invariant($"element [{row}, {column}]: found {actual[row, column]:R}, expected {exact:R} within {bound:E2}"));
                }
            }
        }
    }
}
