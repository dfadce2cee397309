using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>How far each stream is: of every stream, completions.</summary>
internal sealed class Reached
{
    private readonly int[] _counts = new int[Streams.Count];

    /// <summary>Completions of a stream.</summary>
    public int this[int stream] => _counts[stream];

    /// <summary>No stream has come anywhere.</summary>
    public bool IsNothing => !_counts.AsSpan().ContainsAnyExcept(0);

    /// <summary>As far as <paramref name="counts"/>, in the order of streams.</summary>
    public static Reached At(ReadOnlySpan<int> counts)
    {
        var reached = new Reached();
        counts.CopyTo(reached._counts);
        return reached;
    }

    /// <summary>A stream comes to <paramref name="count"/>; true when it is the stream's first.</summary>
    public bool Count(StreamId stream, int count)
    {
        bool first = _counts[(int)stream] == 0;
        _counts[(int)stream] = count;
        return first;
    }

    /// <summary>At least as far as <paramref name="other"/>.</summary>
    public void Include(Reached other)
    {
        for (int s = 0; s < _counts.Length; s++)
        {
            _counts[s] = Math.Max(_counts[s], other._counts[s]);
        }
    }
}
