using System.Numerics;

namespace Systolic.Components;

/// <summary>What lane 0 took in recent cycles; cell (i, j) holds in each cycle what lane 0 took i + j cycles before.</summary>
internal sealed class Wavefront
{
    private readonly Slot[] _slots;
    private readonly int _mask;

    public Wavefront(int depth)
    {
        _slots = new Slot[BitOperations.RoundUpToPowerOf2((uint)depth)];
        _mask = _slots.Length - 1;
        Array.Fill(_slots, Slot.None);
    }

    /// <summary>What entered at <paramref name="cycle"/>; nothing before cycle 0.</summary>
    public Slot this[long cycle]
    {
        get => _slots[(int)cycle & _mask];
        set => _slots[(int)cycle & _mask] = value;
    }
}
