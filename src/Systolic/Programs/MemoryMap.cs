using System.Collections.Immutable;
using System.Security.Cryptography;
using Systolic.Numerics;

namespace Systolic.Programs;

/// <summary>The tensors of a program and what its transfers move of them: 16 bytes a transfer, equal patterns kept once.</summary>
internal sealed class MemoryMap(ImmutableArray<MemoryTensor> tensors, MemoryAccess[] accesses, int count, MemoryPattern[] patterns)
{
    /// <summary>No tensors.</summary>
    public static MemoryMap Empty { get; } = new([], [], 0, []);

    public ImmutableArray<MemoryTensor> Tensors { get; } = tensors;

    public bool Has(int index) => index < count;

    /// <summary>Adds all views, as those of tensors from <paramref name="firstTensor"/> on.</summary>
    public void CopyTo(List<MemoryAccess> views, List<MemoryPattern> shapes, int firstTensor)
    {
        int firstPattern = shapes.Count;
        shapes.AddRange(patterns);
        for (int i = 0; i < count; i++)
        {
            views.Add(accesses[i] with { Tensor = accesses[i].Tensor + firstTensor, Pattern = accesses[i].Pattern + firstPattern });
        }
    }

    /// <summary>Adds where the views lie in main memory to <paramref name="hash"/>.</summary>
    public void AddTo(IncrementalHash hash)
    {
        long[] places = [.. Tensors.SelectMany(tensor => (long[])[tensor.Address, tensor.Type.ByteSize()])];
        Program.Add<long>(hash, places);
        Program.Add<MemoryAccess>(hash, accesses.AsSpan(0, count));
        Program.Add<MemoryPattern>(hash, patterns);
    }

    public MemoryView this[int index] => new(Tensors[accesses[index].Tensor], accesses[index].Offset, patterns[accesses[index].Pattern]);
}
