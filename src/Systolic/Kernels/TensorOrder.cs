using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>What an operator's transfers and signals wait for among the operators linked before it: the tensors in main memory that it reads and writes, by name.</summary>
/// <remarks>A tensor is waited for as a whole. An operator whose tensors have no names waits for everything before it.</remarks>
internal sealed class TensorOrder
{
    private readonly LinkedPart _part;
    private readonly Dictionary<string, Reached> _written;
    private readonly Dictionary<string, Reached> _read;
    private readonly Reached _all = new();
    private readonly Reached _freed = new();
    private readonly Reached _produced = new();
    private readonly Reached _consumed = new();
    private readonly Reached?[] _byTensor;

    /// <param name="part">The operator and its program.</param>
    /// <param name="written">Of each tensor, what completes it.</param>
    /// <param name="read">Of each tensor, what still reads it.</param>
    /// <param name="before">Everything linked before.</param>
    public TensorOrder(LinkedPart part, Dictionary<string, Reached> written, Dictionary<string, Reached> read, Reached before)
    {
        (_part, _written, _read) = (part, written, read);
        _byTensor = new Reached?[part.Program.Tensors.Length];
        if (part.Op.Inputs.IsEmpty)
        {
            _all.Include(before);
            _freed.Include(before);
            return;
        }

        for (int i = 0; i < part.Op.Reads.Length; i++)
        {
            Reached producer = written.GetValueOrDefault(part.Op.Reads[i].Operand.Name, Nothing);
            _all.Include(producer);
            if (part.Inputs is { } inputs)
            {
                _byTensor[inputs[i].Index] = producer;
            }
        }

        foreach (Tensor tensor in part.Op.Writes)
        {
            _freed.Include(written.GetValueOrDefault(tensor.Operand.Name, Nothing));
            _freed.Include(read.GetValueOrDefault(tensor.Operand.Name, Nothing));
        }
    }

    /// <summary>What must be complete before <paramref name="step"/> reads main memory, or signals that it is written.</summary>
    public Reached NeededBy(in Instruction step) => step.Opcode == Opcode.Barrier ? _all
        : !step.Opcode.ReadsMemory() ? Nothing
        : _part.Program.MemoryOf(step) is { Tensor: var tensor } && step.Sources == 1 ? tensor.Role is MemoryRole.Input or MemoryRole.InputOutput ? _byTensor[tensor.Index] ?? _all : Nothing
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
        foreach (Tensor tensor in _part.Op.Writes)
        {
            _written[tensor.Operand.Name] = _produced.IsNothing ? _all : _produced;
        }

        foreach (Tensor tensor in _part.Op.Reads)
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
