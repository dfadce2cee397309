using System.CommandLine;
using Systolic.Cli.Output;
using Systolic.Cli.Rendering;
using Systolic.Components;

namespace Systolic.Cli.Commands;

/// <summary>`systolic scalesim`: SCALE-Sim v3 in compatibility mode, from its own input files to its own report files.</summary>
internal sealed class ScaleSimCommand : Command, IHasExamples
{
    private const string Convolutions = "conv";
    private const string Gemms = "gemm";

    private readonly Terminal _terminal;
    private readonly Option<string> _configuration = new("--config", "-c") { Description = "A configuration of SCALE-Sim v3.", HelpName = "FILE.cfg", Required = true };
    private readonly Option<string> _topology = new("--topology", "-t") { Description = "Its layers.", HelpName = "FILE.csv", Required = true };
    private readonly Option<string> _input = SharedOptions.Choice("--input", "What the layers are.", [Convolutions, Gemms]);
    private readonly Option<string> _output = new("--output", "-o") { Description = "The folder for the three report files; made if missing.", HelpName = "DIR", Required = true };

    public ScaleSimCommand(Terminal terminal)
        : base("scalesim", "Reproduces what SCALE-Sim v3 reports, its quirks included, without walking every word.")
    {
        _terminal = terminal;
        _input.Aliases.Add("-i");
        Add(_configuration);
        Add(_topology);
        Add(_input);
        Add(_output);
        SetAction((parsed, cancellation) => Task.Run(() => Run(parsed, cancellation), cancellation));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } =
    [
        "systolic scalesim -c scale.cfg -t resnet18.csv -o reports",
        "systolic scalesim -c scale.cfg -t vit_l.csv -i gemm -o reports",
    ];

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var configuration = ScaleSimConfiguration.Read(parsed.GetRequiredValue(_configuration));
        string path = parsed.GetRequiredValue(_topology);
        ScaleSimTopology topology = parsed.GetRequiredValue(_input) == Gemms ? ScaleSimTopology.ReadGemms(path) : ScaleSimTopology.ReadConvolutions(path);
        using var files = ScaleSimFiles.Open(_output.Name, parsed.GetRequiredValue(_output));
        var reports = new List<ScaleSimReport>(topology.Layers.Length);
        foreach (ScaleSimLayer layer in topology.Layers)
        {
            cancellation.ThrowIfCancellationRequested();
            reports.Add(ScaleSimModel.Run(configuration, layer));
        }

        files.Write(reports);
        ScaleSimTable.Write(_terminal.Out, configuration, reports);
        return ExitCode.Success;
    }
}
