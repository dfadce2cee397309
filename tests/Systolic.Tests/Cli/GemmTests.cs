using System.Text.Json;

namespace Systolic.Tests.Cli;

public class GemmTests
{
    [Fact]
    public async Task Product_on_one_machine_prints_its_figures()
    {
        CommandLine run = await CommandLine.RunAsync("gemm", "64", "64", "64", "--machine", "array");

        run.Code.Should().Be(0);
        run.Error.Should().BeEmpty();
        run.Out.Should().Contain("matmul, 64x64x64: array").And.Contain("Where the time went").And.Contain("matrix work")
            .And.Contain("array: 2 of its parameters are assumed, not documented.");
    }

    [Fact]
    public async Task Product_on_two_machines_is_a_comparison()
    {
        CommandLine run = await CommandLine.RunAsync("gemm", "64", "64", "64", "--machine", "array", "--baseline", "other");

        run.Out.Should().Contain("array against other").And.Contain("ratio: array over other").And.Contain("Operators by time, other");
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(140)]
    public async Task Every_line_fits_the_width(int width)
    {
        CommandLine run = await CommandLine.RunAsync(CommandLine.Fakes, width, TestContext.Current.CancellationToken, "gemm", "64", "64", "64", "--machine", "array", "--baseline", "other");

        run.Out.Split('\n').Should().OnlyContain(line => line.TrimEnd().Length <= width);
        run.Out.Should().NotContain("\u001b");
    }

    [Fact]
    public async Task Files_hold_both_machines_and_appear_whole()
    {
        using var folder = new ScratchFolder();
        CommandLine run = await CommandLine.RunAsync(
            "gemm", "64", "64", "64", "--machine", "array", "--baseline", "other",
            "--json", folder["out.json"], "--csv", folder["out.csv"], "--markdown", folder["out.md"], "--trace", folder["trace.json"]);

        run.Code.Should().Be(0);
        folder.Files.Should().BeEquivalentTo("out.json", "out.csv", "out.md", "trace.json");
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(folder["out.json"], TestContext.Current.CancellationToken));
        json.RootElement.GetProperty("machines").EnumerateArray().Select(machine => machine.GetProperty("machine").GetString()).Should().Equal("array", "other");
        json.RootElement.GetProperty("comparison").GetProperty("baseline").GetString().Should().Be("other");

        // A header, and three operators of each machine.
        (await File.ReadAllLinesAsync(folder["out.csv"], TestContext.Current.CancellationToken)).Should().HaveCount(7);
        (await File.ReadAllTextAsync(folder["trace.json"], TestContext.Current.CancellationToken)).Should().Contain("\"ph\":\"X\"");
    }

    [Fact]
    public async Task Failed_run_leaves_no_file_and_keeps_the_old_one()
    {
        using var folder = new ScratchFolder();
        await File.WriteAllTextAsync(folder["out.json"], "old", TestContext.Current.CancellationToken);

        CommandLine run = await CommandLine.RunAsync("gemm", "1", "1", "1", "--machine", "full", "--json", folder["out.json"], "--csv", folder["out.csv"]);

        run.Code.Should().Be(2);
        folder.Files.Should().Equal("out.json");
        (await File.ReadAllTextAsync(folder["out.json"], TestContext.Current.CancellationToken)).Should().Be("old");
    }

    [Fact]
    public async Task Same_command_writes_the_same_bytes()
    {
        using var folder = new ScratchFolder();
        foreach (string name in (string[])["a.json", "b.json"])
        {
            await CommandLine.RunAsync("gemm", "64", "64", "64", "--machine", "array", "--json", folder[name]);
        }

        (await File.ReadAllBytesAsync(folder["a.json"], TestContext.Current.CancellationToken))
            .Should().Equal(await File.ReadAllBytesAsync(folder["b.json"], TestContext.Current.CancellationToken));
    }
}
