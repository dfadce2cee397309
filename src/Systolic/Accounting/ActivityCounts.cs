namespace Systolic.Accounting;

/// <summary>How often each <see cref="ActivityKind"/> happened. Components add; everything else reads.</summary>
public sealed class ActivityCounts : IEquatable<ActivityCounts>
{
    private readonly long[] _counts = new long[ActivityKinds.Count];

    /// <summary>Occurrences of <paramref name="kind"/>.</summary>
    public long this[ActivityKind kind] => _counts[(int)kind];

    /// <summary>Adds <paramref name="count"/> occurrences, overflow-checked.</summary>
    public void Add(ActivityKind kind, long count) => _counts[(int)kind] = checked(_counts[(int)kind] + count);

    /// <summary>Adds all of <paramref name="other"/>, <paramref name="factor"/> times.</summary>
    public void Add(ActivityCounts other, long factor)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] = checked(_counts[i] + other._counts[i] * factor);
        }
    }

    /// <summary>Multiply-accumulates in matrix units, all types, padding included.</summary>
    public long Macs
    {
        get
        {
            long sum = 0;
            for (ActivityKind kind = ActivityKind.MacFp32; kind <= ActivityKind.MacPadding; kind++)
            {
                sum = checked(sum + this[kind]);
            }

            return sum;
        }
    }

    /// <summary>Bytes read from and written to main memory.</summary>
    public long DramBytes => checked(this[ActivityKind.DramReadByte] + this[ActivityKind.DramWriteByte]);

    /// <inheritdoc/>
    public bool Equals(ActivityCounts? other) => other is not null && _counts.AsSpan().SequenceEqual(other._counts);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ActivityCounts);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (long count in _counts)
        {
            hash.Add(count);
        }

        return hash.ToHashCode();
    }
}
