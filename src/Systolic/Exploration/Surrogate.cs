namespace Systolic.Exploration;

/// <summary>What points that were not run would give, interpolated from those that were.</summary>
/// <remarks>
/// A parameter counts as its index over the last one, a word as an axis of its own. Objectives are taken as logarithms where all known values have one sign:
/// time and energy are products of parameters rather than sums. Whether a point runs at all follows from those near it (Shepard 1968), since a step has no smooth interpolation.
/// </remarks>
internal sealed class Surrogate
{
    // More would make fitting, whose cost grows with the cube, slower than a simulation.
    private const int MostRows = 200;

    // Share of the neighbourhood that runs, from which on a point is worth a try: the best ones often lie next to those that do not fit.
    private const double Likely = 0.25;

    private readonly DesignSpace _space;
    private readonly bool[] _logarithmic;
    private readonly Interpolation _figures;
    private readonly (double[] Place, bool HasRun)[] _known;

    private Surrogate(DesignSpace space, bool[] logarithmic, Interpolation figures, (double[] Place, bool HasRun)[] known) =>
        (_space, _logarithmic, _figures, _known) = (space, logarithmic, figures, known);

    /// <summary>From the latest rows; null where they are too few or too much alike.</summary>
    public static Surrogate? TryFit(DesignSpace space, IReadOnlyList<SweepRow> rows)
    {
        SweepRow[] latest = [.. rows.TakeLast(MostRows)];
        SweepRow[] runs = [.. latest.Where(row => row.HasRun && row.Objectives.Concat(row.Excesses).All(double.IsFinite))];
        if (runs.Length == 0)
        {
            return null;
        }

        bool[] logarithmic = [.. Enumerable.Range(0, runs[0].Objectives.Length).Select(i => Array.TrueForAll(runs, row => row.Objectives[i] * runs[0].Objectives[i] > 0))];
        return Interpolation.TryFit([.. runs.Select(row => Coordinates(space, row.Point.Number))], [.. runs.Select(row => (double[])[.. Scaled(row.Objectives, logarithmic), .. row.Excesses])]) is { } figures
            ? new Surrogate(space, logarithmic, figures, [.. latest.Select(row => (Coordinates(space, row.Point.Number), row.HasRun))])
            : null;
    }

    /// <summary>What a point that was not run would give.</summary>
    public Expected At(long point)
    {
        double[] place = Coordinates(_space, point);
        double[] figures = _figures.At(place);
        double runs = 0, weights = 0;
        foreach ((double[] known, bool hasRun) in _known)
        {
            double weight = Math.Pow(Interpolation.SquaredDistance(known, place), -2);
            weights += weight;
            runs += hasRun ? weight : 0;
        }

        int objectives = _logarithmic.Length;
        return new Expected(point, figures[..objectives], runs >= Likely * weights ? figures[objectives..].Sum(excess => Math.Max(0, excess)) : double.PositiveInfinity);
    }

    /// <summary>Objectives of a row that was run: logarithms, or as they are.</summary>
    public double[] Of(SweepRow row) => Scaled(row.Objectives, _logarithmic);

    private static double[] Scaled(double[] objectives, bool[] logarithmic) =>
        [.. objectives.Select((value, i) => logarithmic[i] ? Math.Sign(value) * Math.Log(Math.Abs(value)) : value)];

    private static double[] Coordinates(DesignSpace space, long point) => [.. space.Indices(point).SelectMany((index, i) =>
    {
        int values = space.Parameters[i].Values.Length;
        return values == 1 ? [] : space.Parameters[i].HasOrder ? (double[])[index / (values - 1.0)] : [.. Enumerable.Range(1, values - 1).Select(value => index == value ? 1.0 : 0)];
    })];
}

/// <summary>What a point would give, as far as its neighbours tell.</summary>
/// <param name="Point">The point.</param>
/// <param name="Objectives">Its objectives, on the scale of <see cref="Surrogate.Of"/>.</param>
/// <param name="Violation">By how much constraints are broken, as a share of the limit; infinite where no run is expected.</param>
internal sealed record Expected(long Point, double[] Objectives, double Violation);
