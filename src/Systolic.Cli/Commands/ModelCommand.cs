using System.CommandLine;
using Systolic.Cli.Rendering;

namespace Systolic.Cli.Commands;

/// <summary>`systolic model list|show`: the models that come with the library.</summary>
internal sealed class ModelCommand : Command, IHasExamples
{
    public ModelCommand(Terminal terminal, Library library)
        : base("model", "Lists the models that come with systolic, or prints one to start from.")
    {
        Add(new ListCommand(terminal, library));
        Add(new ShowCommand("model", library.ModelNames, library.ModelJson, terminal));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } = ["systolic model list", "systolic model show llama-3-8b > config.json"];

    private sealed class ListCommand : Command, IHasExamples
    {
        public ListCommand(Terminal terminal, Library library)
            : base("list", "Lists the models with their sizes.") =>
            SetAction(_ => ModelTable.Show(terminal.Results, library.ModelNames.Select(library.LoadModel)));

        public IReadOnlyList<string> Examples { get; } = ["systolic model list"];
    }
}
