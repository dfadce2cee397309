using System.CommandLine;
using Systolic.Cli.Rendering;

namespace Systolic.Cli.Commands;

/// <summary>`systolic machine list|show|area`: the machines that come with the library.</summary>
internal sealed class MachineCommand : Command, IHasExamples
{
    public MachineCommand(Terminal terminal, Library library)
        : base("machine", "Lists the machines that come with systolic, prints one to start from, or its die area.")
    {
        Add(new ListCommand(terminal, library));
        Add(new ShowCommand("machine", library.MachineNames, library.MachineJson, terminal));
        Add(new AreaCommand(terminal, library));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } = ["systolic machine list", "systolic machine show trn2 > my-chip.json", "systolic machine area trn2"];

    private sealed class ListCommand : Command, IHasExamples
    {
        public ListCommand(Terminal terminal, Library library)
            : base("list", "Lists the machines with their peaks.") =>
            SetAction(_ => MachineTable.Show(terminal.Results, library.MachineNames.Select(name => library.LoadMachine(name).Profile)));

        public IReadOnlyList<string> Examples { get; } = ["systolic machine list"];
    }
}
