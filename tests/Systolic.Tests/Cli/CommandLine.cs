using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Cli;
using Systolic.Machines;
using Systolic.Tests.Reporting;
using Systolic.Units;

namespace Systolic.Tests.Cli;

/// <summary>A command line that ran in this process.</summary>
/// <param name="Code">Exit code.</param>
/// <param name="Out">Text of the standard output.</param>
/// <param name="Error">Text of the standard error.</param>
internal sealed record CommandLine(int Code, string Out, string Error)
{
    private static readonly ImmutableDictionary<string, Func<IMachine>> Machines = ImmutableDictionary<string, Func<IMachine>>.Empty
        .Add("array", () => new FakeMachine(SyntheticRun.Array))
        .Add("other", () => new FakeMachine(SyntheticRun.Other))
        .Add("old", () => new FakeMachine(SyntheticRun.Array with { Name = "old", Energy = SyntheticRun.Array.Energy with { NodeNanometres = 90 } }))
        .Add("broken", () => new FakeMachine(SyntheticRun.Array, _ => throw new InvalidOperationException("two\nlines")))
        .Add("full", () => new FakeMachine(SyntheticRun.Array, _ => throw new CapacityException("gemm needs 2 GiB, array has 1 GiB.")))
        .Add("wide", () => new FakeMachine(SyntheticRun.Array, _ => throw new OverflowException("a time exceeds 64 bits.")))
        .Add("endless", () => new FakeMachine(SyntheticRun.Array, cancellation =>
        {
            cancellation.WaitHandle.WaitOne();
            cancellation.ThrowIfCancellationRequested();
        }))
        .Add("stopped", () => new FakeMachine(SyntheticRun.Array, _ => throw new OperationCanceledException()));

    /// <summary>Machines written by hand, and the models that come with the library.</summary>
    public static Library Fakes { get; } = Library.Shipped with
    {
        MachineNames = ["array", "other"],
        LoadMachine = name => Machines.TryGetValue(name, out Func<IMachine>? create) ? create() : throw new InvalidDocumentException($"{name}: found no such machine"),
        MachineJson = name => $"{{ \"name\": \"{name}\" }}\n",
    };

    /// <summary>Runs a command line on the fakes, 80 columns, not on a terminal.</summary>
    public static Task<CommandLine> RunAsync(params string[] args) => RunAsync(Fakes, 80, default, args);

    /// <summary>Runs a command line.</summary>
    public static async Task<CommandLine> RunAsync(Library library, int width, CancellationToken cancellation, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await SystolicCommandLine.InvokeAsync(args, new Terminal(output, error, false, false, width), library, cancellation);
        return new CommandLine(code, output.ToString(), error.ToString());
    }
}
