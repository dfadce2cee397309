namespace Systolic.Kernels;

/// <summary>
/// Where the parts of a linked program lie in a memory: each where what lay there before was used longest ago, so that what operators to come need is loaded
/// while others compute. Addresses in bytes per partition.
/// </summary>
internal sealed class PartPlaces
{
    private readonly List<Extent> _placed = [];

    /// <summary>Places the next part in the memory below <paramref name="limit"/>.</summary>
    /// <param name="bytes">What it holds.</param>
    /// <param name="limit">At least <paramref name="bytes"/>.</param>
    /// <returns>Its lowest address, and whether its first buffers lie highest: they are loaded first and should lie where a part that is met ends.</returns>
    public (long Start, bool Mirrored) Next(long bytes, long limit)
    {
        long last = limit - bytes;
        Meeting best = Meet(0, bytes);
        foreach (long start in _placed.SelectMany(part => new[] { part.End, part.Start - bytes }).Append(last))
        {
            if (start >= 0 && start <= last && Meet(start, bytes) is var meeting && meeting.CompareTo(best) < 0)
            {
                best = meeting;
            }
        }

        _placed.Add(new Extent(best.Start, best.Start + bytes));
        return (best.Start, best.Part >= 0 && best.Start > _placed[best.Part].Start);
    }

    /// <summary>The newest part that lies where one of <paramref name="bytes"/> from <paramref name="start"/> on would.</summary>
    private Meeting Meet(long start, long bytes)
    {
        int part = _placed.FindLastIndex(other => other.Shared(start, start + bytes) > 0);
        return new Meeting(part, part < 0 ? 0 : _placed[part].Shared(start, start + bytes), start);
    }

    private readonly record struct Extent(long Start, long End)
    {
        public long Shared(long start, long end) => Math.Min(End, end) - Math.Max(Start, start);
    }

    /// <summary>The older the part, and the less is shared with it, the better; then the lower.</summary>
    private readonly record struct Meeting(int Part, long Shared, long Start) : IComparable<Meeting>
    {
        public int CompareTo(Meeting other) => (Part, Shared, Start).CompareTo((other.Part, other.Shared, other.Start));
    }
}
