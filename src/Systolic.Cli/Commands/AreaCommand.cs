using System.CommandLine;
using System.Globalization;
using Systolic.Accounting;
using Systolic.Cli.Rendering;
using Systolic.Reporting;

namespace Systolic.Cli.Commands;

/// <summary>`systolic machine area NAME`: die area by component, and the cost of a good die.</summary>
internal sealed class AreaCommand : Command, IHasExamples
{
    private readonly Terminal _terminal;
    private readonly Library _library;
    private readonly Argument<string> _name = new("NAME") { Description = "A preset, or a machine file." };
    private readonly Option<double?> _wafer = PricingOptions.Price("--wafer-price", "Price of a processed 300 mm wafer, for the cost of a good die.");
    private readonly Option<double?> _defects = PricingOptions.Price("--defects-per-cm2", "Defect density (0.014: a 16 nm process in 2017).");

    public AreaCommand(Terminal terminal, Library library)
        : base("area", "Prints the die area by component, estimated from published areas, or the die as the vendor states it.")
    {
        (_terminal, _library) = (terminal, library);
        _name.CompletionSources.Add([.. library.MachineNames]);
        Add(_name);
        Add(_wafer);
        Add(_defects);
        SetAction(Run);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } = ["systolic machine area trn2", "systolic machine area trn2 --wafer-price 16000"];

    private int Run(ParseResult parsed)
    {
        MachineProfile machine = _library.LoadMachine(parsed.GetRequiredValue(_name)).Profile;
        if (machine.Area is not { } area)
        {
            throw new UsageException($"{machine.Name}: found no die area, neither in its file nor in the area table for {machine.Energy.NodeNanometres} nm. State it as area.dieSquareMillimetres.");
        }

        var table = new TextTable(new("component", true), new("mm2"), new("low"), new("high"), new("source", true));
        foreach (AreaPart part in area.Parts.Append(new AreaPart("total", area.Total, area.Low, area.High, "")))
        {
            table.Add(part.Component, Millimetres(part.Value), Millimetres(part.Low), Millimetres(part.High), part.Source);
        }

        table.Draw(_terminal.Results);
        if (parsed.GetValue(_wafer) is { } price)
        {
            var cost = new DieCost(price, parsed.GetValue(_defects) ?? 0.014);
            _terminal.Out.WriteLine(FormattableString.Invariant(
                $" {cost.DiesPerWafer(area.Total)} dies per wafer, yield {cost.Yield(area.Total):P0}: {cost.PerGoodDie(area.Total):F0} per good die (Hennessy and Patterson; one die, without memory, package and test)"));
        }

        return ExitCode.Success;
    }

    private static string Millimetres(double value) => value.ToString("F1", CultureInfo.InvariantCulture);
}
