using System.Collections.Immutable;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Collects what transfers move of main memory; equal patterns are kept once.</summary>
internal sealed class MemoryRecorder
{
    private readonly List<MemoryAccess> _accesses = [];
    private readonly List<MemoryPattern> _patterns = [];
    private readonly Dictionary<MemoryPattern, int> _known = [];

    /// <summary>Adds a view and returns its index.</summary>
    public int Add(in MemoryView view)
    {
        if (!_known.TryGetValue(view.Pattern, out int pattern))
        {
            pattern = _patterns.Count;
            _patterns.Add(view.Pattern);
            _known.Add(view.Pattern, pattern);
        }

        _accesses.Add(new MemoryAccess(view.Tensor.Index, pattern, view.Offset));
        return _accesses.Count - 1;
    }

    /// <summary>Everything added so far.</summary>
    public MemoryMap ToMap(ImmutableArray<MemoryTensor> tensors) => new(tensors, [.. _accesses], [.. _patterns]);
}
