using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Cli;

/// <summary>How the process ends.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>The command line or a file is wrong, or the workload does not fit.</summary>
    public const int BadInput = 2;

    /// <summary>A defect of this program (EX_SOFTWARE of sysexits.h).</summary>
    public const int InternalError = 70;

    /// <summary>Stopped by the user (128 + SIGINT).</summary>
    public const int Cancelled = 130;

    /// <summary>The code for an exception and the message that goes with it.</summary>
    public static (int Code, string Message) Of(Exception exception) => exception switch
    {
        OperationCanceledException => (Cancelled, "Cancelled."),
        UsageException or InvalidDocumentException or CapacityException => (BadInput, exception.Message),
        OverflowException => (BadInput, $"The sizes are too large to simulate: {OneLine(exception.Message)} Counts are limited to 64 bits and simulated time to 2.5 hours."),
        _ => (InternalError, $"Internal error, please report it with the command line: {exception.GetType().Name}: {OneLine(exception.Message)}"),
    };

    private static string OneLine(string message) => message.ReplaceLineEndings(" ");
}
