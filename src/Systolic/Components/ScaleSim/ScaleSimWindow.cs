namespace Systolic.Components;

/// <summary>The part of an operand's DRAM stream that the working half of its SRAM holds: consecutive granules of a hundredth of the SRAM, around the end of the stream.</summary>
internal sealed class ScaleSimWindow
{
    private readonly ScaleSimGranules _granules;
    private readonly long _held;
    private readonly long _step;
    private long _start;
    private (long Begin, long End) _first;
    private long _wrapped;

    /// <summary>The window at the begin of the stream.</summary>
    /// <param name="granules">Where granules begin.</param>
    /// <param name="working">Words of the working half.</param>
    /// <param name="prefetch">Words of the prefetch half.</param>
    public ScaleSimWindow(ScaleSimGranules granules, long working, long prefetch)
    {
        _granules = granules;
        _held = Math.Min(ScaleSimCeiling.Of(working, granules.Size), granules.Count);
        _step = Math.Min(ScaleSimCeiling.Of(prefetch, granules.Size), granules.Count - _held);
        Place();
    }

    /// <summary>The whole stream is held.</summary>
    public bool IsWhole => _held == _granules.Count;

    /// <summary>A key is held.</summary>
    public bool Holds(long key) => (key >= _first.Begin && key < _first.End) || key < _wrapped;

    /// <summary>The stretch of consecutive keys held around <paramref name="key"/>; null where it is not held.</summary>
    public (long Begin, long End)? StretchOf(long key)
    {
        if (key >= _first.Begin && key < _first.End)
        {
            return _first;
        }

        return key < _wrapped ? (0, _wrapped) : null;
    }

    /// <summary>Moves on by one prefetch.</summary>
    public void Step()
    {
        _start = (_start + _step) % _granules.Count;
        Place();
    }

    private void Place()
    {
        long end = _start + _held;
        _first = (_granules.Begin(_start), end >= _granules.Count ? long.MaxValue : _granules.Begin(end));
        _wrapped = end > _granules.Count ? _granules.Begin(end - _granules.Count) : 0;
    }
}
