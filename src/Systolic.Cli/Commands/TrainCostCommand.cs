using System.CommandLine;
using System.Globalization;
using Systolic.Cli.Output;
using Systolic.Cli.Rendering;
using Systolic.Exploration;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Cli.Commands;

/// <summary>`systolic train-cost`: the compute-optimal model for a budget, and what training it takes.</summary>
internal sealed class TrainCostCommand : Command, IHasExamples
{
    private static readonly string[] Approaches = ["1", "2", "3"];

    private readonly Terminal _terminal;
    private readonly Library _library;
    private readonly Option<double?> _flops = Positive("--flops", "Compute budget in FLOP, such as 1e24.");
    private readonly Option<double?> _parameters = Positive("--params", "Parameters of the model, in place of a budget.");
    private readonly Option<double?> _tokens = Positive("--tokens", "Tokens to train on, with --params; the compute-optimal number unless given.");
    private readonly Option<string> _approach = SharedOptions.Choice("--approach", "Of Hoffmann et al. 2022: 1 training curves, 2 IsoFLOP profiles, 3 parametric loss.", Approaches);
    private readonly ParallelOptions _parallel = new();
    private readonly Option<string> _machine;
    private readonly Option<string?> _baseline = new("--baseline") { Description = "A machine to hold it against.", HelpName = "NAME|FILE" };
    private readonly PricingOptions _pricing = new();

    public TrainCostCommand(Terminal terminal, Library library)
        : base("train-cost", "Compute-optimal model and tokens for a budget, and the time, energy and cost of training it.")
    {
        (_terminal, _library) = (terminal, library);
        _machine = SharedOptions.Machine("--machine", "A preset, or a machine file.", "trn2", library);
        _baseline.CompletionSources.Add([.. library.MachineNames]);
        foreach (Option option in (Option[])[_flops, _parameters, _tokens, _approach, _machine, _baseline])
        {
            Add(option);
        }

        _parallel.AddTo(this, microBatches: true);
        _pricing.AddTo(this, baseline: true);
        SetAction(RunAsync);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } =
    [
        "systolic train-cost --flops 1e24 --machine trn2 --baseline h100 --chips 1024",
        "systolic train-cost --flops 1e24 --approach 3 --chips 1024 --price-per-chip-hour 1.5 --price-per-kwh 0.08",
        "systolic train-cost --flops 1e24 --chips 1024 --tensor-parallel 4 --pipeline 4 --micro-batches 32 --shard-optimizer",
        "systolic train-cost --params 7e9 --tokens 2e12 --machine trn2 --chips 256",
    ];

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        ComputeOptimal plan = Plan(parsed);
        ParallelPlan? parallel = _parallel.Divides(parsed) ? _parallel.Plan(parsed) : null;
        OperatorGraph step = parallel is null ? TrainingCost.StepOf(plan.Parameters) : TrainingCost.MicroBatchOf(plan.Parameters);
        string[] machines = [parsed.GetRequiredValue(_machine), .. parsed.GetValue(_baseline) is { } other ? [other] : (string[])[]];
        IMachine[] loaded = [.. machines.Select(_library.LoadMachine).Select(machine => parallel is null ? machine : ParallelOptions.Divide(machine, parallel, step))];
        var options = new RunOptions { Prices = _pricing.Table(parsed), IgnoreCapacity = true };
        var costs = new List<TrainingCost>();
        foreach (IMachine machine in loaded)
        {
            costs.Add(TrainingCost.From(await BackgroundRun.RunAsync(machine, step, options, _terminal, cancellation), plan, parallel));
        }

        Show(plan, costs, parallel, parallel?.Chips ?? _parallel.Chips(parsed), [_pricing.Cost(parsed), _pricing.BaselineCost(parsed)]);
        return ExitCode.Success;
    }

    private ComputeOptimal Plan(ParseResult parsed)
    {
        double? flops = parsed.GetValue(_flops), parameters = parsed.GetValue(_parameters), tokens = parsed.GetValue(_tokens);
        if (flops is null == parameters is null)
        {
            throw new UsageException("Found both or neither of --flops and --params, expected one of them.");
        }

        if (tokens is not null && parameters is null)
        {
            throw new UsageException("--tokens has no meaning with --flops, of which they follow; give --params.");
        }

        var approach = (ScalingApproach)(Array.IndexOf(Approaches, parsed.GetRequiredValue(_approach)) + 1);
        return flops is { } budget ? ComputeOptimal.ForFlops(budget, approach)
            : tokens is { } given ? new ComputeOptimal(parameters!.Value, given)
            : ComputeOptimal.ForParameters(parameters!.Value, approach);
    }

    private void Show(ComputeOptimal plan, List<TrainingCost> costs, ParallelPlan? parallel, long chips, RunningCost?[] prices)
    {
        TextWriter output = _terminal.Out;
        output.WriteLine(FormattableString.Invariant($"Model of {plan.Parameters / 1e9:G4} billion parameters on {plan.Tokens / 1e9:G4} billion tokens: {plan.Flops:G4} FLOP."));
        string how = parallel is null ? FormattableString.Invariant($"of which one is simulated; {chips} chips that scale perfectly.") : FormattableString.Invariant($"all simulated on {chips} chips: {parallel}.");
        output.WriteLine(FormattableString.Invariant($"{costs[0].Layers:F1} layers of {TrainingCost.LayerOf(plan.Parameters).Shape.Hidden} features, {how}"));
        var table = new TextTable([new Column("", true), .. costs.Select(cost => new Column(cost.Layer.Machine.Name))]);
        table.Add("time", costs.Select(cost => FormattableString.Invariant($"{cost.Days(chips):G4} days")));
        table.Add("chip hours", costs.Select(cost => cost.ChipHours.ToString("N0", CultureInfo.InvariantCulture)));
        table.Add("energy", costs.Select(cost => FormattableString.Invariant($"{cost.MegawattHours:G4} MWh")));
        table.Add("power of a chip", costs.Select(cost => (cost.Layer.Power * (1.0 / (parallel?.Chips ?? 1))).ToString()));
        table.Add("MFU", costs.Select(cost => Text.Percent(cost.Layer.Mfu)));
        table.Add("energy per FLOP", costs.Select(cost => cost.Layer.EnergyPerFlop.ToString()));
        table.Add("energy per token", costs.Select(cost => FormattableString.Invariant($"{cost.MegawattHours * 3.6e9 / plan.Tokens:G4} J")));
        if (prices.Any(price => price is not null))
        {
            table.Add("cost", costs.Select((cost, i) => prices[i] is { } price ? cost.Cost(price).ToString("N0", CultureInfo.InvariantCulture) : "no price"));
        }

        table.Draw(_terminal.Results);
        output.WriteLine($" Chips and their memory only: {(parallel is null ? "exchange between chips, " : "")}hosts, cooling and restarts are left out.");
    }

    private static Option<double?> Positive(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "NUMBER",
        CustomParser = result =>
        {
            string found = result.Tokens[0].Value;
            if (double.TryParse(found, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value) && value is >= 1e6 and <= 1e30)
            {
                return value;
            }

            result.AddError($"{name}: found \"{found}\", expected a number from 1e6 to 1e30, such as 1e24.");
            return null;
        },
    };
}
