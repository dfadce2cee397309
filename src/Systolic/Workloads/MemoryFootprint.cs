using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>What a workload holds in main memory at once, by part.</summary>
/// <param name="Weights">Parameters, those that a run does not use among them.</param>
/// <param name="KvCache">Keys and values of all layers.</param>
/// <param name="Activations">Those kept for the backward pass, and the most that one section has beside them.</param>
/// <param name="Gradients">Of trained parameters.</param>
/// <param name="OptimizerState">Master weights and moments.</param>
public sealed record MemoryFootprint(Bytes Weights, Bytes KvCache, Bytes Activations, Bytes Gradients, Bytes OptimizerState)
{
    /// <summary>All parts.</summary>
    public Bytes Total => Parts.Aggregate(Bytes.Zero, (sum, part) => sum + part.Size);

    /// <summary>The parts with their names.</summary>
    public ImmutableArray<(string Name, Bytes Size)> Parts =>
        [("weights", Weights), ("kv cache", KvCache), ("activations", Activations), ("gradients", Gradients), ("optimizer state", OptimizerState)];

    /// <summary>What as many equal machines hold.</summary>
    internal MemoryFootprint Times(long machines) => new(Weights * machines, KvCache * machines, Activations * machines, Gradients * machines, OptimizerState * machines);

    /// <summary>Counts the tensors of a graph.</summary>
    /// <remarks>
    /// Caches are those that an operator reads or writes. Gradients and optimizer state are what the optimizer reads. An activation of a section that its backward section reads is kept, in every
    /// repeat if the section writes it. Any other lives from the operator that writes it to the last that reads it in its section, or to the section's end; the largest sum counts.
    /// Row statistics, workspace and fragmentation are left out.
    /// </remarks>
    /// <exception cref="OverflowException">The sizes exceed 64 bits.</exception>
    internal static MemoryFootprint Of(OperatorGraph graph)
    {
        long cache = 0, gradients = 0, state = 0, kept = 0, live = 0;
        var keptNames = new HashSet<string>(StringComparer.Ordinal);
        foreach (GraphSection section in graph.Sections)
        {
            long repeat = Math.Max(1, section.Repeat / graph.MicroBatches);
            cache = checked(cache + (repeat * Largest(section, TensorRole.KvCache)));
            foreach (AdamW step in section.Operators.OfType<AdamW>())
            {
                gradients = checked(gradients + (section.Repeat * step.Reads[0].Size.Value));
                state = checked(state + (section.Repeat * step.Reads.Skip(1).Sum(tensor => tensor.Size.Value)));
            }

            var written = section.Operators.SelectMany(op => op.Writes).Select(tensor => tensor.Operand.Name).ToHashSet(StringComparer.Ordinal);
            foreach (Tensor tensor in Kept(graph, section).Where(tensor => keptNames.Add(tensor.Operand.Name)))
            {
                kept = checked(kept + (tensor.Size.Value * (written.Contains(tensor.Operand.Name) ? repeat : 1)));
            }
        }

        foreach (GraphSection section in graph.Sections)
        {
            live = Math.Max(live, Live(section, keptNames));
        }

        return new(graph.Weights, new(cache), new(checked(kept + live)), new(gradients), new(state));
    }

    /// <summary>Activations of a section, or handed to it, that its backward section reads.</summary>
    private static IEnumerable<Tensor> Kept(OperatorGraph graph, GraphSection section)
    {
        if (graph.Sections.FirstOrDefault(other => other.Name == section.Name + " backward") is not { } backward)
        {
            return [];
        }

        var known = section.Operators.SelectMany(op => op.Writes.Concat(op.Reads)).Select(tensor => tensor.Operand.Name).ToHashSet(StringComparer.Ordinal);
        return backward.Inputs.Where(tensor => known.Contains(tensor.Operand.Name));
    }

    private static long Largest(GraphSection section, TensorRole role) => section.Operators.SelectMany(op => op.Reads.Concat(op.Writes)).Where(tensor => tensor.Operand.Role == role)
        .GroupBy(tensor => tensor.Operand.Name).Sum(same => same.Max(tensor => tensor.Size.Value));

    private static long Live(GraphSection section, HashSet<string> kept)
    {
        var last = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < section.Operators.Length; i++)
        {
            foreach (Tensor tensor in section.Operators[i].Reads)
            {
                last[tensor.Operand.Name] = i;
            }
        }

        var alive = new Dictionary<string, long>(StringComparer.Ordinal);
        Begin(section.Inputs);
        long now = alive.Values.Sum(), most = now;
        for (int i = 0; i < section.Operators.Length; i++)
        {
            now = checked(now + Begin(section.Operators[i].Writes));
            most = Math.Max(most, now);
            foreach (Tensor tensor in section.Operators[i].Reads)
            {
                if (last[tensor.Operand.Name] == i && alive.Remove(tensor.Operand.Name, out long size))
                {
                    now -= size;
                }
            }
        }

        return most;

        long Begin(ImmutableArray<Tensor> tensors)
        {
            long begun = 0;
            foreach (Tensor tensor in tensors.Where(tensor => tensor.Operand.Role == TensorRole.Activation && !kept.Contains(tensor.Operand.Name)))
            {
                begun = alive.TryAdd(tensor.Operand.Name, tensor.Size.Value) ? checked(begun + tensor.Size.Value) : begun;
            }

            return begun;
        }
    }
}
