using System.CommandLine;
using System.CommandLine.Help;
using Systolic.Cli.Commands;

namespace Systolic.Cli;

/// <summary>The `systolic` command line: parses, runs a command, and turns what goes wrong into one message and an exit code.</summary>
internal static class SystolicCommandLine
{
    /// <summary>Runs a command line.</summary>
    /// <returns>The exit code, one of <see cref="ExitCode"/>.</returns>
    public static async Task<int> InvokeAsync(string[] args, Terminal terminal, Library library, CancellationToken cancellation = default)
    {
        ParseResult parsed = Root(terminal, library).Parse(args.Length == 0 ? ["--help"] : args);
        try
        {
            if (parsed.Errors.Count > 0 && parsed.Action is not HelpWithExamples)
            {
                throw new UsageException($"{Problem(parsed)} See \"{CommandPath(parsed)} --help\".");
            }

            return await parsed.InvokeAsync(
                new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false }, cancellation);
        }
        catch (Exception exception)
        {
            (int code, string message) = ExitCode.Of(exception);
            await terminal.Error.WriteLineAsync(message);
            return code;
        }
    }

    private static RootCommand Root(Terminal terminal, Library library)
    {
        var root = new RootCommand("Simulates transformer models on systolic-array accelerators and GPUs: cycles, utilization, energy.")
        {
            HelpName = "systolic",
        };
        root.Add(new RunCommand(terminal, library));
        root.Add(new CompareCommand(terminal, library));
        root.Add(new GemmCommand(terminal, library));
        root.Add(new ExplainCommand(terminal, library));
        root.Add(new DiffCommand(terminal));
        root.Add(new SweepCommand(terminal));
        root.Add(new TrainCostCommand(terminal, library));
        root.Add(new ScaleSimCommand(terminal));
        root.Add(new DramStreamCommand(terminal));
        root.Add(new ValidateCommand(terminal));
        root.Add(new MachineCommand(terminal, library));
        root.Add(new ModelCommand(terminal, library));
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithExamples(terminal.Width);
        return root;
    }

    private static string Problem(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens.Count == 0)
        {
            return parsed.Errors[0].Message;
        }

        string found = parsed.UnmatchedTokens[0];
        Command command = parsed.CommandResult.Command;
        string? near = Spelling.Nearest(found, command.Subcommands.Select(sub => sub.Name).Concat(command.Options.Select(option => option.Name)));
        return $"Found \"{found}\", which {CommandPath(parsed)} does not take{(near is null ? "." : $"; did you mean {near}?")}";
    }

    private static string CommandPath(ParseResult parsed) =>
        parsed.CommandResult.Command is RootCommand ? "systolic" : "systolic " + string.Join(' ', Path(parsed.CommandResult.Command).Reverse());

    private static IEnumerable<string> Path(Command command)
    {
        for (Symbol? symbol = command; symbol is Command and not RootCommand; symbol = symbol.Parents.FirstOrDefault())
        {
            yield return symbol.Name;
        }
    }
}
