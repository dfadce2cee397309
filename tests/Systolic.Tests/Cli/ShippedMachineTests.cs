using System.Text.Json;
using Systolic.Cli;

namespace Systolic.Tests.Cli;

public class ShippedMachineTests
{
    [Theory]
    [InlineData("prefill", "--tokens")]
    [InlineData("decode", "--context")]
    [InlineData("training", "--tokens")]
    public async Task Model_runs_in_every_phase_and_its_figures_hold_together(string phase, string size)
    {
        using var folder = new ScratchFolder();
        CommandLine run = await CommandLine.RunAsync(
            Library.Shipped, 80, TestContext.Current.CancellationToken,
            "compare", "--model", "gpt2", "--machine", "trn2", "--baseline", "h100", "--phase", phase, size, "256", "--json", folder["out.json"]);

        // A run of more than two seconds tells how far it is.
        run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.Contains(" operators, at ", StringComparison.Ordinal)).Should().BeEmpty();
        run.Code.Should().Be(0);
        run.Out.Split('\n').Should().OnlyContain(line => line.TrimEnd().Length <= 80);
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(folder["out.json"], TestContext.Current.CancellationToken));
        foreach (JsonElement machine in json.RootElement.GetProperty("machines").EnumerateArray())
        {
            decimal operators = machine.GetProperty("operators").EnumerateArray().Sum(op => op.GetProperty("total_time_s").GetDecimal());
            (operators + machine.GetProperty("overhead_s").GetDecimal()).Should().Be(machine.GetProperty("time_s").GetDecimal());
            machine.GetProperty("time_s").GetDecimal().Should().BeGreaterThanOrEqualTo(machine.GetProperty("lower_bound_s").GetDecimal());
            machine.GetProperty("cycle_stack").EnumerateObject().Sum(part => part.Value.GetInt64()).Should().Be(machine.GetProperty("total_cycles").GetInt64());
            double parts = machine.GetProperty("energy_breakdown_j").EnumerateObject().Sum(part => part.Value.GetDouble());
            parts.Should().BeApproximately(machine.GetProperty("energy_j").GetDouble(), 1e-9 * parts);
        }
    }

    [Theory]
    [InlineData("--phase training", 2)]
    [InlineData("--phase training --ignore-capacity", 0)]
    [InlineData("--phase finetune --lora-rank 16 --lora-targets q_proj,v_proj", 0)]
    [InlineData("--phase training --layers 1 --batch 4 --micro-batches 2 --recompute selective", 0)]
    public async Task Model_that_does_not_fit_is_refused_unless_told(string options, int code)
    {
        CommandLine run = await CommandLine.RunAsync(
            Library.Shipped, 80, TestContext.Current.CancellationToken, ["run", "--model", "llama-3-8b", "--machine", "h100", "--tokens", "128", .. options.Split(' ')]);

        run.Code.Should().Be(code);
        run.Error.Contains("expected at most 80.000 GiB", StringComparison.Ordinal).Should().Be(code == 2);
        run.Out.Contains("What main memory holds", StringComparison.Ordinal).Should().Be(code == 0);
    }

    [Fact]
    public async Task Unknown_machine_is_told_with_those_that_exist()
    {
        CommandLine run = await CommandLine.RunAsync(Library.Shipped, 80, TestContext.Current.CancellationToken, "gemm", "1", "1", "1", "--machine", "h1000");

        run.Code.Should().Be(2);
        run.Error.Should().Contain("h1000").And.Contain("h100");
    }
}
