namespace Systolic.Simulation;

/// <summary>Mean and variance in pieces, as the vector engine's statistics instructions leave and combine them.</summary>
internal static class Moments
{
    /// <summary>Count, mean and sum of squared differences of the even and then of the odd elements.</summary>
    public static void Measure(ReadOnlySpan<float> values, Span<float> result)
    {
        for (int parity = 0; parity < 2; parity++)
        {
            float sum = 0, squares = 0;
            int count = (values.Length + 1 - parity) / 2;
            for (int i = parity; i < values.Length; i += 2)
            {
                sum += values[i];
            }

            float mean = count == 0 ? 0 : sum / count;
            for (int i = parity; i < values.Length; i += 2)
            {
                float difference = values[i] - mean;
                squares += difference * difference;
            }

            (result[3 * parity], result[(3 * parity) + 1], result[(3 * parity) + 2]) = (count, mean, squares);
        }
    }

    /// <summary>Mean and variance over all pieces: the means by count, and the squared differences with those between the means (Chan, Golub and LeVeque 1979).</summary>
    public static void Combine(ReadOnlySpan<float> pieces, Span<float> result)
    {
        float count = 0, sum = 0, squares = 0;
        for (int i = 0; i < pieces.Length; i += 3)
        {
            count += pieces[i];
            sum += pieces[i] * pieces[i + 1];
        }

        float mean = sum / count;
        for (int i = 0; i < pieces.Length; i += 3)
        {
            float difference = pieces[i + 1] - mean;
            squares += pieces[i + 2] + (pieces[i] * difference * difference);
        }

        (result[0], result[1]) = (mean, squares / count);
    }
}
