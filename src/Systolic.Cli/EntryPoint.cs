namespace Systolic.Cli;

/// <summary>Starts the command.</summary>
internal static class EntryPoint
{
    private static Task<int> Main(string[] args) => SystolicCommandLine.InvokeAsync(args, Terminal.OfProcess(), Library.Shipped);
}
