using System.CommandLine;
using Systolic.Cli.Rendering;

namespace Systolic.Cli.Commands;

/// <summary>`systolic machine list|show`: the machines that come with the library.</summary>
internal sealed class MachineCommand : Command, IHasExamples
{
    public MachineCommand(Terminal terminal, Library library)
        : base("machine", "Lists the machines that come with systolic, or prints one to start from.")
    {
        Add(new ListCommand(terminal, library));
        Add(new ShowCommand("machine", library.MachineNames, library.MachineJson, terminal));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } = ["systolic machine list", "systolic machine show trn2 > my-chip.json"];

    private sealed class ListCommand : Command, IHasExamples
    {
        public ListCommand(Terminal terminal, Library library)
            : base("list", "Lists the machines with their peaks.") =>
            SetAction(_ => MachineTable.Show(terminal.Results, library.MachineNames.Select(name => library.LoadMachine(name).Profile)));

        public IReadOnlyList<string> Examples { get; } = ["systolic machine list"];
    }
}
