namespace Systolic.Tests.Cli;

public class DiffTests
{
    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(120)]
    public async Task Changes_between_two_runs_are_shown_and_written(int width)
    {
        using var folder = new ScratchFolder();
        await CommandLine.RunAsync("gemm", "64", "64", "64", "--machine", "array", "--json", folder["a.json"]);
        await CommandLine.RunAsync("gemm", "64", "64", "64", "--machine", "other", "--json", folder["b.json"]);

        CommandLine run = await CommandLine.RunAsync(
            CommandLine.Fakes, width, TestContext.Current.CancellationToken,
            "diff", folder["a.json"], folder["b.json"], "--json", folder["d.json"], "--csv", folder["d.csv"], "--markdown", folder["d.md"]);

        run.Error.Should().BeEmpty();
        run.Code.Should().Be(0);
        run.Out.Should().Contain("From ").And.Contain("array").And.Contain("other").And.Contain("Operators by energy").And.Contain("Energy by component");
        run.Out.Split('\n').Should().OnlyContain(line => line.TrimEnd().Length <= width);
        (await File.ReadAllTextAsync(folder["d.json"], TestContext.Current.CancellationToken)).Should().Contain("systolic-diff/1");
        (await File.ReadAllTextAsync(folder["d.csv"], TestContext.Current.CancellationToken)).Should().StartWith("section,name,unit,before,after,change,ratio,mostly\r\ntime,time,s,");
        (await File.ReadAllTextAsync(folder["d.md"], TestContext.Current.CancellationToken)).Should().StartWith("# From ");
    }

    [Fact]
    public async Task Of_a_comparison_the_machine_is_named()
    {
        using var folder = new ScratchFolder();
        await CommandLine.RunAsync("gemm", "64", "64", "64", "--machine", "array", "--baseline", "other", "--json", folder["c.json"]);

        CommandLine unnamed = await CommandLine.RunAsync("diff", folder["c.json"], folder["c.json"]), named = await CommandLine.RunAsync("diff", folder["c.json"], folder["c.json"], "--machine", "other");

        (unnamed.Code, unnamed.Error.Trim()).Should().Be((2, $"{folder["c.json"]}: found runs on array and other, expected one; say which with --machine."));
        named.Code.Should().Be(0);
        named.Out.Should().Contain("Nothing changed.").And.NotContain("Operators by time");
    }

    [Fact]
    public async Task A_file_that_is_no_report_is_told()
    {
        using var folder = new ScratchFolder();
        await File.WriteAllTextAsync(folder["a.json"], "{ \"schema\": \"other/1\" }", TestContext.Current.CancellationToken);

        CommandLine wrong = await CommandLine.RunAsync("diff", folder["a.json"], folder["a.json"]), missing = await CommandLine.RunAsync("diff", folder["no.json"], folder["a.json"]);

        (wrong.Code, missing.Code).Should().Be((2, 2));
        wrong.Error.Should().Contain("a.json: schema: found \"other/1\", expected \"systolic-report/1\"");
        missing.Error.Should().Contain("no.json: found a file that cannot be read");
    }
}
