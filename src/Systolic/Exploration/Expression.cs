using System.Globalization;
using Systolic.Units;

namespace Systolic.Exploration;

/// <summary>Arithmetic over names and quantities, such as "time * area" or "2 * sbuf / 16 MiB".</summary>
/// <remarks>Operators + - * / ^ with the usual precedence, brackets, and the functions min, max, sqrt and log (natural). A number may carry a unit and is then in its base unit.</remarks>
internal sealed class Expression
{
    private const int LongestText = 1000;
    private const int DeepestNesting = 32;
    private readonly Func<Func<string, double>, double> _value;

    private Expression(string text, Func<Func<string, double>, double> value, IReadOnlyList<string> names) => (Text, _value, Names) = (text, value, names);

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>The names that occur, in the order of their first use.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Reads a whole text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="known">The names that it may use.</param>
    /// <exception cref="FormatException">It is no expression; the message tells where.</exception>
    public static Expression Parse(string text, IReadOnlyCollection<string> known)
    {
        if (text.Length > LongestText)
        {
            throw new FormatException(FormattableString.Invariant($"found {text.Length} characters, expected an expression of at most {LongestText}"));
        }

        var reader = new Reader(text, known);
        Func<Func<string, double>, double> value = reader.Whole();
        return new Expression(text, value, reader.Names);
    }

    /// <summary>The value with the names as <paramref name="valueOf"/> gives them.</summary>
    public double Value(Func<string, double> valueOf) => _value(valueOf);

    private sealed class Reader(string text, IReadOnlyCollection<string> known)
    {
        private int _at;
        private int _depth;

        public List<string> Names { get; } = [];

        public Func<Func<string, double>, double> Whole()
        {
            Func<Func<string, double>, double> sum = Sum();
            return Peek() == '\0' ? sum : throw Unexpected("an operator");
        }

        private Func<Func<string, double>, double> Sum()
        {
            if (++_depth > DeepestNesting)
            {
                throw new FormatException(FormattableString.Invariant($"found {UnitText.Quote(text)}, expected at most {DeepestNesting} brackets within each other"));
            }

            Func<Func<string, double>, double> left = Product();
            while (Peek() is '+' or '-')
            {
                char sign = text[_at++];
                (Func<Func<string, double>, double> first, Func<Func<string, double>, double> second) = (left, Product());
                left = sign == '+' ? names => first(names) + second(names) : names => first(names) - second(names);
            }

            _depth--;
            return left;
        }

        private Func<Func<string, double>, double> Product()
        {
            Func<Func<string, double>, double> left = Signed();
            while (Peek() is '*' or '/')
            {
                char sign = text[_at++];
                (Func<Func<string, double>, double> first, Func<Func<string, double>, double> second) = (left, Signed());
                left = sign == '*' ? names => first(names) * second(names) : names => first(names) / second(names);
            }

            return left;
        }

        private Func<Func<string, double>, double> Signed()
        {
            bool negative = false;
            for (; Peek() == '-'; _at++)
            {
                negative = !negative;
            }

            Func<Func<string, double>, double> power = Power();
            return negative ? names => -power(names) : power;
        }

        private Func<Func<string, double>, double> Power()
        {
            Func<Func<string, double>, double> root = Atom();
            if (Peek() != '^')
            {
                return root;
            }

            _at++;
            Func<Func<string, double>, double> exponent = Atom();
            return names => Math.Pow(root(names), exponent(names));
        }

        private Func<Func<string, double>, double> Atom()
        {
            char next = Peek();
            if (next == '(')
            {
                return Arguments() is [var inner] ? inner : throw Unexpected("one expression in brackets");
            }

            if (char.IsAsciiDigit(next) || next == '.')
            {
                double number = Number();
                return _ => number;
            }

            string word = Word();
            return word.Length == 0 ? throw Unexpected("a number, a name or a bracket") : Peek() == '(' ? Function(word) : Name(word);
        }

        private List<Func<Func<string, double>, double>> Arguments()
        {
            var found = new List<Func<Func<string, double>, double>>();
            do
            {
                _at++;
                found.Add(Sum());
            }
            while (Peek() == ',');

            _ = Peek() == ')' ? _at++ : throw Unexpected("\")\"");
            return found;
        }

        private Func<Func<string, double>, double> Function(string word) => (word, Arguments()) switch
        {
            ("sqrt", [var x]) => names => Math.Sqrt(x(names)),
            ("log", [var x]) => names => Math.Log(x(names)),
            ("min", [var x, var y]) => names => Math.Min(x(names), y(names)),
            ("max", [var x, var y]) => names => Math.Max(x(names), y(names)),
            _ => throw new FormatException($"found {UnitText.Quote(word)} in {UnitText.Quote(text)}, expected sqrt(x), log(x), min(x, y) or max(x, y)"),
        };

        private Func<Func<string, double>, double> Name(string word)
        {
            if (!known.Contains(word))
            {
                throw new FormatException($"found the name {UnitText.Quote(word)}, which is unknown{Nearest.Hint(word, known)}");
            }

            if (!Names.Contains(word))
            {
                Names.Add(word);
            }

            return names => names(word);
        }

        private double Number()
        {
            int start = _at;
            while (_at < text.Length && (char.IsAsciiDigit(text[_at]) || text[_at] == '.' || IsExponent()))
            {
                _at++;
            }

            if (!double.TryParse(text.AsSpan(start, _at - start), NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
            {
                throw new FormatException($"found {UnitText.Quote(text[start.._at])} in {UnitText.Quote(text)}, expected a number");
            }

            return number * Unit();
        }

        // "2e-3": an exponent and its sign belong to the number; "2 * exit" has none.
        private bool IsExponent() => text[_at] is 'e' or 'E' ? _at + 1 < text.Length && (char.IsAsciiDigit(text[_at + 1]) || text[_at + 1] is '-' or '+')
            : text[_at] is '-' or '+' && text[_at - 1] is 'e' or 'E';

        /// <summary>The factor of the unit that follows; "B/s" before "B".</summary>
        private double Unit()
        {
            Peek();
            int end = _at;
            while (end < text.Length && char.IsAsciiLetterOrDigit(text[end]))
            {
                end++;
            }

            foreach (int length in (int[])[end + 2 - _at, end - _at])
            {
                if (length > 0 && _at + length <= text.Length && Measure.Factor(text.AsSpan(_at, length)) is { } factor)
                {
                    _at += length;
                    return factor;
                }
            }

            return 1;
        }

        private string Word()
        {
            int start = _at;
            while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] is '.' or '_' or '[' or ']'))
            {
                _at++;
            }

            return text[start.._at];
        }

        private char Peek()
        {
            while (_at < text.Length && text[_at] == ' ')
            {
                _at++;
            }

            return _at < text.Length ? text[_at] : '\0';
        }

        private FormatException Unexpected(string expected) => new(FormattableString.Invariant(
            $"found {(_at < text.Length ? $"\"{text[_at]}\"" : "the end")} at character {_at + 1} of {UnitText.Quote(text)}, expected {expected}"));
    }
}
