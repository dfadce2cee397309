namespace Systolic.Components;

/// <summary>The requests of a stream, decoded one at a time: of the whole stream, or the recorded part of one channel.</summary>
internal sealed class RequestSource
{
    private const long WriteBit = 1;

    private readonly DramMapping _mapping;
    private readonly DramPattern.Walk? _walk;
    private readonly List<long>? _recorded;
    private long _index = -1;

    /// <summary>A whole stream.</summary>
    public RequestSource(DramDevice device, DramPattern pattern, long count)
    {
        (_mapping, Count) = (device.Mapping, count);
        _walk = pattern.Start(device.Standard.Organization.BurstBytes);
        Repetition = device.Mapping.RowsOnTop && pattern.Repetition?.Fits(count, device) == true ? pattern.Repetition : null;
    }

    private RequestSource(DramMapping mapping, List<long> recorded) => (_mapping, _recorded, Count) = (mapping, recorded, recorded.Count);

    /// <summary>Requests in all.</summary>
    public long Count { get; }

    /// <summary>How a whole stream repeats in higher rows; null where it does not.</summary>
    public DramRepetition? Repetition { get; }

    /// <summary>From an address to the next row of the same bank.</summary>
    public long RowStride => _mapping.RowStride;

    /// <summary>The place of the present one.</summary>
    public long Index => _index;

    /// <summary>Its address.</summary>
    public long Address { get; private set; }

    /// <summary>It is written.</summary>
    public bool IsWrite { get; private set; }

    /// <summary>Its channel.</summary>
    public int Channel { get; private set; }

    /// <summary>Its bank.</summary>
    public int Bank { get; private set; }

    /// <summary>Its row.</summary>
    public int Row { get; private set; }

    /// <summary>Goes to the next; false at the end.</summary>
    public bool MoveNext()
    {
        if (++_index >= Count)
        {
            return false;
        }

        if (_walk is { } walk)
        {
            (Address, IsWrite) = (walk.Next(), walk.IsWrite);
        }
        else
        {
            long word = _recorded![(int)_index];
            (Address, IsWrite) = (word & ~WriteBit, (word & WriteBit) != 0);
        }

        ulong packed = _mapping.Pack(Address);
        (Channel, Bank, Row) = (_mapping.Channel(packed), _mapping.Bank(packed), _mapping.Row(packed));
        return true;
    }

    /// <summary>Goes on so many repetitions later; the present request is of the same place there.</summary>
    public void Skip(long times)
    {
        DramRepetition repetition = Repetition!;
        _walk!.Skip(repetition, times);
        _index += repetition.Bursts * times;
        Address += repetition.Bytes * times;
        Row = _mapping.Row(_mapping.Pack(Address));
    }

    /// <summary>The rest of the stream, split by channel.</summary>
    public RequestSource[] Split(int channels)
    {
        List<long>[] parts = [.. Enumerable.Range(0, channels).Select(_ => new List<long>())];
        while (MoveNext())
        {
            parts[Channel].Add(Address | (IsWrite ? WriteBit : 0));
        }

        return [.. parts.Select(part => new RequestSource(_mapping, part))];
    }
}
