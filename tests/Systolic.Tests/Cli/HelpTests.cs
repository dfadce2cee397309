namespace Systolic.Tests.Cli;

public class HelpTests
{
    [Theory]
    [InlineData("--help", "systolic compare --model llama-3-8b --machine trn2 --baseline h100")]
    [InlineData("run --help", "systolic run --model llama-3-8b --machine trn2 --tokens 2048")]
    [InlineData("compare --help", "systolic compare --model llama-3-8b --machine trn2 --baseline h100 --phase prefill --tokens 2048 --json out.json")]
    [InlineData("gemm --help", "systolic gemm 4096 4096 4096")]
    [InlineData("explain --help", "systolic explain --product 2048x4096x4096 --machine trn2-core --trace trace.json")]
    [InlineData("diff --help", "systolic diff before.json after.json")]
    [InlineData("scalesim --help", "systolic scalesim -c scale.cfg -t resnet18.csv -o reports")]
    [InlineData("dram --help", "systolic dram --standard HBM2 --policy dramsim3 --pattern seq_rd --requests 10000000")]
    [InlineData("validate --help", "systolic validate scalesim scalesim_gemm.csv")]
    [InlineData("machine --help", "systolic machine show trn2 > my-chip.json")]
    [InlineData("machine show --help", "systolic machine show trn2")]
    [InlineData("model --help", "systolic model list")]
    [InlineData("model list --help", "systolic model list")]
    public async Task Help_ends_with_examples(string line, string example)
    {
        CommandLine run = await CommandLine.RunAsync(line.Split(' '));

        run.Code.Should().Be(0);
        run.Error.Should().BeEmpty();
        run.Out.Should().Contain("Usage:").And.Contain("Examples:").And.Contain("  " + example);
    }

    [Fact]
    public async Task No_arguments_show_the_help()
    {
        CommandLine run = await CommandLine.RunAsync();

        run.Code.Should().Be(0);
        run.Out.Should().Contain("systolic [command] [options]").And.Contain("Examples:");
    }

    [Fact]
    public async Task Examples_of_the_help_parse()
    {
        foreach (string command in (string[])["run", "compare", "gemm", "explain", "diff", "scalesim", "validate"])
        {
            string help = (await CommandLine.RunAsync(command, "--help")).Out;
            foreach (string example in help[help.IndexOf("Examples:", StringComparison.Ordinal)..].Split('\n').Skip(1).Where(line => line.Trim().Length > 0))
            {
                // The machines are unknown to the fakes and some files do not exist, but nothing may be wrong with the line itself.
                CommandLine run = await CommandLine.RunAsync(example.Trim().Split(' ')[1..]);
                run.Error.Should().NotContain("--help", example);
            }
        }
    }
}
