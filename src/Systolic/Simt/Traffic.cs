using System.Collections.Immutable;
using Systolic.Workloads;

namespace Systolic.Simt;

/// <summary>Bytes an operator reads and writes, each tensor once.</summary>
internal readonly record struct Traffic(long Read, long Written)
{
    /// <summary>Both directions.</summary>
    public long Total => checked(Read + Written);

    /// <summary>All tensors.</summary>
    public static Traffic Of(Operator op) => new(Sum(op.Reads, stateful: false), Sum(op.Writes, stateful: false));

    /// <summary>Weights, key/value caches and optimizer state: what no cache keeps between uses.</summary>
    public static Traffic StatefulOf(Operator op) => new(Sum(op.Reads, stateful: true), Sum(op.Writes, stateful: true));

    private static long Sum(ImmutableArray<Tensor> tensors, bool stateful)
    {
        long bytes = 0;
        foreach (Tensor tensor in tensors)
        {
            if (!stateful || tensor.Operand.Role is TensorRole.Weight or TensorRole.KvCache or TensorRole.OptimizerState)
            {
                bytes = checked(bytes + tensor.Size.Value);
            }
        }

        return bytes;
    }
}
