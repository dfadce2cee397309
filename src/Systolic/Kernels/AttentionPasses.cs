using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Cuts attention over many heads into equal programs of bounded length.</summary>
internal static class AttentionPasses
{
    /// <summary>Tile pairs (128 queries by 512 keys) of one program; each is some twenty instructions.</summary>
    private const long MaximumTiles = 1L << 15;

    /// <summary>Lowers the heads of all sequences as equal programs, and a last one for the rest.</summary>
    public static Lowering Lower(Attention op, Accelerator machine, Func<Attention, Program> write, Func<Attention, string> describe)
    {
        var plan = new AttentionPlan(op, machine);
        long heads = checked(op.Batch * op.KvHeads);
        long tiles = checked((long)plan.QueryTiles * plan.KeyTiles);
        if (tiles > MaximumTiles * 64)
        {
            throw new CapacityException(FormattableString.Invariant(
                $"{op.Name}: {op.Describe()} has {tiles} tiles of 128 queries by 512 keys per key/value head, and one program takes at most {MaximumTiles * 64}. Split the sequence."));
        }

        long perProgram = Math.Clamp(MaximumTiles / tiles, 1, heads);
        var passes = ImmutableArray.CreateBuilder<LoweredPass>();
        foreach ((long size, long repeat) in new[] { (perProgram, heads / perProgram), (heads % perProgram, 1L) })
        {
            if (size > 0 && repeat > 0)
            {
                passes.Add(new LoweredPass(write(op with { Batch = 1, KvHeads = size, QueryHeads = size * plan.GroupHeads }), repeat));
            }
        }

        return new Lowering(passes.ToImmutable(), describe(op with { Batch = 1, KvHeads = 1, QueryHeads = plan.GroupHeads }));
    }
}
