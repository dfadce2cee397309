namespace Systolic.Components;

/// <summary>What a memory does next, as numbers relative to a tick, an address and a row: two moments of equal numbers have equal futures.</summary>
/// <remarks>More numbers than needed can only hide that two moments are alike.</remarks>
internal sealed class DramState(long tick, long address, long row) : IEquatable<DramState>
{
    private const long Never = long.MaxValue;

    private long[] _words = new long[512];
    private int _count;
    private HashCode _hash;

    /// <summary>The tick that is executed next.</summary>
    public long Tick { get; } = tick;

    /// <summary>How many numbers.</summary>
    public int Count => _count;

    /// <summary>A number that has no place in time or space.</summary>
    public void Add(long word)
    {
        if (_count == _words.Length)
        {
            Array.Resize(ref _words, _count * 2);
        }

        _words[_count++] = word;
        _hash.Add(word);
    }

    /// <summary>A set of banks.</summary>
    public void AddBanks(ulong banks) => Add(unchecked((long)banks));

    /// <summary>A time of which only counts how far it is ahead; one that has passed is like any other.</summary>
    public void AddReady(long time) => Add(time == Never ? -1 : Math.Max(0, time - Tick));

    /// <summary>A time, passed or not.</summary>
    public void AddTime(long time)
    {
        Add(time == Never ? 1 : 0);
        Add(time == Never ? 0 : time - Tick);
    }

    /// <summary>An address.</summary>
    public void AddAddress(long place) => Add(place - address);

    /// <summary>A row; below 0 none.</summary>
    public void AddRow(int place)
    {
        Add(place < 0 ? place : 0);
        Add(place < 0 ? 0 : place - row);
    }

    /// <inheritdoc/>
    public bool Equals(DramState? other) => other is not null && _words.AsSpan(0, _count).SequenceEqual(other._words.AsSpan(0, other._count));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DramState);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash.ToHashCode();
}
