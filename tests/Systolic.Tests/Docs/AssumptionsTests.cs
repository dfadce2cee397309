using System.Globalization;
using System.Text.Json;
using Systolic.Accounting;
using Systolic.Machines;

namespace Systolic.Tests.Docs;

/// <summary>The tables of docs/assumptions.md are those of the shipped machine files and of the shipped energy table.</summary>
public sealed class AssumptionsTests
{
    private const string Page = "docs/assumptions.md";

    [Fact]
    public void The_parameter_table_is_that_of_the_presets() => MustBe("parameters", ParameterTable());

    [Fact]
    public void The_energy_table_is_that_of_the_assumed_rows() => MustBe("energy", EnergyTable());

    [Fact]
    public void Every_preset_lists_what_it_assumes() => MachinePresets.Names.Should().OnlyContain(name => Assumed(name).Any());

    private static void MustBe(string name, string expected)
    {
        if (Pages.Generated(Page, name) != expected)
        {
            Assert.Fail($"{Page}: the table \"{name}\" is not what the library ships. Paste this between its two comments:\n\n{expected}");
        }
    }

    /// <summary>One line per parameter, value and reason; machines that share all three share the line.</summary>
    private static string ParameterTable() => Table(
        ["parameter", "value", "machines", "reason"],
        MachinePresets.Names.SelectMany(Assumed)
            .GroupBy(row => (row.Parameter, row.Value, row.Reason))
            .Select(group => new[] { group.Key.Parameter, group.Key.Value, string.Join(", ", group.Select(row => row.Machine)), group.Key.Reason }));

    private static string EnergyTable() => Table(
        ["activity", "node, nm", "machine", "pJ", "range", "basis", "notes"],
        EnergyReferenceTable.Default.Rows.Where(row => row.Confidence == EnergyConfidence.Assumed)
            .Select(row => new[] { row.Activity.ToString(), Number(row.NodeNanometres), row.MachineClass, Picojoules(row.Value.Joules), $"{Picojoules(row.Low.Joules)} to {Picojoules(row.High.Joules)}", row.Source, row.Notes }));

    private static IEnumerable<(string Machine, string Parameter, string Value, string Reason)> Assumed(string machine)
    {
        using JsonDocument json = JsonDocument.Parse(MachinePresets.Json(machine));
        JsonElement root = json.RootElement.Clone();
        return root.GetProperty("assumed").EnumerateArray().Select(item =>
        {
            string parameter = item.GetProperty("parameter").GetString()!;
            return (machine, parameter, Value(root, parameter), item.GetProperty("reason").GetString()!);
        });
    }

    /// <summary>The value at a dotted path; "rule" where the assumption is none of the file's values.</summary>
    private static string Value(JsonElement root, string path)
    {
        JsonElement found = root;
        foreach (string key in path.Split('.'))
        {
            if (found.ValueKind != JsonValueKind.Object || !found.TryGetProperty(key, out found))
            {
                return "rule";
            }
        }

        return found.ToString();
    }

    private static string Picojoules(double joules) => Number(joules * 1e12);

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    private static string Table(string[] head, IEnumerable<string[]> rows)
    {
        string[][] lines = [head, [.. head.Select(_ => "--")], .. rows];
        return string.Concat(lines.Select(cells => $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|")))} |\n"));
    }
}
