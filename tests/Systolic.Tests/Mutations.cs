namespace Systolic.Tests;

/// <summary>Small damage to a text file: characters deleted, replaced or inserted, values swapped or made extreme.</summary>
internal static class Mutations
{
    private static readonly string[] Extremes =
        ["0", "-1", "1", "2", "3", "7", "1e9", "1e-9", "1e300", "1e-300", "2147483648", "9223372036854775808", "0.5", "1e400", "null", "true", "\"\"", "[]", "{}", "\"1 GHz\"", "\"1 B\"", "\"1e9 s\""];

    /// <summary>One to three changes.</summary>
    public static string Of(string text, Random random)
    {
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            text = random.Next(5) switch
            {
                0 => Characters(text, random),
                1 => SwapValues(text, random),
                _ => ChangeNumber(text, random),
            };
        }

        return text;
    }

    /// <summary>The first stretch in which two texts differ, for messages.</summary>
    public static string Difference(string original, string mutated)
    {
        string[] before = original.Split('\n'), after = mutated.Split('\n');
        return string.Join('\n', Enumerable.Range(0, Math.Min(before.Length, after.Length)).Where(i => before[i] != after[i]).Take(4).Select(i => $"  {before[i].Trim()} -> {after[i].Trim()}"));
    }

    private static string Characters(string text, Random random)
    {
        int at = random.Next(text.Length), length = Math.Min(random.Next(1, 4), text.Length - at);
        string piece = new([.. Enumerable.Range(0, length).Select(_ => (char)random.Next(1, 300))]);
        return random.Next(3) switch
        {
            0 => text.Remove(at, length),
            1 => text.Remove(at, length).Insert(at, piece),
            _ => text.Insert(at, piece),
        };
    }

    private static string SwapValues(string text, Random random)
    {
        string[] lines = text.Split('\n');
        int[] values = [.. Enumerable.Range(0, lines.Length).Where(i => lines[i].Contains("\": ", StringComparison.Ordinal) && !lines[i].EndsWith('{') && !lines[i].EndsWith('['))];
        int first = values[random.Next(values.Length)], second = values[random.Next(values.Length)];
        (string key, string value) one = Split(lines[first]), two = Split(lines[second]);
        lines[first] = one.key + two.value + (lines[first].EndsWith(',') ? "," : "");
        lines[second] = two.key + one.value + (lines[second].EndsWith(',') ? "," : "");
        return string.Join('\n', lines);
    }

    /// <summary>Replaces a number, inside or outside of a quantity, or a whole value.</summary>
    private static string ChangeNumber(string text, Random random)
    {
        string[] lines = text.Split('\n');
        int[] values = [.. Enumerable.Range(0, lines.Length).Where(i => lines[i].Contains("\": ", StringComparison.Ordinal) && Split(lines[i]).Value.Any(char.IsAsciiDigit) && !lines[i].Contains("source", StringComparison.Ordinal))];
        if (values.Length == 0)
        {
            return text;
        }

        int line = values[random.Next(values.Length)];
        (string key, string value) = Split(lines[line]);
        string extreme = Extremes[random.Next(Extremes.Length)];
        int space = value.IndexOf(' ', StringComparison.Ordinal);
        string changed = value.StartsWith('"') && space > 0 && !extreme.Contains('"') ? $"\"{extreme}{value[space..]}" : extreme;
        lines[line] = key + changed + (lines[line].EndsWith(',') ? "," : "");
        return string.Join('\n', lines);
    }

    private static (string Key, string Value) Split(string line)
    {
        int colon = line.IndexOf("\": ", StringComparison.Ordinal) + 3;
        return (line[..colon], line[colon..].TrimEnd(','));
    }
}
