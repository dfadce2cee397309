using Systolic.Tests.Components;

namespace Systolic.Tests.Cli;

public class ScaleSimTests
{
    [Fact]
    public async Task Reports_are_written_and_the_layers_shown()
    {
        using var folder = new ScratchFolder();
        await Write(folder, "Layer,M,N,K,\nfirst,100,20,30,\nsecond,8,8,8,\n");

        CommandLine run = await CommandLine.RunAsync("scalesim", "-c", folder["a.cfg"], "-t", folder["a.csv"], "-i", "gemm", "-o", folder["reports"]);

        run.Error.Should().BeEmpty();
        run.Code.Should().Be(0);
        run.Out.Should().Contain("small: SCALE-Sim v3 compatibility, 32x16, USER").And.Contain("first").And.Contain("all layers");
        Directory.GetFiles(folder["reports"]).Select(Path.GetFileName).Should().BeEquivalentTo("COMPUTE_REPORT.csv", "BANDWIDTH_REPORT.csv", "DETAILED_ACCESS_REPORT.csv");

        // Output stationary: 4 x 2 folds of 32 + 16 + 30 - 2 = 76 cycles for the first layer, one of 54 for the second.
        string[] lines = await File.ReadAllLinesAsync(Path.Combine(folder["reports"], "COMPUTE_REPORT.csv"), TestContext.Current.CancellationToken);
        lines.Should().HaveCount(3);
        lines[1].Split(", ")[2].Should().Be("607");
        lines[2].Split(", ")[2].Should().Be("53");
    }

    [Fact]
    public async Task Layers_are_convolutions_unless_told_otherwise()
    {
        using var folder = new ScratchFolder();
        await Write(folder, "Layer name\nconv,8,8,3,3,2,4,1,\n");

        CommandLine run = await CommandLine.RunAsync("scalesim", "--config", folder["a.cfg"], "--topology", folder["a.csv"], "--output", folder["."]);

        run.Code.Should().Be(0);

        // 6 x 6 windows of 3 x 3 x 2.
        run.Out.Should().MatchRegex(@"conv +36 +18 +4 ");
    }

    [Fact]
    public async Task A_bad_row_leaves_no_report()
    {
        using var folder = new ScratchFolder();
        await Write(folder, "Layer,M,N,K,\nfirst,100,20,\n");

        CommandLine run = await CommandLine.RunAsync("scalesim", "-c", folder["a.cfg"], "-t", folder["a.csv"], "-i", "gemm", "-o", folder["reports"]);

        run.Code.Should().Be(2);
        run.Error.Should().StartWith($"{folder["a.csv"]}: line 2: K: found \"\"");
        folder.Files.Should().BeEquivalentTo("a.cfg", "a.csv");
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_told()
    {
        using var folder = new ScratchFolder();
        await Write(folder, "Layer,M,N,K,\nfirst,1,2,3,\n");

        CommandLine run = await CommandLine.RunAsync("scalesim", "-c", folder["a.cfg"], "-t", folder["a.csv"], "-i", "gemm", "-o", folder["a.csv"]);

        run.Code.Should().Be(2);
        run.Error.Should().StartWith($"--output: found {folder["a.csv"]}, expected a folder that can be made or written");
    }

    private static async Task Write(ScratchFolder folder, string topology)
    {
        await File.WriteAllTextAsync(folder["a.cfg"], ScaleSimConfigurationTests.Text, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["a.csv"], topology, TestContext.Current.CancellationToken);
    }
}
