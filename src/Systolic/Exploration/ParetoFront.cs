using System.Collections.Immutable;

namespace Systolic.Exploration;

/// <summary>The rows of a sweep than which no other feasible one is better in an objective and as good in all others.</summary>
public sealed class ParetoFront
{
    private ParetoFront(ImmutableArray<SweepRow> rows) => Rows = rows;

    /// <summary>The rows, by the first objective from its best value on.</summary>
    public ImmutableArray<SweepRow> Rows { get; }

    /// <summary>The front of some rows. Equal ones are all on it.</summary>
    public static ParetoFront Of(IEnumerable<SweepRow> rows)
    {
        var front = new List<SweepRow>();
        // In this order nothing that comes later dominates what came before.
        foreach (SweepRow row in rows.Where(row => row.IsFeasible).Order(Comparer<SweepRow>.Create(Compare)))
        {
            if (!front.Exists(other => Dominates(other.Objectives, row.Objectives)))
            {
                front.Add(row);
            }
        }

        return new([.. front]);
    }

    /// <summary>The share of the box between the best and the worst value of each objective over some rows that the front dominates: 1 for a point that is best in all.</summary>
    /// <param name="scale">The feasible rows of a larger search, to which fronts are compared.</param>
    public double Hypervolume(IEnumerable<SweepRow> scale)
    {
        double[][] all = [.. scale.Where(row => row.IsFeasible).Select(row => row.Objectives)];
        if (all.Length == 0)
        {
            return 0;
        }

        int count = all[0].Length;
        double[] best = [.. Enumerable.Range(0, count).Select(i => all.Min(values => values[i]))], worst = [.. Enumerable.Range(0, count).Select(i => all.Max(values => values[i]))];
        return Volume([.. Rows.Select(row => row.Objectives.Select((value, i) => worst[i] > best[i] ? Math.Clamp((value - best[i]) / (worst[i] - best[i]), 0, 1) : 0).ToArray())]);
    }

    /// <summary>As good in all and better in one; all are minimised.</summary>
    internal static bool Dominates(double[] one, double[] other)
    {
        bool better = false;
        for (int i = 0; i < one.Length; i++)
        {
            if (one[i] > other[i])
            {
                return false;
            }

            better |= one[i] < other[i];
        }

        return better;
    }

    /// <summary>The part of the unit cube that lies above at least one of the points, sliced along the last dimension.</summary>
    internal static double Volume(double[][] points)
    {
        if (points.Length == 0)
        {
            return 0;
        }

        int last = points[0].Length - 1;
        if (last == 0)
        {
            return 1 - points.Min(point => point[0]);
        }

        double[][] sorted = [.. points.OrderBy(point => point[last])];
        double volume = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            double height = (i + 1 < sorted.Length ? sorted[i + 1][last] : 1) - sorted[i][last];
            volume += height > 0 ? height * Volume([.. sorted[..(i + 1)].Select(point => point[..last])]) : 0;
        }

        return volume;
    }

    private static int Compare(SweepRow one, SweepRow other)
    {
        for (int i = 0; i < one.Objectives.Length; i++)
        {
            int order = one.Objectives[i].CompareTo(other.Objectives[i]);
            if (order != 0)
            {
                return order;
            }
        }

        return one.Point.Number.CompareTo(other.Point.Number);
    }
}
