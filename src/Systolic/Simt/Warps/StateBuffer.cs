namespace Systolic.Simt;

/// <summary>A state as numbers, compared exactly.</summary>
internal sealed class StateBuffer
{
    private long[] _values = new long[256];
    private int _length;

    /// <summary>The numbers so far.</summary>
    public ReadOnlySpan<long> Values => _values.AsSpan(0, _length);

    /// <summary>Starts anew.</summary>
    public void Clear() => _length = 0;

    /// <summary>Adds a number.</summary>
    public void Add(long value)
    {
        if (_length == _values.Length)
        {
            Array.Resize(ref _values, 2 * _length);
        }

        _values[_length++] = value;
    }

    /// <summary>Adds how far a time lies ahead; what has passed no longer matters.</summary>
    public void AddTime(long time, long now) => Add(time == long.MaxValue ? -1 : Math.Max(0, time - now));
}
