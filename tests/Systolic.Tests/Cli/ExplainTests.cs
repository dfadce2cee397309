using System.Text.Json;
using Systolic.Cli;

namespace Systolic.Tests.Cli;

public class ExplainTests
{
    [Theory]
    [InlineData("trn2-core", 80)]
    [InlineData("trn2-core", 120)]
    [InlineData("h100", 60)]
    public async Task A_product_is_explained_within_the_width(string machine, int width)
    {
        CommandLine run = await CommandLine.RunAsync(Library.Shipped, width, TestContext.Current.CancellationToken, "explain", "--product", "256x512x512", "--machine", machine);

        run.Error.Should().BeEmpty();
        run.Code.Should().Be(0);
        run.Out.Should().StartWith($"matmul, 256x512x512: {machine}").And.Contain("Most would be gained from the ").And.Contain("simulated").And.Contain("Where operators spend their time");
        run.Out.Contains("Longest waits", StringComparison.Ordinal).Should().Be(machine == "trn2-core", "a GPU's kernels are formulas, in which no instruction waits");
        run.Out.Split('\n').Should().OnlyContain(line => line.TrimEnd().Length <= width);
    }

    [Fact]
    public async Task Bounds_alone_simulate_nothing_again()
    {
        CommandLine run = await CommandLine.RunAsync("explain", "--model", "gpt2", "--machine", "array", "--bounds");

        run.Code.Should().Be(0);
        run.Out.Should().Contain("at best").And.NotContain("simulated");
    }

    [Fact]
    public async Task Files_hold_waits_path_and_what_ifs()
    {
        using var folder = new ScratchFolder();
        CommandLine run = await CommandLine.RunAsync(
            Library.Shipped, 80, TestContext.Current.CancellationToken,
            "explain", "--product", "256x512x512", "--machine", "trn2-core", "--json", folder["e.json"], "--markdown", folder["e.md"], "--trace", folder["t.json"], "--csv", folder["e.csv"]);

        run.Code.Should().Be(0);
        folder.Files.Should().BeEquivalentTo("e.json", "e.md", "t.json", "e.csv");
        (await File.ReadAllTextAsync(folder["e.md"], TestContext.Current.CancellationToken)).Should().Contain("## If a part were infinitely fast").And.Contain("## Longest waits");
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(folder["e.json"], TestContext.Current.CancellationToken));
        JsonElement machine = json.RootElement.GetProperty("machines")[0], explanation = machine.GetProperty("explanation");
        explanation.GetProperty("if_infinitely_fast").EnumerateArray().Should().OnlyContain(found => found.GetProperty("simulated_s").GetDecimal() > 0);
        explanation.GetProperty("waits").GetArrayLength().Should().BeGreaterThan(0);

        // The path of the one operator and the overhead are the whole time.
        decimal path = explanation.GetProperty("critical_path").EnumerateArray().Sum(segment => segment.GetProperty("time_s").GetDecimal());
        (path + machine.GetProperty("overhead_s").GetDecimal()).Should().Be(machine.GetProperty("time_s").GetDecimal());
    }

    [Theory]
    [InlineData("explain", "None of --model, --onnx, --product and --stablehlo is given; give one.")]
    [InlineData("explain --product 3x4", "--product: found \"3x4\", expected three whole numbers from 1 to 1073741824, such as 2048x4096x4096.")]
    [InlineData("explain --product 3x4x0", "--product: found \"3x4x0\", expected three whole numbers")]
    [InlineData("explain --product 3x4x5 --tokens 7", "--tokens has no meaning beside --product.")]
    public async Task Mistake_is_told(string line, string message)
    {
        CommandLine run = await CommandLine.RunAsync(line.Split(' '));

        run.Code.Should().Be(2);
        run.Out.Should().BeEmpty();
        run.Error.Should().StartWith(message);
    }
}
