using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>Which activations a training step computes again in its backward pass instead of keeping them (activation checkpointing, Chen et al. 2016, arXiv 1604.06174).</summary>
public enum Recomputation
{
    /// <summary>None.</summary>
    None,

    /// <summary>The results of attention, without its projections (selective: Korthikanti et al., arXiv 2205.05198).</summary>
    Attention,

    /// <summary>All of a layer but its input.</summary>
    Layers,
}

/// <summary>Low-rank adapters: beside a frozen matrix W, a trained product A B of small rank (LoRA, Hu et al. 2021, arXiv 2106.09685).</summary>
/// <param name="Rank">Columns of A and rows of B.</param>
/// <param name="Targets">Products that have adapters, by the last part of their names, such as "q_proj".</param>
public sealed record LowRankAdapters(long Rank, ImmutableArray<string> Targets);

/// <summary>How a training step is carried out.</summary>
public sealed record TrainingOptions
{
    /// <summary>Everything is kept, in one batch, and every parameter is trained.</summary>
    public static TrainingOptions Default { get; } = new();

    /// <summary>What is computed again.</summary>
    public Recomputation Recompute { get; init; }

    /// <summary>Equal parts of the batch that run one after the other; their gradients are added up before the optimizer's step.</summary>
    public long MicroBatches { get; init; } = 1;

    /// <summary>The step continues a trained model; decides the name of the phase alone.</summary>
    public bool FineTune { get; init; }

    /// <summary>Adapters, which are then all that is trained; null to train the model's own parameters.</summary>
    public LowRankAdapters? Adapters { get; init; }

    /// <summary>The part of a phase's description.</summary>
    internal string Describe() => (Recompute == Recomputation.None ? "" : Recompute == Recomputation.Layers ? ", recompute" : ", recompute attention")
        + (MicroBatches == 1 ? "" : FormattableString.Invariant($", {MicroBatches} micro-batches"))
        + (Adapters is { } adapters ? FormattableString.Invariant($", LoRA rank {adapters.Rank} on {string.Join(", ", adapters.Targets)}") : "");
}
