using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>Reads the runs of a JSON report; what it reads must be there, of its kind, and sum up.</summary>
internal static class RunSummaryReader
{
    private const string Remedy = "write the report again with --json of this version";
    private const double Most = 1e15;
    private const double Close = 1e-6;

    /// <summary>The runs.</summary>
    /// <exception cref="InvalidDocumentException">The document is no such report.</exception>
    public static ImmutableArray<RunSummary> Read(JsonSection root)
    {
        string schema = root.Text("schema");
        if (schema != JsonReportWriter.Schema)
        {
            root.Problem("schema", $"found \"{(schema.Length <= 60 ? schema : schema[..57] + "...")}\", expected \"{JsonReportWriter.Schema}\": {Remedy}");
            root.Finish();
        }

        ImmutableArray<JsonSection> machines = root.Sections("machines");
        if (machines.IsEmpty)
        {
            root.Problem("machines", $"found no run, expected one or two: {Remedy}");
        }

        ImmutableArray<RunSummary> runs = [.. machines.Select(Run)];
        root.Finish();
        return runs;
    }

    private static RunSummary Run(JsonSection run)
    {
        double clock = run.Number("clock_hz", 1, 1e15);
        (double seconds, double joules) = (run.Number("time_s", 1e-15, Most), run.Number("energy_j", 0, Most));
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        ImmutableArray<OperatorSummary> operators = [.. run.Sections("operators").Select(op => Operator(op, clock, names))];
        double overhead = run.Number("overhead_s", 0, Most), energy = operators.Sum(op => op.Joules);
        RequireSum(run, "time_s", "of the operators and overhead_s", seconds, operators.Sum(op => op.Seconds) + overhead);
        if (energy > joules * (1 + Close))
        {
            run.Problem("energy_j", FormattableString.Invariant($"found {joules}, expected at least the {energy} of the operators: {Remedy}"));
        }

        return new RunSummary
        {
            Machine = run.Text("machine"),
            Model = run.Text("model"),
            Phase = run.Text("phase"),
            Seconds = seconds,
            Joules = joules,
            Operators = [.. operators, new OperatorSummary("(between operators)", overhead, Math.Max(0, joules - energy), [])],
            Stack = Stack(run, "total_cycles", clock),
            Energy = Amounts(run, "energy_breakdown_j", 1),
            Engines = Engines(run.Section("engines"), seconds),
            Levels = Amounts(run, "bytes", 1),
        };
    }

    private static OperatorSummary Operator(JsonSection op, double clock, Dictionary<string, int> names)
    {
        string name = op.Text("name");
        int count = names[name] = names.GetValueOrDefault(name) + 1;
        long repeat = op.Integer("repeat", 1, long.MaxValue);
        return new OperatorSummary(
            count == 1 ? name : FormattableString.Invariant($"{name} #{count}"), op.Number("total_time_s", 0, Most), op.Number("total_energy_j", 0, Most),
            [.. Stack(op, "cycles", clock).Select(part => part with { Value = part.Value * repeat })]);
    }

    /// <summary>The cycle stack in seconds.</summary>
    private static ImmutableArray<Amount> Stack(JsonSection section, string total, double clock)
    {
        ImmutableArray<Amount> stack = Amounts(section, "cycle_stack", 1 / clock);
        RequireSum(section, total, "of cycle_stack", section.Integer(total, 0, long.MaxValue), stack.Sum(part => part.Value) * clock);
        return stack;
    }

    private static void RequireSum(JsonSection section, string key, string what, double found, double sum)
    {
        if (Math.Abs(found - sum) > Close * Math.Max(found, sum))
        {
            section.Problem(key, FormattableString.Invariant($"found {found}, expected the sum {what}, {sum}: {Remedy}"));
        }
    }

    private static ImmutableArray<Amount> Amounts(JsonSection section, string key, double unit)
    {
        JsonSection amounts = section.Section(key);
        return [.. amounts.Keys.Select(name => new Amount(Words(name), amounts.Number(name, 0, Most) * unit))];
    }

    private static ImmutableArray<Amount> Engines(JsonSection engines, double seconds) =>
    [
        .. engines.Keys.Select(name =>
        {
            JsonSection engine = engines.Section(name);
            return new Amount(Words(name), engine.Number("utilization", 0, 1) * engine.Integer("instances", 1, int.MaxValue) * seconds);
        }),
    ];

    private static string Words(string key) => key.Replace('_', ' ');
}
