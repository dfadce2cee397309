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

    /// <summary>All problems of a file, a line each.</summary>
    public InvalidDocumentException(IEnumerable<string> problems)
        : base(string.Join('\n', problems))
    {
    }
}
