namespace Systolic.Components;

/// <summary>A pattern that goes on in higher rows as before: every address comes again, higher by the same distance.</summary>
/// <param name="Bursts">After so many bursts.</param>
/// <param name="Bytes">The distance, a multiple of <see cref="DramMapping.RowStride"/>.</param>
/// <param name="Chunks">Chunks of the pattern in between.</param>
/// <param name="Highest">Where the highest of its streams starts.</param>
internal sealed record DramRepetition(long Bursts, long Bytes, long Chunks, long Highest)
{
    /// <summary>So many bursts stay within the memory.</summary>
    public bool Fits(long bursts, DramDevice device) =>
        (bursts / Bursts + 2) * Bytes + Highest <= device.Mapping.Bursts * device.Standard.Organization.BurstBytes;
}
