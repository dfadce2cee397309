using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Workloads;
using Tensor = Systolic.Workloads.Tensor;

namespace Systolic.Machines;

/// <summary>Computes operators on one core with real values, by executing the programs that <see cref="SystolicMachine"/> times.</summary>
/// <param name="machine">The machine whose kernels are used.</param>
/// <param name="order">The order of execution; by default that in which the kernels were written.</param>
public sealed class ValueMachine(Accelerator machine, ExecutionOrder? order = null)
{
    private readonly MatMulMappings _mappings = new();

    /// <summary>The outputs of one operator, in the order of its <see cref="Operator.Writes"/>.</summary>
    /// <param name="op">The operator; a batch of matrices is one below the other.</param>
    /// <param name="inputs">Its inputs in the order of its <see cref="Operator.Reads"/>; of an embedding the whole table instead of the rows read.</param>
    /// <param name="cancellation">Checked between instructions.</param>
    /// <exception cref="NotSupportedException">The operator's kernel is timed only, or the operator needs more than one program.</exception>
    /// <exception cref="ArgumentException">The inputs do not match.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IReadOnlyList<Matrix> Run(Operator op, IReadOnlyList<Matrix> inputs, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(op);
        ArgumentNullException.ThrowIfNull(inputs);
        Program program = SingleProgram(op);
        MemoryTensor[] given = [.. program.Tensors.Where(tensor => tensor.Role is MemoryRole.Input or MemoryRole.InputOutput)];
        if (given.Length != inputs.Count)
        {
            throw new ArgumentException(FormattableString.Invariant($"{op.Name}: found {inputs.Count} inputs, expected {given.Length}: {string.Join(", ", given.Select(tensor => tensor.Name))}."), nameof(inputs));
        }

        IReadOnlyDictionary<string, Matrix> results = Interpreter.Run(program, given.Zip(inputs).ToDictionary(pair => pair.First.Name, pair => pair.Second), order, cancellation);
        return [.. program.Tensors.Where(tensor => results.ContainsKey(tensor.Name)).Select(tensor => results[tensor.Name])];
    }

    /// <summary>Runs the operators of a section one after the other and adds what they write to <paramref name="tensors"/>, by name.</summary>
    /// <param name="section">The operators, such as those of a layer.</param>
    /// <param name="tensors">
    /// Every tensor that no operator of the section writes, by name: the layer's input, weights, tables, and a cache with room for the new tokens at the end of
    /// each sequence. A cache is updated in place.
    /// </param>
    /// <param name="cancellation">Checked between instructions.</param>
    /// <exception cref="KeyNotFoundException">A tensor is missing; the message names it and its reader.</exception>
    /// <exception cref="NotSupportedException">An operator's kernel is timed only, or an operator needs more than one program.</exception>
    /// <exception cref="ArgumentException">A tensor has another shape.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void RunSection(GraphSection section, IDictionary<string, Matrix> tensors, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(section);
        ArgumentNullException.ThrowIfNull(tensors);
        foreach (Operator op in section.Operators)
        {
            Matrix[] inputs = [.. op.Reads.Select(read => Find(op, read, tensors))];
            foreach ((Tensor written, Matrix value) in op.Writes.Zip(Run(op, inputs, cancellation)))
            {
                Keep(written, value, tensors);
            }
        }
    }

    private Program SingleProgram(Operator op)
    {
        LoweredPass[] passes = [.. KernelLibrary.Lower(op, machine, values: true, _mappings.Choose).Passes.Take(2)];
        return passes is [{ Repeat: 1 } pass]
            ? pass.Program
            : throw new NotSupportedException($"{op.Name}: {op.Describe()} is cut into several programs, which are timed only. Use a smaller shape.");
    }

    private static Matrix Find(Operator op, in Tensor read, IDictionary<string, Matrix> tensors)
    {
        if (!tensors.TryGetValue(read.Operand.Name, out Matrix? value))
        {
            throw new KeyNotFoundException($"{op.Name}: found no tensor \"{read.Operand.Name}\" ({read.Shape} {read.Type.Label()}).");
        }

        return value;
    }

    /// <summary>Rows appended to a cache go to the end of each sequence, as many to each.</summary>
    private static void Keep(in Tensor written, Matrix value, IDictionary<string, Matrix> tensors)
    {
        if (written.Operand.Role != TensorRole.KvCache || !tensors.TryGetValue(written.Operand.Name, out Matrix? cache))
        {
            tensors[written.Operand.Name] = value;
            return;
        }

        int capacity = cache.Rows / value.Rows;
        for (int row = 0; row < value.Rows; row++)
        {
            value.Row(row).CopyTo(cache.Row(((row + 1) * capacity) - 1));
        }
    }
}
