using System.Text.Json;

namespace Systolic.Tests.Cli;

public class DramTests
{
    [Fact]
    public async Task A_stream_is_run_and_its_figures_shown()
    {
        using var folder = new ScratchFolder();
        CommandLine run = await CommandLine.RunAsync(
            "dram", "--standard", "HBM2", "--policy", "dramsim3", "--mapping", "co5 ch0 ba2 bg2 ro15", "--requests", "32768", "--json", folder["a.json"]);

        run.Error.Should().BeEmpty();
        run.Code.Should().Be(0);

        // DRAMsim3 itself takes 71,069 cycles and moves 29.509 GB/s.
        run.Out.Should().Contain("71,069 of 1 ns").And.Contain("29.509 GB/s of 32.0, 92.2 % of the peak").And.Contain("requests/s");
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(folder["a.json"], TestContext.Current.CancellationToken));
        json.RootElement.GetProperty("cycles_to_complete").GetInt64().Should().Be(71_069);
        json.RootElement.GetProperty("channels").GetArrayLength().Should().Be(1);
        json.RootElement.GetProperty("total").GetProperty("reads").GetInt64().Should().Be(32_768);
    }

    [Fact]
    public async Task The_stepped_controller_gives_the_same_figures()
    {
        string[] line = ["dram", "--standard", "DDR5-4800", "--pattern", "rand@512", "--requests", "2000", "--channels", "2"];
        string fast = (await CommandLine.RunAsync(line)).Out;
        string reference = (await CommandLine.RunAsync([.. line, "--reference"])).Out;

        WithoutSpeed(reference).Should().Be(WithoutSpeed(fast));
    }

    [Theory]
    [InlineData("--mapping co5", "mapping \"co5\": found 0 bits of pc, expected 1")]
    [InlineData("--channels 3", "channels: found 3, expected a power of two from 1 to 1024.")]
    [InlineData("--pattern rand@7", "pattern: found \"rand@7\", expected rand@BYTES with a multiple of the burst of 32 bytes")]
    [InlineData("--injection window0", "injection: found \"window0\", expected greedy, perchan, windowN")]
    [InlineData("--data-rate 0", "--data-rate: found \"0\", expected a number above 0")]
    [InlineData("--standard HBM9", "--standard: found \"HBM9\", expected HBM2, ")]
    [InlineData("--pattern seq_rd --requests 100000000 --injection perchan --mapping coarse", "address: found 2147483648, expected one from 0 to 2147483647")]
    public async Task What_cannot_be_run_is_told(string options, string message)
    {
        CommandLine run = await CommandLine.RunAsync(["dram", .. options.Split(' ')]);

        run.Code.Should().Be(2);
        run.Error.Should().StartWith(message);
    }

    private static string WithoutSpeed(string text) => text[..text.IndexOf("simulated", StringComparison.Ordinal)];
}
