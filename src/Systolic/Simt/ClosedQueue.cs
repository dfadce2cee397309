namespace Systolic.Simt;

/// <summary>Throughput of a closed queueing network of single servers, by exact mean-value analysis (Reiser and Lavenberg, J. ACM 27(2), 1980).</summary>
internal static class ClosedQueue
{
    /// <summary>Time between two completions when <paramref name="contexts"/> customers circulate through stations of these service demands.</summary>
    /// <remarks>One context: the sum of the demands. Many: the largest. Never below the largest.</remarks>
    public static double Interval(int contexts, params ReadOnlySpan<double> demands)
    {
        Span<double> queued = stackalloc double[demands.Length];
        double interval = 0;
        for (int n = 1; n <= contexts; n++)
        {
            double response = 0;
            for (int i = 0; i < demands.Length; i++)
            {
                response += demands[i] * (1 + queued[i]);
            }

            interval = response / n;
            for (int i = 0; i < demands.Length; i++)
            {
                queued[i] = demands[i] * (1 + queued[i]) / interval;
            }
        }

        return interval;
    }
}
