using System.Globalization;

namespace Systolic.Units;

/// <summary>A file from outside is not what it must be. The message lists every problem as "file: path: found ..., expected ...".</summary>
public sealed class InvalidDocumentException : Exception
{
    /// <summary>No message.</summary>
    public InvalidDocumentException()
    {
    }

    /// <summary>One problem.</summary>
    public InvalidDocumentException(string message)
        : base(message)
    {
    }

    /// <summary>One problem with its cause.</summary>
    public InvalidDocumentException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>All problems of a file, a line each; beyond a hundred only their number.</summary>
    public InvalidDocumentException(IEnumerable<string> problems)
        : base(Join([.. problems]))
    {
    }

    private static string Join(string[] problems)
    {
        const int Shown = 100;
        string text = string.Join('\n', problems.Take(Shown));
        return problems.Length <= Shown ? text : string.Create(CultureInfo.InvariantCulture, $"{text}\nand {problems.Length - Shown} more problems");
    }
}
