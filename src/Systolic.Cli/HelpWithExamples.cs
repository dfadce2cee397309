using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Systolic.Cli;

/// <summary>A command that shows how it is used.</summary>
internal interface IHasExamples
{
    /// <summary>Complete command lines, most usual first.</summary>
    IReadOnlyList<string> Examples { get; }
}

/// <summary>The parser's help, followed by the command's examples.</summary>
internal sealed class HelpWithExamples(int width) : SynchronousCommandLineAction
{
    private static readonly string[] RootExamples =
    [
        "systolic compare --model llama-3-8b --machine trn2 --baseline h100 --tokens 2048",
        "systolic run --model llama-3-8b --machine trn2 --phase decode --context 4096",
        "systolic gemm 4096 4096 4096 --machine trn2-core",
        "systolic machine list",
    ];

    private readonly HelpAction _help = new() { MaxWidth = width };

    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int code = _help.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (string example in (parseResult.CommandResult.Command as IHasExamples)?.Examples ?? RootExamples)
        {
            output.WriteLine("  " + example);
        }

        return code;
    }
}
