namespace Systolic.Cli;

/// <summary>Guesses which word was meant.</summary>
internal static class Spelling
{
    /// <summary>The word that is fewest single-letter edits away, if that is at most two or a third of its letters; the first of equals.</summary>
    public static string? Nearest(string found, IEnumerable<string> words) => words
        .Select(word => (Word: word, Distance: Distance(found, word)))
        .Where(candidate => candidate.Distance <= Math.Max(2, candidate.Word.Length / 3))
        .OrderBy(candidate => candidate.Distance)
        .Select(candidate => candidate.Word)
        .FirstOrDefault();

    // Levenshtein, one row at a time.
    private static int Distance(string left, string right)
    {
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
