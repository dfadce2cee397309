using System.Collections.Immutable;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Collects what transfers move of main memory; equal patterns are kept once.</summary>
/// <remarks>Arrays and a search from the newest pattern: a kernel has few, and lists of the library's own structures cost time at start-up.</remarks>
internal sealed class MemoryRecorder
{
    private MemoryAccess[] _accesses = new MemoryAccess[16];
    private MemoryPattern[] _patterns = new MemoryPattern[16];
    private int _accessCount;
    private int _patternCount;

    /// <summary>Adds a view and returns its index.</summary>
    public int Add(in MemoryView view)
    {
        if (_accessCount == _accesses.Length)
        {
            var larger = new MemoryAccess[2 * _accessCount];
            Array.Copy(_accesses, larger, _accessCount);
            _accesses = larger;
        }

        _accesses[_accessCount] = new MemoryAccess(view.Tensor.Index, Find(view.Pattern), view.Offset);
        return _accessCount++;
    }

    /// <summary>Everything added so far.</summary>
    public MemoryMap ToMap(ImmutableArray<MemoryTensor> tensors) => new(tensors, _accesses, _accessCount, _patterns);

    private int Find(in MemoryPattern pattern)
    {
        for (int i = _patternCount - 1; i >= 0; i--)
        {
            if (_patterns[i] == pattern)
            {
                return i;
            }
        }

        if (_patternCount == _patterns.Length)
        {
            var larger = new MemoryPattern[2 * _patternCount];
            Array.Copy(_patterns, larger, _patternCount);
            _patterns = larger;
        }

        _patterns[_patternCount] = pattern;
        return _patternCount++;
    }
}
