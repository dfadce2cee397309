namespace Systolic.Accounting;

/// <summary>A workload cannot be placed on a machine; the message says what did not fit and why.</summary>
public sealed class CapacityException : Exception
{
    /// <summary>No message.</summary>
    public CapacityException()
    {
    }

    /// <summary>What did not fit and why.</summary>
    public CapacityException(string message)
        : base(message)
    {
    }

    /// <summary>What did not fit and why, with a cause.</summary>
    public CapacityException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
