using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>The tensors of linked programs, behind each other in main memory.</summary>
internal sealed class LinkedMemory
{
    private readonly List<MemoryTensor> _tensors = [];
    private readonly List<MemoryAccess> _accesses = [];
    private readonly List<MemoryPattern> _patterns = [];
    private long _end;

    /// <summary>Adds those of a program; returns where its transfers' views begin.</summary>
    public int Add(Program program)
    {
        (int first, long address) = (_accesses.Count, _end);
        program.Memory.CopyTo(_accesses, _patterns, _tensors.Count);
        foreach (MemoryTensor tensor in program.Tensors)
        {
            _tensors.Add(tensor with { Index = _tensors.Count, Address = address + tensor.Address });
            _end = checked((_tensors[^1].Address + tensor.Bytes + MemoryTensor.Alignment - 1) / MemoryTensor.Alignment * MemoryTensor.Alignment);
        }

        return first;
    }

    /// <summary>All of them.</summary>
    public MemoryMap ToMap() => new([.. _tensors], [.. _accesses], _accesses.Count, [.. _patterns]);
}
