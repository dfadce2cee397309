using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Systolic.Cli.Output;
using Systolic.Cli.Rendering;
using Systolic.Components;

namespace Systolic.Cli.Commands;

/// <summary>`systolic dram`: a stream of requests through an off-chip memory at the level of commands.</summary>
internal sealed class DramStreamCommand : Command, IHasExamples
{
    private static readonly DramPolicy[] Policies = [DramPolicy.Ramulator2, DramPolicy.Ramulator2RowHit, DramPolicy.Dramsim3];
    private static readonly string[] Refreshes = ["all-bank", "per-bank", "off"];

    private readonly Terminal _terminal;
    private readonly Option<string> _standard = SharedOptions.Choice("--standard", "The device of a channel.", [.. DramStandards.Names]);
    private readonly Option<double?> _rate = new("--data-rate") { Description = "Gb/s per pin, where it differs from the standard's own.", HelpName = "GBPS", CustomParser = Number };
    private readonly Option<string> _policy = SharedOptions.Choice("--policy", "The rules of the controllers.", [.. Policies.Select(policy => policy.Name)]);
    private readonly Option<string> _refresh = SharedOptions.Choice("--refresh", "What is refreshed at a time.", Refreshes);
    private readonly Option<long?> _channels = SharedOptions.Size("--channels", "Channels, a power of two; 1 unless given.");
    private readonly Option<string> _mapping = new("--mapping")
    {
        Description = "fine, coarse, mop4, or address fields from the least significant one up.",
        HelpName = "BITS",
        DefaultValueFactory = _ => "fine",
    };

    private readonly Option<string> _pattern = new("--pattern")
    {
        Description = $"The stream: {string.Join(", ", DramPattern.Names.Select(name => name.EndsWith('@') ? name + "BYTES" : name))}.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "seq_rd",
    };

    private readonly Option<long?> _requests = SharedOptions.Size("--requests", "Bursts of the stream; 1,000,000 unless given.");
    private readonly Option<string> _injection = new("--injection")
    {
        Description = "greedy, perchan, windowN or rateN (percent of the peak).",
        HelpName = "HOW",
        DefaultValueFactory = _ => "greedy",
    };

    private readonly Option<bool> _reference = new("--reference") { Description = "Step every tick: slow, and the same result." };
    private readonly Option<string?> _json = new("--json") { Description = "Write the result as JSON.", HelpName = "FILE" };

    public DramStreamCommand(Terminal terminal)
        : base("dram", "Runs a stream of requests through an off-chip memory, command by command.")
    {
        _terminal = terminal;
        foreach (Option option in (Option[])[_standard, _rate, _policy, _refresh, _channels, _mapping, _pattern, _requests, _injection, _reference, _json])
        {
            Add(option);
        }

        SetAction((parsed, cancellation) => Task.Run(() => Run(parsed, cancellation), cancellation));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Examples { get; } =
    [
        "systolic dram --standard HBM2 --policy dramsim3 --pattern seq_rd --requests 10000000",
        "systolic dram --standard HBM3 --channels 16 --injection perchan --pattern rand@512",
        "systolic dram --standard HBM2E --data-rate 3.6 --mapping coarse --pattern tile --json tile.json",
    ];

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        using OutputFile? json = parsed.GetValue(_json) is { } path ? OutputFile.Open(_json.Name, path) : null;
        try
        {
            DramDevice device = Device(parsed);
            var pattern = DramPattern.Parse(parsed.GetRequiredValue(_pattern), device);
            var injection = DramInjection.Parse(parsed.GetRequiredValue(_injection));
            DramFidelity fidelity = parsed.GetValue(_reference) ? DramFidelity.Reference : DramFidelity.Fast;
            var watch = Stopwatch.StartNew();
            DramTrafficReport report = DramTraffic.Run(device, pattern, parsed.GetValue(_requests) ?? 1_000_000, injection, fidelity, cancellation);
            watch.Stop();
            json?.Write(stream => DramTrafficWriter.WriteJson(stream, report));
            DramTable.Write(_terminal.Out, report, watch.Elapsed.TotalSeconds);
            return ExitCode.Success;
        }
        catch (Exception refused) when (refused is ArgumentException or InvalidOperationException)
        {
            throw new UsageException(refused.Message);
        }
    }

    private DramDevice Device(ParseResult parsed)
    {
        DramPolicy policy = Policies.First(known => known.Name == parsed.GetRequiredValue(_policy)) with
        {
            Refresh = (DramRefresh)Array.IndexOf(Refreshes, parsed.GetRequiredValue(_refresh)),
        };
        var standard = DramStandards.Get(parsed.GetRequiredValue(_standard), policy);
        return new DramDevice(
            parsed.GetValue(_rate) is { } rate ? standard.AtDataRate(rate) : standard, (int)(parsed.GetValue(_channels) ?? 1), parsed.GetRequiredValue(_mapping), policy);
    }

    private static double? Number(System.CommandLine.Parsing.ArgumentResult result)
    {
        string found = result.Tokens[0].Value;
        if (double.TryParse(found, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number > 0)
        {
            return number;
        }

        result.AddError($"--data-rate: found \"{found}\", expected a number above 0, such as 3.2.");
        return null;
    }
}
