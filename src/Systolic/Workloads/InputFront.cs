namespace Systolic.Workloads;

/// <summary>The products that turn a picture or a sound into the vectors that a stack reads.</summary>
/// <param name="Features">Features of one input row: of a patch, or of the frames under a convolution.</param>
/// <param name="Positions">Vectors that the stack reads, each with a learned position.</param>
public sealed record InputFront(long Features, long Positions)
{
    /// <summary>A vector that belongs to no patch stands before the others (ViT).</summary>
    public bool ClassVector { get; init; }

    /// <summary>The first product has a bias.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>A second convolution, three rows wide, joins each two rows (Whisper, arXiv 2212.04356).</summary>
    public bool Halves { get; init; }

    /// <summary>Positions and class vector are those of the front; a stack of <paramref name="hidden"/> features.</summary>
    internal long Parameters(long hidden) => checked((hidden * (Features + Positions + (Bias ? 1 : 0) + (ClassVector ? 1 : 0))) + (Halves ? hidden * ((3 * hidden) + 1) : 0));

    /// <summary>Rows of the first product for so many vectors.</summary>
    internal long RowsFor(long vectors) => Halves ? checked(2 * vectors) : vectors - (ClassVector ? 1 : 0);
}
