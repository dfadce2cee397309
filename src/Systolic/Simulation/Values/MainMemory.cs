using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>The tensors of a program with their values.</summary>
internal sealed class MainMemory
{
    private readonly Program _program;
    private readonly Matrix[] _values;

    public MainMemory(Program program, IReadOnlyDictionary<string, Matrix> inputs)
    {
        _program = program;
        _values = [.. program.Tensors.Select(tensor => Place(tensor, inputs))];
        if (inputs.Keys.FirstOrDefault(name => !program.Tensors.Any(tensor => tensor.Name == name && Given(tensor))) is { } unknown)
        {
            throw new ArgumentException($"{program.Name}: found input \"{unknown}\", expected {Names(program)}.", nameof(inputs));
        }
    }

    /// <summary>All elements of a tensor.</summary>
    public Span<float> this[MemoryTensor tensor] => _values[tensor.Index].Values;

    /// <summary>What the program wrote.</summary>
    /// <exception cref="InvalidOperationException">An element of an output was never written.</exception>
    public IReadOnlyDictionary<string, Matrix> Results()
    {
        var results = new Dictionary<string, Matrix>(StringComparer.Ordinal);
        foreach (MemoryTensor tensor in _program.Tensors.Where(tensor => tensor.Role is MemoryRole.Output or MemoryRole.InputOutput))
        {
            results.Add(tensor.Name, Unwritten.In(_values[tensor.Index].Values)
                ? throw new InvalidOperationException($"{_program.Name}: output {tensor.Name} ({tensor.Rows}x{tensor.Columns}) has elements that nothing wrote.")
                : _values[tensor.Index]);
        }

        return results;
    }

    private Matrix Place(MemoryTensor tensor, IReadOnlyDictionary<string, Matrix> inputs)
    {
        if (!Given(tensor))
        {
            var empty = new Matrix(checked((int)tensor.Rows), checked((int)tensor.Columns));
            if (!tensor.IsCleared)
            {
                Unwritten.Fill(empty.Values);
            }

            return empty;
        }

        if (!inputs.TryGetValue(tensor.Name, out Matrix? value))
        {
            throw new ArgumentException($"{_program.Name}: found no input \"{tensor.Name}\", expected {Names(_program)}.", nameof(inputs));
        }

        return value.Rows == tensor.Rows && value.Columns == tensor.Columns
            ? value.Rounded(tensor.Type)
            : throw new ArgumentException(FormattableString.Invariant($"{_program.Name}: found input \"{tensor.Name}\" of {value.Rows}x{value.Columns}, expected {tensor.Rows}x{tensor.Columns}."), nameof(inputs));
    }

    private static bool Given(MemoryTensor tensor) => tensor.Role is MemoryRole.Input or MemoryRole.InputOutput;

    private static string Names(Program program) => string.Join(", ", program.Tensors.Where(Given).Select(tensor => FormattableString.Invariant($"\"{tensor.Name}\" ({tensor.Rows}x{tensor.Columns})")));
}
