namespace Systolic.Workloads;

/// <summary>How a stack treats its keys and values.</summary>
internal enum CacheUse
{
    /// <summary>None is kept: training, and encoders.</summary>
    None,

    /// <summary>Those of the prompt are stored for later steps.</summary>
    Store,

    /// <summary>Those of earlier steps are read, the new ones appended.</summary>
    Read,
}

/// <summary>The tokens that a stack works on.</summary>
/// <param name="Batch">Sequences.</param>
/// <param name="New">Tokens of each sequence that pass through the layers.</param>
/// <param name="Keys">Tokens of each sequence that the new ones attend to, themselves included.</param>
/// <param name="Source">Tokens of each sequence in the encoder's output; 0 without one.</param>
/// <param name="Cache">How keys and values are kept.</param>
internal readonly record struct TokenSpan(long Batch, long New, long Keys, long Source, CacheUse Cache)
{
    /// <summary>New tokens over all sequences.</summary>
    public long Rows => checked(Batch * New);

    /// <summary>Tokens of the encoder's output over all sequences.</summary>
    public long SourceRows => checked(Batch * Source);
}
