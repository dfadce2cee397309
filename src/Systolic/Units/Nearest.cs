namespace Systolic.Units;

/// <summary>Names near a mistyped one, by edit distance (Levenshtein 1966), letter case ignored.</summary>
internal static class Nearest
{
    private const int Most = 3;
    private const int LongestWord = 128;

    /// <summary>Up to three candidates, nearest first; a candidate of which more than half would have to change is none.</summary>
    public static IReadOnlyList<string> Of(string word, IEnumerable<string> candidates)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(candidates);
        string folded = Fold(word);
        return
        [
            .. candidates
                .Select(candidate => (Name: candidate, Distance: Distance(folded, Fold(candidate))))
                .Where(near => 2 * near.Distance <= Math.Max(word.Length, near.Name.Length))
                .OrderBy(near => near.Distance)
                .ThenBy(near => near.Name, StringComparer.Ordinal)
                .Take(Most)
                .Select(near => near.Name),
        ];
    }

    /// <summary>The end of a message: "; did you mean a, b or c?", or the whole list when nothing is near.</summary>
    public static string Hint(string word, IReadOnlyCollection<string> candidates)
    {
        IReadOnlyList<string> near = Of(word, candidates);
        return near.Count > 0 ? $"; did you mean {string.Join(" or ", near)}?" : $"; known: {string.Join(", ", candidates)}";
    }

    private static string Fold(string word) => (word.Length > LongestWord ? word[..LongestWord] : word).ToLowerInvariant();

    private static int Distance(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[to.Length];
    }
}
