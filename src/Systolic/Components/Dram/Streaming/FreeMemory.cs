using Systolic.Accounting;

namespace Systolic.Components;

/// <summary>Main memory that serves every request at once.</summary>
internal sealed class FreeMemory(DramSpec spec) : IMainMemory
{
    private long _read;
    private long _written;

    /// <inheritdoc/>
    public long Piece => spec.Interleave.Value;

    /// <inheritdoc/>
    public long Read(long address, int bytes, long time, bool placed)
    {
        _read += bytes;
        return time;
    }

    /// <inheritdoc/>
    public long Write(long address, int bytes, long time, bool placed)
    {
        _written += bytes;
        return time;
    }

    /// <inheritdoc/>
    public long Finish(long time) => time;

    /// <inheritdoc/>
    public void Count(ActivityCounts counts, long end)
    {
        counts.Add(ActivityKind.DramReadByte, _read);
        counts.Add(ActivityKind.DramWriteByte, _written);
    }
}
