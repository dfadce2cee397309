using System.Collections.Immutable;
using Spectre.Console;
using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Cli.Output;

/// <summary>Runs a workload on a machine in the background and shows how far it is.</summary>
internal static class BackgroundRun
{
    private static readonly SimTime Longest = new(long.MaxValue);

    /// <summary>Runs <paramref name="graph"/>.</summary>
    /// <exception cref="UsageException">Even at peak the run would exceed the time axis, or the machine's process node has no energy prices.</exception>
    public static Task<RunReport> RunAsync(IMachine machine, OperatorGraph graph, RunOptions options, Terminal terminal, CancellationToken cancellation)
    {
        RefuseEndless(machine.Profile, graph);
        RefuseUnpriced(machine.Profile, options.Prices ?? EnergyReferenceTable.Default);
        return terminal.ErrorIsTerminal
            ? WithBarAsync(machine, graph, options, terminal.Messages, cancellation)
            : Task.Run(() => machine.Run(graph, options, new PlainProgress(terminal.Error, machine.Profile.Name, TimeProvider.System), cancellation), cancellation);
    }

    private static Task<RunReport> WithBarAsync(IMachine machine, OperatorGraph graph, RunOptions options, IAnsiConsole console, CancellationToken cancellation) =>
        console.Progress().AutoClear(true).StartAsync(context =>
        {
            ProgressTask bar = context.AddTask(Markup.Escape(machine.Profile.Name));
            return Task.Run(() => machine.Run(graph, options, new BarProgress(bar), cancellation), cancellation);
        });

    private static void RefuseEndless(MachineProfile machine, OperatorGraph graph)
    {
        double seconds = graph.Macs.Value / machine.PeakMacsPerSecond.Values.DefaultIfEmpty(double.PositiveInfinity).Max();
        if (seconds > Longest.Seconds)
        {
            throw new UsageException(FormattableString.Invariant(
                $"The workload has {graph.Macs}, which take {machine.Name} at least {seconds / 3600:G3} hours; simulated time is limited to {Longest.Seconds / 3600:G2} hours. Make it smaller."));
        }
    }

    private static void RefuseUnpriced(MachineProfile machine, EnergyReferenceTable prices)
    {
        ImmutableArray<int> nodes = prices.Nodes(machine.Energy.MachineClass);
        if (!nodes.Contains(machine.Energy.NodeNanometres))
        {
            throw new UsageException(FormattableString.Invariant(
                $"{machine.Name}: found the process node {machine.Energy.NodeNanometres} nm, expected one with energy prices: {string.Join(", ", nodes)} nm."));
        }
    }

    private sealed class BarProgress(ProgressTask bar) : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            bar.MaxValue = Math.Max(1, value.Total);
            bar.Value = value.Done;
        }
    }
}
