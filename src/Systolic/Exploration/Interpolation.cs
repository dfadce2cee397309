namespace Systolic.Exploration;

/// <summary>Figures between points where they are known: cubic radial basis functions with a linear tail (Powell 1992), exact at the points.</summary>
internal sealed class Interpolation
{
    // A pivot this small beside the largest entry means that the points lie in a plane.
    private const double Singular = 1e-12;

    private readonly double[][] _points;
    private readonly double[][] _weights;

    private Interpolation(double[][] points, double[][] weights) => (_points, _weights) = (points, weights);

    /// <summary>Interpolates; null where the points are too few, or lie in a plane, so that no linear tail is determined.</summary>
    /// <param name="points">Coordinates, all different.</param>
    /// <param name="values">Figures at each point.</param>
    public static Interpolation? TryFit(double[][] points, double[][] values)
    {
        // Basis over basis, then the conditions that leave linear functions to the tail; right of both the figures.
        double[][] rows = [.. points.Select((point, i) => (double[])[.. Basis(points, point), .. values[i]])];
        int unknowns = points.Length + 1 + points[0].Length;
        rows = [.. rows, .. Enumerable.Range(points.Length, unknowns - points.Length).Select(tail =>
            (double[])[.. rows.Select(row => row[tail]), .. new double[unknowns - points.Length + values[0].Length]])];
        return points.Length > points[0].Length && Solve(rows, unknowns) ? new Interpolation(points, [.. rows.Select(row => row[unknowns..])]) : null;
    }

    /// <summary>The figures at a point.</summary>
    public double[] At(double[] point)
    {
        double[] basis = Basis(_points, point);
        return [.. Enumerable.Range(0, _weights[0].Length).Select(figure => basis.Select((value, i) => value * _weights[i][figure]).Sum())];
    }

    private static double[] Basis(double[][] points, double[] at) => [.. points.Select(point => Math.Pow(SquaredDistance(point, at), 1.5)), 1, .. at];

    /// <summary>Distance between two points, squared.</summary>
    public static double SquaredDistance(double[] one, double[] other) => one.Zip(other, (a, b) => (a - b) * (a - b)).Sum();

    /// <summary>Gauss-Jordan elimination with the largest pivot of a column; the solutions take the place of the right sides.</summary>
    private static bool Solve(double[][] rows, int unknowns)
    {
        double largest = rows.Max(row => row.Take(unknowns).Max(Math.Abs));
        for (int column = 0; column < unknowns; column++)
        {
            int pivot = Enumerable.Range(column, unknowns - column).MaxBy(row => Math.Abs(rows[row][column]));
            (rows[column], rows[pivot]) = (rows[pivot], rows[column]);
            if (Math.Abs(rows[column][column]) <= Singular * largest)
            {
                return false;
            }

            foreach (double[] row in rows)
            {
                double factor = row[column] / rows[column][column];
                for (int i = column; i < row.Length && row != rows[column] && factor != 0; i++)
                {
                    row[i] -= factor * rows[column][i];
                }
            }
        }

        for (int row = 0; row < unknowns; row++)
        {
            for (int i = unknowns; i < rows[row].Length; i++)
            {
                rows[row][i] /= rows[row][row];
            }
        }

        return true;
    }
}
