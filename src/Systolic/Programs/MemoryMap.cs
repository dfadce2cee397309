using System.Collections.Immutable;

namespace Systolic.Programs;

/// <summary>The tensors of a program and what its transfers move of them: 16 bytes a transfer, equal patterns kept once.</summary>
internal sealed class MemoryMap(ImmutableArray<MemoryTensor> tensors, MemoryAccess[] accesses, int count, MemoryPattern[] patterns)
{
    /// <summary>No tensors.</summary>
    public static MemoryMap Empty { get; } = new([], [], 0, []);

    public ImmutableArray<MemoryTensor> Tensors { get; } = tensors;

    public bool Has(int index) => index < count;

    public MemoryView this[int index] => new(Tensors[accesses[index].Tensor], accesses[index].Offset, patterns[accesses[index].Pattern]);
}
