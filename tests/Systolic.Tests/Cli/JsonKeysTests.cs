using System.Text.Json;

namespace Systolic.Tests.Cli;

public class JsonKeysTests
{
    [Fact]
    public async Task Each_machine_has_the_documented_keys()
    {
        using var folder = new ScratchFolder();
        await CommandLine.RunAsync("gemm", "64", "64", "64", "--machine", "array", "--baseline", "other", "--json", folder["out.json"]);
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(folder["out.json"], TestContext.Current.CancellationToken));

        json.RootElement.GetProperty("schema").GetString().Should().Be("systolic-report/1");
        foreach (JsonElement machine in json.RootElement.GetProperty("machines").EnumerateArray())
        {
            Keys(machine).Should().Contain(
            [
                "machine", "model", "phase", "total_cycles", "time_s", "lower_bound_s", "tensor_utilization", "mfu", "mbu", "energy_j", "energy_breakdown_j",
                "cycle_stack", "bytes", "operators", "assumptions", "clock_hz", "tokens", "tokens_per_s", "energy_per_token_j", "energy_low_j", "energy_high_j",
                "hfu", "power_w", "engines", "scratchpad_high_water_bytes", "explanation",
            ]);
            Keys(machine.GetProperty("operators")[0]).Should().Contain(
                ["name", "kind", "shape", "repeat", "time_s", "cycles", "macs", "bytes", "energy_j", "mapping", "bound_s", "cycle_stack"]);
        }
    }

    private static IEnumerable<string> Keys(JsonElement element) => element.EnumerateObject().Select(property => property.Name);
}
