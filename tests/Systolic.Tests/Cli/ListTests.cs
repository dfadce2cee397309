using Systolic.Workloads;

namespace Systolic.Tests.Cli;

public class ListTests
{
    [Fact]
    public async Task Machines_are_listed_with_their_peaks()
    {
        CommandLine run = await CommandLine.RunAsync("machine", "list");

        // 1e12 MAC/s are 2 TFLOP/s in bf16; twice that in fp8, which the other machine lacks.
        run.Code.Should().Be(0);
        run.Out.Should().MatchRegex("array +systolic +2.0 T +4.0 T +1 GiB +100 GB/s").And.MatchRegex("other +simt +1.0 T +- +1 GiB +50 GB/s");
    }

    [Fact]
    public async Task Machine_file_is_printed_as_it_is()
    {
        CommandLine run = await CommandLine.RunAsync("machine", "show", "array");

        run.Out.Should().Be("{ \"name\": \"array\" }" + Environment.NewLine);
    }

    [Fact]
    public async Task Models_are_listed_with_their_sizes()
    {
        CommandLine run = await CommandLine.RunAsync("model", "list");

        run.Code.Should().Be(0);
        run.Out.Should().MatchRegex("llama-3-8b +8.03 B +32 +4,096 +32/8 +128,256 +bf16");
        run.Out.Split('\n').Should().OnlyContain(line => line.TrimEnd().Length <= 80);
    }

    [Fact]
    public async Task Model_file_is_printed_and_can_be_loaded_again()
    {
        using var folder = new ScratchFolder();
        CommandLine run = await CommandLine.RunAsync("model", "show", "llama-3-8b");
        await File.WriteAllTextAsync(folder["config.json"], run.Out, TestContext.Current.CancellationToken);

        ModelPresets.Load(folder["config.json"]).Parameters.Should().Be(ModelPresets.Load("llama-3-8b").Parameters);
    }
}
