using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>How a workload is divided over chips.</summary>
/// <remarks>
/// Chips are numbered tensor ranks first, then replicas, then pipeline stages, so that tensor ranks are nearest to each other. The cores of a chip divide its part by tensor
/// parallelism in turn. Experts are dealt within the replicas: <see cref="Expert"/> of them hold each expert once.
/// </remarks>
public sealed record ParallelPlan
{
    /// <summary>One chip.</summary>
    public static ParallelPlan OneChip { get; } = new();

    /// <summary>Passes of micro-batches through stages whose schedule is computed.</summary>
    private const long MostPasses = 1 << 22;

    /// <summary>Chips that divide every operator (Shoeybi et al., arXiv 1909.08053).</summary>
    public int Tensor { get; init; } = 1;

    /// <summary>Stages that divide the layers; micro-batches follow one another through them, in training one forward, one backward (Narayanan et al., arXiv 2104.04473).</summary>
    public int Pipeline { get; init; } = 1;

    /// <summary>Replicas that divide the batch.</summary>
    public int Data { get; init; } = 1;

    /// <summary>Replicas that divide the experts among them and exchange tokens (Lepikhin et al., arXiv 2006.16668); divides <see cref="Data"/>.</summary>
    public int Expert { get; init; } = 1;

    /// <summary>Micro-batches of each replica in a step.</summary>
    public int MicroBatches { get; init; } = 1;

    /// <summary>Replicas divide the optimizer's state and step: gradients are reduced and scattered, parameters gathered (ZeRO stage 1, Rajbhandari et al., arXiv 1910.02054).</summary>
    public bool ShardOptimizer { get; init; }

    /// <summary>Chips in all.</summary>
    public long Chips => (long)Tensor * Pipeline * Data;

    /// <summary>Micro-batches of all replicas in a step.</summary>
    public long AllMicroBatches => (long)Data * MicroBatches;

    /// <summary>What makes the plan impossible for a workload, each with a remedy; empty when it is possible.</summary>
    public ImmutableArray<string> Problems(OperatorGraph microBatch)
    {
        ArgumentNullException.ThrowIfNull(microBatch);
        Operator[] operators = [.. microBatch.Sections.SelectMany(section => section.Operators)];
        long heads = operators.OfType<Attention>().Select(attention => attention.QueryHeads).DefaultIfEmpty(long.MaxValue).Min();
        long experts = operators.OfType<MatMul>().Select(product => product.Batch).DefaultIfEmpty(1).Max();
        var problems = ImmutableArray.CreateBuilder<string>();
        Require(Tensor >= 1 && Pipeline >= 1 && Data >= 1 && Expert >= 1 && MicroBatches >= 1, $"found {this}, expected degrees of at least 1");
        Require(Chips <= int.MaxValue, $"found {Chips} chips, expected at most {int.MaxValue}");
        Require((long)Pipeline * MicroBatches <= MostPasses, $"found {MicroBatches} micro-batches through {Pipeline} stages, expected at most {MostPasses} passes; use fewer, larger micro-batches");
        Require(Tensor <= heads, $"found tensor parallelism of {Tensor} chips, expected at most {heads}, one per attention head; use more pipeline stages or replicas");
        Require(Pipeline <= Math.Max(1, Layers(microBatch)), $"found {Pipeline} pipeline stages, expected at most {Math.Max(1, Layers(microBatch))}, one per layer; use more tensor ranks or replicas");
        Require(Expert >= 1 && Data % Math.Max(1, Expert) == 0, $"found expert parallelism of {Expert} among {Data} replicas, expected a divisor; make the replicas a multiple of it");
        Require(Expert <= 1 || experts % Expert == 0, $"found expert parallelism of {Expert} for {experts} experts, expected a divisor; a dense model takes 1");
        return problems.ToImmutable();

        void Require(bool holds, FormattableString problem)
        {
            if (!holds)
            {
                problems.Add(FormattableString.Invariant(problem));
            }
        }
    }

    /// <summary>The plan in a line.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"tensor {Tensor} x pipeline {Pipeline} x data {Data}{(Expert > 1 ? $" (expert {Expert})" : "")}, {MicroBatches} micro-batches{(ShardOptimizer ? ", sharded optimizer" : "")}");

    /// <summary>Layers that a pass goes through; sections that run once are no layers.</summary>
    internal static long Layers(OperatorGraph graph) => graph.Sections.Where(section => section.Pass == ModelPass.Forward && section.Repeat > 1).Sum(section => section.Repeat);
}
