namespace Systolic.Exploration;

/// <summary>NSGA-II (Deb, Pratap, Agarwal and Meyarivan 2002) over the indices of parameter values.</summary>
/// <remarks>
/// Binary tournaments by constraint violation, rank and crowding; simulated binary crossover and polynomial mutation (Deb and Agrawal 1995) on indices, rounded; words, which have no
/// order, are crossed by choice and mutated by redrawing. A child that was run before is mutated again, so that every evaluation is a new point. The first generation is a Latin hypercube.
/// Of many children those are run that a <see cref="Surrogate"/> expects to extend the front (pre-selection, as in Jin 2011).
/// </remarks>
internal sealed record Nsga2Search(int Evaluations, int Population, int Seed) : SweepSearch
{
    /// <summary>Parents, where none are asked for.</summary>
    public const int UsualPopulation = 20;

    private const double CrossoverShare = 0.3;
    private const double CrossoverIndex = 2;
    private const double MutationIndex = 5;
    private const int FirstGenerations = 2;
    private const int GenerationShare = 3;
    private const int SmallestGeneration = 4;
    private const int Attempts = 50;

    // Children bred for each that is run.
    private const int Choice = 10;

    // Of a limit: constraints expected to be broken by less may hold.
    private const double Doubt = 0.1;

    public override string ToString() => FormattableString.Invariant($"NSGA-II, {Evaluations} evaluations, population {Population}, seed {Seed}");

    internal override long Count(DesignSpace space) => Math.Min(Evaluations, space.Size);

    internal override IEnumerable<IReadOnlyList<long>> Batches(DesignSpace space, IReadOnlyDictionary<long, SweepRow> rows)
    {
        var random = new Random(Seed);
        long left = Count(space);
        int first = (int)Math.Min((long)FirstGenerations * Population, left);
        List<long> generation = Fill(space, Hypercube(space, first, random), first, random);
        var seen = new HashSet<long>(generation);
        List<SweepRow> known = [], parents = [];
        while (generation.Count > 0)
        {
            yield return generation;
            left -= generation.Count;
            known.AddRange(generation.Select(point => rows[point]));
            Ranked[] survivors = [.. Rank([.. parents, .. known.TakeLast(generation.Count)]).Take(Population)];
            parents = [.. survivors.Select(one => one.Row)];
            int size = (int)Math.Min(Math.Max(SmallestGeneration, Population / GenerationShare), left);
            var children = new List<long>();
            while (children.Count < Math.Min((long)Choice * size, space.Size - known.Count))
            {
                children.Add(Child(space, survivors, seen, random));
                seen.Add(children[^1]);
            }

            generation = size > 0 && Surrogate.TryFit(space, known) is { } surrogate ? Promising(children, size, surrogate, known) : children[..size];
            seen.ExceptWith(children.Except(generation));
        }
    }

    /// <summary>The children that are expected to keep the constraints and to fill the widest gaps of the front, one after the other.</summary>
    private static List<long> Promising(List<long> children, int count, Surrogate surrogate, List<SweepRow> known)
    {
        List<Expected> left = [.. children.Select(surrogate.At)];
        List<double[]> front = [.. ParetoFront.Of(known).Rows.Select(surrogate.Of)];
        var chosen = new List<long>();
        while (chosen.Count < count)
        {
            double limit = Math.Max(Doubt, left.Min(child => child.Violation));
            List<Expected> keeping = left.FindAll(child => child.Violation <= limit);
            List<Expected> best = keeping.FindAll(child => !front.Exists(other => ParetoFront.Dominates(other, child.Objectives)));
            best = best.Count > 0 ? best : keeping;
            Expected next = best.FindAll(child => !best.Exists(other => ParetoFront.Dominates(other.Objectives, child.Objectives))).MaxBy(child => Crowding([.. front, child.Objectives])[^1])!;
            chosen.Add(next.Point);
            left.Remove(next);
            front.Add(next.Objectives);
        }

        return chosen;
    }

    private static long Child(DesignSpace space, Ranked[] parents, HashSet<long> seen, Random random)
    {
        int[] genes = Cross(space, Tournament(parents, random), Tournament(parents, random), random);
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            int[] mutated = [.. genes];
            Mutate(space, mutated, random);
            if (space.NumberOf(mutated) is var child && !seen.Contains(child))
            {
                return child;
            }
        }

        long drawn;
        do
        {
            drawn = Draw(space, random);
        }
        while (seen.Contains(drawn));

        return drawn;
    }

    /// <summary>The better of two, drawn at random.</summary>
    private static SweepRow Tournament(Ranked[] parents, Random random) => parents[Math.Min(random.Next(parents.Length), random.Next(parents.Length))].Row;

    private static int[] Cross(DesignSpace space, SweepRow mother, SweepRow father, Random random)
    {
        (int[] genes, int[] other) = (space.Indices(mother.Point.Number), space.Indices(father.Point.Number));
        bool crosses = random.NextDouble() < CrossoverShare;
        for (int i = 0; i < genes.Length && crosses; i++)
        {
            double spread = Spread(random.NextDouble(), CrossoverIndex);
            bool first = random.Next(2) == 0;
            genes[i] = space.Parameters[i].HasOrder
                ? Round(space, i, 0.5 * (((1 + (first ? spread : -spread)) * genes[i]) + ((1 - (first ? spread : -spread)) * other[i])))
                : first ? genes[i] : other[i];
        }

        return genes;
    }

    // The ratio of the children's distance to the parents'.
    private static double Spread(double uniform, double index) =>
        Math.Pow(uniform <= 0.5 ? 2 * uniform : 1 / (2 * (1 - uniform)), 1 / (index + 1));

    private static void Mutate(DesignSpace space, int[] genes, Random random)
    {
        for (int i = 0; i < genes.Length; i++)
        {
            int values = space.Parameters[i].Values.Length;
            if (values == 1 || random.NextDouble() >= 1.0 / genes.Length)
            {
                continue;
            }

            double uniform = random.NextDouble();
            double step = uniform < 0.5 ? Math.Pow(2 * uniform, 1 / (MutationIndex + 1)) - 1 : 1 - Math.Pow(2 * (1 - uniform), 1 / (MutationIndex + 1));
            int mutated = space.Parameters[i].HasOrder ? Round(space, i, genes[i] + (step * (values - 1))) : random.Next(values);

            // A step too short for the next value goes there all the same.
            genes[i] = mutated == genes[i] ? Round(space, i, genes[i] + (uniform < 0.5 ? -1 : 1)) : mutated;
        }
    }

    private static int Round(DesignSpace space, int parameter, double index) => (int)Math.Clamp(Math.Round(index), 0, space.Parameters[parameter].Values.Length - 1);

    /// <summary>Best first: by violation, then front by front, within a front the less crowded; ties in the order given.</summary>
    private static Ranked[] Rank(IReadOnlyList<SweepRow> rows)
    {
        var ranked = new List<Ranked>();
        List<SweepRow> left = [.. rows.Where(row => row.IsFeasible)];
        for (int front = 0; left.Count > 0; front++)
        {
            SweepRow[] best = [.. left.Where(row => !left.Exists(other => ParetoFront.Dominates(other.Objectives, row.Objectives)))];
            double[] crowding = Crowding([.. best.Select(row => row.Objectives)]);
            ranked.AddRange(best.Select((row, i) => new Ranked(row, front, crowding[i])).OrderByDescending(one => one.Crowding));
            left.RemoveAll(best.Contains);
        }

        ranked.AddRange(rows.Where(row => !row.IsFeasible).OrderBy(row => row.Violation).Select(row => new Ranked(row, int.MaxValue, 0)));
        return [.. ranked];
    }

    /// <summary>Distance of the neighbours on both sides, summed over the objectives as a share of their range; infinite at the ends.</summary>
    private static double[] Crowding(double[][] front)
    {
        double[] crowding = new double[front.Length];
        for (int objective = 0; objective < front[0].Length; objective++)
        {
            int[] order = [.. Enumerable.Range(0, front.Length).OrderBy(i => front[i][objective])];
            double range = front[order[^1]][objective] - front[order[0]][objective];
            (crowding[order[0]], crowding[order[^1]]) = (double.PositiveInfinity, double.PositiveInfinity);
            for (int i = 1; i < order.Length - 1 && range > 0; i++)
            {
                crowding[order[i]] += (front[order[i + 1]][objective] - front[order[i - 1]][objective]) / range;
            }
        }

        return crowding;
    }

    private sealed record Ranked(SweepRow Row, int Front, double Crowding);
}
