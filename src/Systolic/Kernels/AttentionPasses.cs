using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Cuts attention into programs of bounded length: equal ones of several heads, or the pieces of one head where that is too long.</summary>
internal static class AttentionPasses
{
    /// <summary>Tile pairs (128 queries by 512 keys) of one program; each is some twenty instructions.</summary>
    private const long MaximumTiles = 1L << 15;

    /// <summary>Lowers all heads of all sequences.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="plan">How one head is cut into tiles.</param>
    /// <param name="pieces">Parts of a head that a program may cover: groups of query tiles, or blocks of keys.</param>
    /// <param name="mapping">The mapping in one line.</param>
    /// <param name="write">Writes a program of some heads, restricted to a range of their parts.</param>
    public static Lowering Lower(Attention op, AttentionPlan plan, int pieces, string mapping, Func<Attention, Range, Program> write)
    {
        long heads = checked(op.Batch * op.KvHeads);
        long tiles = checked((long)plan.QueryTiles * plan.KeyTiles);
        return new Lowering(tiles > MaximumTiles ? Pieces() : Heads(), mapping);

        IEnumerable<LoweredPass> Heads()
        {
            long perProgram = Math.Clamp(MaximumTiles / tiles, 1, heads);
            yield return new LoweredPass(write(Some(perProgram), ..pieces), heads / perProgram);
            if (heads % perProgram > 0)
            {
                yield return new LoweredPass(write(Some(heads % perProgram), ..pieces), 1);
            }
        }

        IEnumerable<LoweredPass> Pieces()
        {
            int perProgram = (int)Math.Max(1, pieces * MaximumTiles / tiles);
            for (int first = 0; first < pieces; first += perProgram)
            {
                yield return new LoweredPass(write(Some(1), first..Math.Min(pieces, first + perProgram)), heads);
            }
        }

        Attention Some(long count) => count == heads ? op : op with { Batch = 1, KvHeads = count, QueryHeads = count * plan.GroupHeads };
    }
}
