using System.Text.Json;

namespace Systolic.Tests.Cli;

public class ValidateTests
{
    private static readonly string Reference = Path.Combine(AppContext.BaseDirectory, "Reference", "scalesim_conv.csv");

    [Fact]
    public async Task Groups_are_shown_and_files_written()
    {
        using var folder = new ScratchFolder();

        CommandLine run = await CommandLine.RunAsync("validate", "scalesim", Reference, "--json", folder["s.json"], "--rows", folder["r.csv"]);

        run.Code.Should().Be(0);
        run.Error.Should().BeEmpty();
        run.Out.Should().MatchRegex(@"conv/ws/CALC +114 +114 +0\.00");
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(folder["s.json"], TestContext.Current.CancellationToken));
        json.RootElement.GetProperty("suite").GetString().Should().Be("scalesim");
        json.RootElement.GetProperty("groups").GetArrayLength().Should().Be(6);

        // A header, and 19 figures of 26 rows.
        (await File.ReadAllLinesAsync(folder["r.csv"], TestContext.Current.CancellationToken)).Should().HaveCount(1 + (19 * 26));
    }

    [Theory]
    [InlineData("p.svg", "<?xml")]
    [InlineData("p.png", "\u0089PNG")]
    public async Task Groups_that_begin_so_are_drawn(string file, string start)
    {
        using var folder = new ScratchFolder();

        CommandLine run = await CommandLine.RunAsync("validate", "scalesim", Reference, "--group", "conv/ws", "--plot", folder[file], "--rows", folder["r.csv"]);

        run.Code.Should().Be(0);
        run.Out.Should().Contain("conv/ws/USER").And.NotContain("conv/os");
        (await File.ReadAllTextAsync(folder[file], System.Text.Encoding.Latin1, TestContext.Current.CancellationToken)).Should().StartWith(start);
        (await File.ReadAllTextAsync(folder["r.csv"], TestContext.Current.CancellationToken)).Should().NotContain(",os,");
    }

    [Theory]
    [InlineData("validate nosuch a.csv", "SUITE: found \"nosuch\", expected one of: scalesim, dram, trainium, tpu, gpu, power.")]
    [InlineData("validate scalesim /no/such/file.csv", "/no/such/file.csv: found a file that cannot be read")]
    [InlineData("validate scalesim a.csv --json x --rows x", "--json and --rows name the same file")]
    [InlineData("validate scalesim a.csv --rows x --plot x", "--plot: found \"x\", expected a file that ends in .svg or .png.")]
    [InlineData("validate scalesim a.csv --rows x.svg --plot x.svg", "--rows and --plot name the same file")]
    public async Task Mistake_is_told(string line, string message)
    {
        CommandLine run = await CommandLine.RunAsync(line.Split(' '));

        run.Code.Should().Be(2);
        run.Out.Should().BeEmpty();
        run.Error.Should().StartWith(message);
    }

    [Fact]
    public async Task Skipped_rows_are_counted()
    {
        using var folder = new ScratchFolder();
        string header = (await File.ReadAllLinesAsync(Reference, TestContext.Current.CancellationToken))[0];
        await File.WriteAllTextAsync(
            folder["a.csv"], $"{header}\na,os,1,1,2,2,3,3,1,1,1,1,1,1,CALC,,,,{string.Join(',', Enumerable.Repeat("0", 19))}\n", TestContext.Current.CancellationToken);

        CommandLine run = await CommandLine.RunAsync("validate", "scalesim", folder["a.csv"]);

        run.Code.Should().Be(0);
        run.Out.Should().Contain("Skipped 1: the filter is larger than the input");
    }
}
