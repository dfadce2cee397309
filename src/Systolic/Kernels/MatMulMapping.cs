using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>How a matrix product is cut: blocks of M, N and K that lie in SBUF, and whether the left operand stays for all of K.</summary>
/// <param name="BlockM">Output rows of a block.</param>
/// <param name="BlockN">Output columns of a block.</param>
/// <param name="BlockK">Contraction of a block.</param>
/// <param name="LeftResident">The left block covers all of K and stays while the blocks of N pass.</param>
/// <param name="Buffers">Blocks of an operand that SBUF holds at once, so that loads run ahead.</param>
public sealed record MatMulMapping(long BlockM, long BlockN, long BlockK, bool LeftResident, int Buffers)
{
    /// <summary>One line, such as "blocks 2048x1024x512 (MxKxN), 2 buffers, left resident".</summary>
    public override string ToString() => FormattableString.Invariant($"blocks {BlockM}x{BlockK}x{BlockN} (MxKxN), {Buffers} buffers{(LeftResident ? ", left resident" : "")}");

    /// <summary>Of a bounded list of candidates, those whose estimated time is within this share of the shortest are equally good; the one with the least traffic is taken.</summary>
    internal const double EquallyFast = 0.02;

    /// <summary>The best of a bounded list of candidates by estimated time and, among the fastest, by traffic, which leaves room for what an estimate does not see.</summary>
    /// <exception cref="CapacityException">No candidate fits SBUF.</exception>
    public static MatMulMapping Choose(MatMul op, Accelerator machine)
    {
        ArgumentNullException.ThrowIfNull(op);
        ArgumentNullException.ThrowIfNull(machine);
        return Shortlist(op, machine, 1, 1)[0];
    }

    /// <summary>The choice of <see cref="Choose"/>, and behind it the next best candidates of other blocks by estimated time, of equal ones those with less traffic.</summary>
    /// <param name="op">The product.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="factor">Of the shortest estimated time, how long that of another may be.</param>
    /// <exception cref="CapacityException">No candidate fits SBUF.</exception>
    internal static ImmutableArray<MatMulMapping> Shortlist(MatMul op, Accelerator machine, int most, double factor)
    {
        List<Candidate> fitting = [];
        double least = double.PositiveInfinity;
        foreach (MatMulMapping candidate in Candidates(op, machine))
        {
            var plan = new MatMulPlan(op, candidate, machine);
            if (plan.BytesPerPartition <= machine.Sbuf.PartitionSize.Value)
            {
                fitting.Add(new Candidate(fitting.Count, candidate, plan.EstimatedSeconds, plan.Bytes));
                least = Math.Min(least, fitting[^1].Seconds);
            }
        }

        if (fitting.Count == 0)
        {
            throw new CapacityException(FormattableString.Invariant(
                $"{op.Name}: {op.Describe()} {op.Type.Label()} has no blocking that fits SBUF of {machine.Name} ({machine.Sbuf.PartitionSize} per partition)."));
        }

        Candidate best = fitting.FindAll(candidate => candidate.Seconds <= least * (1 + EquallyFast)).Aggregate((one, other) => ByBytes(other, one) < 0 ? other : one);
        fitting.Sort(BySeconds);
        var list = new List<MatMulMapping> { best.Mapping };
        for (int i = 0; i < fitting.Count && list.Count < most && fitting[i].Seconds <= least * factor; i++)
        {
            MatMulMapping next = fitting[i].Mapping;
            if (!list.Exists(mapping => mapping with { Buffers = next.Buffers } == next))
            {
                list.Add(next);
            }
        }

        return [.. list];
    }

    /// <summary>Of few rows, where memory sets the pace, with as many blocks as half of SBUF holds: loads run ahead while the operators before do other work, and those of the next one while this one ends.</summary>
    internal MatMulMapping RunningAhead(MatMul op, Accelerator machine)
    {
        var plan = new MatMulPlan(op, this, machine);
        if (!MatMulPlan.IsStream(op, machine) || !plan.IsMemoryBound)
        {
            return this;
        }

        long held = plan.BytesPerPartition, more = new MatMulPlan(op, this with { Buffers = Buffers + 1 }, machine).BytesPerPartition - held;
        long blocks = plan.BlocksM * plan.BlocksN * plan.BlocksK * op.Batch, fits = more > 0 ? ((machine.Sbuf.PartitionSize.Value / 2) - held) / more : 0;
        return this with { Buffers = (int)Math.Max(Buffers, Math.Min(Math.Min(Buffers + fits, blocks), MostBuffers)) };
    }

    /// <summary>A mapping that fits, in the order of the list.</summary>
    private sealed record Candidate(int Index, MatMulMapping Mapping, double Seconds, double Bytes);

    private static int ByBytes(Candidate one, Candidate other) =>
        one.Bytes != other.Bytes ? one.Bytes.CompareTo(other.Bytes) : one.Seconds != other.Seconds ? one.Seconds.CompareTo(other.Seconds) : one.Index - other.Index;

    private static int BySeconds(Candidate one, Candidate other) =>
        one.Seconds != other.Seconds ? one.Seconds.CompareTo(other.Seconds) : one.Bytes != other.Bytes ? one.Bytes.CompareTo(other.Bytes) : one.Index - other.Index;

    /// <summary>Blocks that SBUF holds at most.</summary>
    public const int MostBuffers = 256;

    private static readonly int[] BufferCounts = [2, 3, 4];

    private static IEnumerable<MatMulMapping> Candidates(MatMul op, Accelerator machine)
    {
        int rows = machine.TensorEngine.ContractionRows(op.Type);
        foreach (long blockM in Sizes(op.M, machine.TensorEngine.Columns, 6))
        {
            foreach (long blockN in Sizes(op.N, machine.TensorEngine.MaximumMoving, 4))
            {
                foreach (long blockK in Sizes(op.K, rows, 6).Append(op.K).Distinct())
                {
                    foreach (int buffers in BufferCounts)
                    {
                        yield return new MatMulMapping(blockM, blockN, blockK, true, buffers);
                        if (blockK < op.K)
                        {
                            yield return new MatMulMapping(blockM, blockN, blockK, false, buffers);
                        }
                    }
                }
            }
        }
    }

    private static IEnumerable<long> Sizes(long extent, long unit, int steps)
    {
        for (int i = 0; i < steps; i++, unit *= 2)
        {
            yield return Math.Min(unit, extent);
            if (unit >= extent)
            {
                yield break;
            }
        }
    }
}
