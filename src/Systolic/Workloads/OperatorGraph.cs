using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>A workload: sections of operators in execution order, with shapes and data types. It knows no hardware.</summary>
/// <param name="Name">The model's name, such as "llama-3-8b".</param>
/// <param name="Phase">What is run, such as "prefill 2048 tokens, batch 1".</param>
/// <param name="Sections">Sections in execution order.</param>
public sealed record OperatorGraph(string Name, string Phase, ImmutableArray<GraphSection> Sections)
{
    /// <summary>A graph of one operator.</summary>
    public static OperatorGraph Of(Operator op)
    {
        ArgumentNullException.ThrowIfNull(op);
        return new(op.Kind, op.Describe(), [new GraphSection(op.Kind, 1, [op])]);
    }

    /// <summary>Tokens that the run produces or consumes over all sequences; the divisor of energy and time per token.</summary>
    public long Tokens { get; init; } = 1;

    /// <summary>Parts of the batch that run one after the other: forward and backward sections repeat for each, over the same weights.</summary>
    public long MicroBatches { get; init; } = 1;

    /// <summary>Bytes of the parameters that a run of the model holds, used or not; of a single operator none.</summary>
    public Bytes Weights { get; init; }

    /// <summary>What the workload holds in main memory at once.</summary>
    /// <exception cref="OverflowException">The sizes exceed 64 bits.</exception>
    public MemoryFootprint Memory => MemoryFootprint.Of(this);

    /// <summary>Multiply-accumulates that the results need, over all repeats.</summary>
    public MacCount Macs => Sum(op => op.Macs.Value, value => new MacCount(value));

    /// <summary>Bytes that must cross main memory at least once whatever stays on chip: weights, caches, gradients and optimizer state.</summary>
    /// <remarks>A tensor used by several operators of a section counts once; weights are counted in every repeat, for each layer has its own.</remarks>
    public Bytes CompulsoryBytes
    {
        get
        {
            long total = 0;
            foreach (GraphSection section in Sections)
            {
                var read = new HashSet<string>(StringComparer.Ordinal);
                var written = new HashSet<string>(StringComparer.Ordinal);
                long once = 0;
                foreach (Operator op in section.Operators)
                {
                    once = checked(once + Stateful(op.Reads, read) + Stateful(op.Writes, written));
                }

                total = checked(total + once * section.Repeat);
            }

            return new Bytes(total);
        }
    }

    private static long Stateful(ImmutableArray<Tensor> tensors, HashSet<string> seen)
    {
        long bytes = 0;
        foreach (Tensor tensor in tensors)
        {
            if (tensor.Operand.Role is TensorRole.Weight or TensorRole.KvCache or TensorRole.WeightGradient or TensorRole.OptimizerState && seen.Add(tensor.Operand.Name))
            {
                bytes = checked(bytes + tensor.Size.Value);
            }
        }

        return bytes;
    }

    private TResult Sum<TResult>(Func<Operator, long> select, Func<long, TResult> wrap)
    {
        long total = 0;
        foreach (GraphSection section in Sections)
        {
            foreach (Operator op in section.Operators)
            {
                total = checked(total + select(op) * section.Repeat);
            }
        }

        return wrap(total);
    }
}
