using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>What an operator's transfers and signals wait for among the operators linked before it: the tensors in main memory that it reads and writes, by name.</summary>
/// <remarks>A tensor is waited for as a whole. An operator whose tensors have no names waits for everything before it.</remarks>
internal sealed class TensorOrder
{
    private readonly Operator _op;
    private readonly Dictionary<string, Reached> _written;
    private readonly Dictionary<string, Reached> _read;
    private readonly Reached _all = new();
    private readonly Reached _freed = new();
    private readonly Reached _produced = new();
    private readonly Reached _consumed = new();
    private readonly Reached?[] _byTensor;

    /// <param name="op">The operator.</param>
    /// <param name="program">Its program.</param>
    /// <param name="written">Of each tensor, what completes it.</param>
    /// <param name="read">Of each tensor, what still reads it.</param>
    /// <param name="before">Everything linked before.</param>
    public TensorOrder(Operator op, Program program, Dictionary<string, Reached> written, Dictionary<string, Reached> read, Reached before)
    {
        (_op, _written, _read) = (op, written, read);
        _byTensor = new Reached?[program.Tensors.Length];
        if (op.Inputs.IsEmpty)
        {
            _all.Include(before);
            _freed.Include(before);
            return;
        }

        MemoryTensor[] given = [.. program.Tensors.Where(tensor => tensor.Role is MemoryRole.Input or MemoryRole.InputOutput)];
        foreach (((Tensor tensor, Reached producer), int i) in op.Reads.Select((tensor, i) => ((tensor, written.GetValueOrDefault(tensor.Operand.Name, Nothing)), i)))
        {
            _all.Include(producer);
            if (given.Length == op.Reads.Length)
            {
                _byTensor[given[i].Index] = producer;
            }
        }

        foreach (Tensor tensor in op.Writes)
        {
            _freed.Include(written.GetValueOrDefault(tensor.Operand.Name, Nothing));
            _freed.Include(read.GetValueOrDefault(tensor.Operand.Name, Nothing));
        }
    }

    /// <summary>What must be complete before <paramref name="step"/> reads main memory, or signals that it is written.</summary>
    public Reached NeededBy(Program program, in Instruction step) => step.Opcode == Opcode.Barrier ? _all
        : !step.Opcode.ReadsMemory() ? Nothing
        : program.MemoryOf(step) is { Tensor: var tensor } && step.Sources == 1 ? tensor.Role is MemoryRole.Input or MemoryRole.InputOutput ? _byTensor[tensor.Index] ?? _all : Nothing
        : _all;

    /// <summary>What must be complete before <paramref name="step"/> writes main memory.</summary>
    public Reached FreedFor(in Instruction step) => step.Opcode.WritesMemory() ? _freed : Nothing;

    /// <summary>An instruction is linked; it is the <paramref name="count"/>-th of its stream.</summary>
    public void Record(StreamId stream, in Instruction step, int count)
    {
        if (step.Opcode.WritesMemory() || step.Opcode == Opcode.Barrier)
        {
            _produced.Count(stream, count);
        }

        if (step.Opcode.ReadsMemory())
        {
            _consumed.Count(stream, count);
        }
    }

    /// <summary>All instructions are linked: later operators wait for them. What nothing writes was complete with what it was made from.</summary>
    public void Keep()
    {
        foreach (Tensor tensor in _op.Writes)
        {
            _written[tensor.Operand.Name] = _produced.IsNothing ? _all : _produced;
        }

        foreach (Tensor tensor in _op.Reads)
        {
            if (!_read.TryAdd(tensor.Operand.Name, _consumed))
            {
                var both = new Reached();
                both.Include(_read[tensor.Operand.Name]);
                both.Include(_consumed);
                _read[tensor.Operand.Name] = both;
            }
        }
    }

    private static Reached Nothing { get; } = new();
}
