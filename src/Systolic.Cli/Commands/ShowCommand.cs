using System.Collections.Immutable;
using System.CommandLine;

namespace Systolic.Cli.Commands;

/// <summary>`systolic machine show NAME` and `systolic model show NAME`: the file of a preset, as it is.</summary>
internal sealed class ShowCommand : Command, IHasExamples
{
    public ShowCommand(string subject, ImmutableArray<string> names, Func<string, string> json, Terminal terminal)
        : base("show", $"Prints the file of a {subject}, to start your own from.")
    {
        var name = new Argument<string>("NAME") { Description = $"The {subject}, as listed." };
        name.CompletionSources.Add([.. names]);
        Add(name);
        SetAction(parsed => terminal.Out.WriteLine(json(parsed.GetRequiredValue(name)).TrimEnd()));
        Examples = [$"systolic {subject} show {(subject == "machine" ? "trn2" : "llama-3-8b")}"];
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; }
}
