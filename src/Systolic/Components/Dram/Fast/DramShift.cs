namespace Systolic.Components;

/// <summary>From a state to an equal one later in the stream: everything it holds moves by these.</summary>
/// <param name="Ticks">Later.</param>
/// <param name="Bytes">Higher in address.</param>
/// <param name="Rows">Higher in row.</param>
/// <param name="Requests">Further in the stream.</param>
internal readonly record struct DramShift(long Ticks, long Bytes, int Rows, long Requests)
{
    /// <summary>A time after it; what never happens still does not.</summary>
    public long Of(long time) => time == long.MaxValue ? time : time + Ticks;

    /// <summary>A row after it; none, which is below 0, stays none.</summary>
    public int OfRow(int row) => row < 0 ? row : row + Rows;

    /// <summary>Times after it.</summary>
    public void Apply(long[] times)
    {
        for (int i = 0; i < times.Length; i++)
        {
            times[i] = Of(times[i]);
        }
    }
}
