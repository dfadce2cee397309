namespace Systolic.Kernels;

/// <summary>Writes the stages of equal tiles in an order that keeps in-order engines busy.</summary>
internal static class TilePipeline
{
    /// <summary>Buffers that hide loads and stores behind the work of a tile, and the least that three skewed stages need.</summary>
    public const int Copies = 3;

    /// <summary>Buffers of three skewed stages with a load and a store beside them; more would wait.</summary>
    public const int SkewedCopies = Copies + 2;

    /// <summary>Writes every stage of every tile.</summary>
    /// <param name="tiles">Tiles.</param>
    /// <param name="copies">Copies of each buffer that a stage hands to the next.</param>
    /// <param name="stages">What to write for a tile, in order.</param>
    /// <remarks>
    /// With a copy per stage the stages are skewed, as the vendor's list scheduling does: each round writes the last stage of the
    /// oldest tile first and the first stage of the newest tile last, so no engine waits for a result that another engine just began.
    /// With fewer copies a skewed stage would read a buffer that a newer tile has taken, so tiles are written one after the other.
    /// </remarks>
    public static void Write(long tiles, int copies, params ReadOnlySpan<Action<long>> stages)
    {
        int skew = copies >= stages.Length ? 1 : 0;
        for (long round = 0; round < tiles + (skew * (stages.Length - 1L)); round++)
        {
            for (int i = 0; i < stages.Length; i++)
            {
                int stage = skew == 1 ? stages.Length - 1 - i : i;
                long tile = round - (skew * stage);
                if (tile >= 0 && tile < tiles)
                {
                    stages[stage](tile);
                }
            }
        }
    }
}
