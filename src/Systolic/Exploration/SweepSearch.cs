namespace Systolic.Exploration;

/// <summary>Which points of a space a sweep looks at.</summary>
public abstract record SweepSearch
{
    private protected SweepSearch()
    {
    }

    /// <summary>Every combination of values.</summary>
    public static SweepSearch Grid { get; } = new GridSearch();

    /// <summary>So many different points, each equally likely.</summary>
    public static SweepSearch Random(int points, int seed = 0) => new RandomSearch(points, seed);

    /// <summary>So many different points, spread so that each parameter takes its values equally often (Latin hypercube, McKay, Beckman and Conover 1979).</summary>
    public static SweepSearch LatinHypercube(int points, int seed = 0) => new LatinHypercubeSearch(points, seed);

    /// <summary>Points bred from the best so far, generation by generation: NSGA-II, with children chosen by what is expected of them.</summary>
    /// <param name="evaluations">Points to run in all.</param>
    /// <param name="population">The best points so far, from which the next are bred; a third as many at a time.</param>
    /// <param name="seed">Decides all choices.</param>
    public static SweepSearch Nsga2(int evaluations, int population = Nsga2Search.UsualPopulation, int seed = 0) => new Nsga2Search(evaluations, population, seed);

    /// <summary>In words, such as "full grid".</summary>
    public abstract override string ToString();

    /// <summary>Points to run at most.</summary>
    internal abstract long Count(DesignSpace space);

    /// <summary>The points in groups, none twice; each group when those before are in <paramref name="rows"/>.</summary>
    internal abstract IEnumerable<IReadOnlyList<long>> Batches(DesignSpace space, IReadOnlyDictionary<long, SweepRow> rows);

    /// <summary>A point with random values.</summary>
    private protected static long Draw(DesignSpace space, System.Random random) => space.NumberOf([.. space.Parameters.Select(parameter => random.Next(parameter.Values.Length))]);

    /// <summary>Points of which each takes another stratum of every parameter; equal ones can occur.</summary>
    private protected static IEnumerable<long> Hypercube(DesignSpace space, int points, System.Random random)
    {
        int[][] strata = [.. space.Parameters.Select(_ => Enumerable.Range(0, points).ToArray())];
        foreach (int[] stratum in strata)
        {
            random.Shuffle(stratum);
        }

        return Enumerable.Range(0, points).Select(point =>
            space.NumberOf([.. space.Parameters.Select((parameter, i) => (int)((strata[i][point] + random.NextDouble()) * parameter.Values.Length / points))]));
    }

    /// <summary>Adds points with random values until there are so many different ones.</summary>
    private protected static List<long> Fill(DesignSpace space, IEnumerable<long> first, long points, System.Random random)
    {
        var found = new HashSet<long>(first);
        List<long> ordered = [.. found];
        while (ordered.Count < Math.Min(points, space.Size))
        {
            long point = Draw(space, random);
            if (found.Add(point))
            {
                ordered.Add(point);
            }
        }

        return ordered;
    }

    private sealed record GridSearch : SweepSearch
    {
        public override string ToString() => "full grid";

        internal override long Count(DesignSpace space) => space.Size;

        internal override IEnumerable<IReadOnlyList<long>> Batches(DesignSpace space, IReadOnlyDictionary<long, SweepRow> rows)
        {
            long[] all = new long[space.Size];
            for (int i = 0; i < all.Length; i++)
            {
                all[i] = i;
            }

            return [all];
        }
    }

    private sealed record RandomSearch(int Points, int Seed) : SweepSearch
    {
        public override string ToString() => FormattableString.Invariant($"{Points} random points, seed {Seed}");

        internal override long Count(DesignSpace space) => Math.Min(Points, space.Size);

        internal override IEnumerable<IReadOnlyList<long>> Batches(DesignSpace space, IReadOnlyDictionary<long, SweepRow> rows) => [Fill(space, [], Points, new System.Random(Seed))];
    }

    private sealed record LatinHypercubeSearch(int Points, int Seed) : SweepSearch
    {
        public override string ToString() => FormattableString.Invariant($"Latin hypercube of {Points} points, seed {Seed}");

        internal override long Count(DesignSpace space) => Math.Min(Points, space.Size);

        internal override IEnumerable<IReadOnlyList<long>> Batches(DesignSpace space, IReadOnlyDictionary<long, SweepRow> rows)
        {
            var random = new System.Random(Seed);
            return [Fill(space, Hypercube(space, Points, random), Points, random)];
        }
    }
}
