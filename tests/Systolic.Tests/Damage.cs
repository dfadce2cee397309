using System.Text.RegularExpressions;

namespace Systolic.Tests;

/// <summary>Damage that knows nothing of a format: bytes flipped, ends cut, pieces repeated, numbers swapped or made extreme, deep nesting, long lists.</summary>
internal static partial class Damage
{
    private const int LongestPiece = 1 << 16;

    private static readonly string[] Extremes =
        ["0", "-1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "2147483648", "4294967296", "1e308", "1e999", "-1e999", "NaN", "Infinity", "1e-320", "0x7f", "1,5", "", "99999999999999999999999999999999"];

    [GeneratedRegex(@"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", RegexOptions.NonBacktracking)]
    private static partial Regex Number();

    /// <summary>A text with one to three changes.</summary>
    public static string Of(string text, Random random)
    {
        for (int i = random.Next(1, 4); i > 0 && text.Length > 0; i--)
        {
            text = random.Next(9) switch
            {
                0 => new string([.. Flipped([.. text], random, c => (char)(c ^ (1 << random.Next(8))))]),
                1 => text[..random.Next(text.Length)],
                2 => Repeated(text, random, random.Next(2, 5)),
                3 => Repeated(text, random, LongestPiece / 64),
                4 => SwappedLines(text, random),
                5 => text.Insert(random.Next(text.Length), new string("[{(<\"%-,\n"[random.Next(9)], random.Next(1, 5000))),
                6 => SwappedNumbers(text, random),
                _ => ExtremeNumber(text, random),
            };
        }

        return text;
    }

    /// <summary>Bytes with one to three changes.</summary>
    public static byte[] Of(byte[] bytes, Random random)
    {
        for (int i = random.Next(1, 4); i > 0 && bytes.Length > 0; i--)
        {
            int at = random.Next(bytes.Length), length = random.Next(1, 64);
            bytes = random.Next(6) switch
            {
                0 => bytes[..at],
                1 => [.. bytes[..at], .. bytes.Skip(at).Take(length), .. bytes[at..]],
                2 => [.. bytes[..at], .. bytes.Skip(at + length)],
                3 => [.. bytes[..at], .. Enumerable.Repeat((byte)0xFF, random.Next(1, 12)), (byte)random.Next(128), .. bytes[at..]],
                _ => [.. Flipped(bytes, random, b => (byte)(b ^ (1 << random.Next(8))))],
            };
        }

        return bytes;
    }

    private static T[] Flipped<T>(T[] values, Random random, Func<T, T> flip)
    {
        T[] flipped = [.. values];
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            ref T value = ref flipped[random.Next(flipped.Length)];
            value = flip(value);
        }

        return flipped;
    }

    private static string Repeated(string text, Random random, int times)
    {
        int at = random.Next(text.Length), length = Math.Min(text.Length - at, random.Next(1, 64));
        return text.Insert(at, string.Concat(Enumerable.Repeat(text.Substring(at, length), times)));
    }

    private static string SwappedLines(string text, Random random)
    {
        string[] lines = text.Split('\n');
        int one = random.Next(lines.Length), other = random.Next(lines.Length);
        (lines[one], lines[other]) = (lines[other], lines[one]);
        return string.Join('\n', lines);
    }

    private static string SwappedNumbers(string text, Random random)
    {
        MatchCollection numbers = Number().Matches(text);
        if (numbers.Count < 2)
        {
            return text;
        }

        Match one = numbers[random.Next(numbers.Count)];
        return Replaced(text, one, numbers[random.Next(numbers.Count)].Value);
    }

    private static string ExtremeNumber(string text, Random random)
    {
        MatchCollection numbers = Number().Matches(text);
        return numbers.Count == 0 ? text : Replaced(text, numbers[random.Next(numbers.Count)], Extremes[random.Next(Extremes.Length)]);
    }

    private static string Replaced(string text, Match number, string by) => string.Concat(text.AsSpan(0, number.Index), by, text.AsSpan(number.Index + number.Length));
}
