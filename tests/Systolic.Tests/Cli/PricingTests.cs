namespace Systolic.Tests.Cli;

public sealed class PricingTests
{
    [Fact]
    public async Task Prices_give_the_cost_of_a_million_tokens()
    {
        // The hand-written run makes 100 tokens in 50 us: 3.6 per hour and 3.84 mJ at 0.9 per kWh; on the other machine 7.2 and 6.84 mJ.
        CommandLine result = await CommandLine.RunAsync(
            "compare", "--model", "gpt2", "--machine", "array", "--baseline", "other", "--tokens", "100",
            "--price-per-chip-hour", "3.6", "--baseline-price", "7.2", "--price-per-kwh", "0.9");

        result.Code.Should().Be(0);
        // (50e-6 / 3600 x 3.6 + 3.84e-3 / 3.6e6 x 0.9) x 1e4 = 5.10e-4; with 7.2 and 6.84e-3: 1.02e-3
        result.Out.Should().MatchRegex(@"cost per million tokens +5\.10e-4 +0\.00102 ");
    }

    [Fact]
    public async Task A_table_of_ones_own_changes_the_energy()
    {
        using var folder = new ScratchFolder();
        await File.WriteAllTextAsync(
            folder["own.csv"], "activity,node_nm,machine,energy_pj,low_pj,high_pj,confidence,source,notes\nMacBf16,5,systolic,100,50,200,measured,own chip,\n", TestContext.Current.CancellationToken);

        CommandLine before = await CommandLine.RunAsync(Systolic.Cli.Library.Shipped, 80, TestContext.Current.CancellationToken, "gemm", "512", "512", "512", "--machine", "trn2-core");
        CommandLine after = await CommandLine.RunAsync(
            Systolic.Cli.Library.Shipped, 80, TestContext.Current.CancellationToken, "gemm", "512", "512", "512", "--machine", "trn2-core", "--energy-table", folder["own.csv"]);

        before.Out.Should().MatchRegex(@"matrix arithmetic +58\.6 uJ"); // 512^3 x 0.4366 pJ
        after.Out.Should().MatchRegex(@"matrix arithmetic +13\.42 mJ"); // 512^3 x 100 pJ
    }

    [Theory]
    [InlineData("train-cost", "Found both or neither of --flops and --params, expected one of them.")]
    [InlineData("train-cost --flops 1e24 --params 7e9", "Found both or neither of --flops and --params, expected one of them.")]
    [InlineData("train-cost --flops 1e24 --tokens 1e12", "--tokens has no meaning with --flops, of which they follow; give --params.")]
    [InlineData("train-cost --flops some", "--flops: found \"some\", expected a number from 1e6 to 1e30, such as 1e24.")]
    [InlineData("gemm 8 8 8 --machine array --energy-table nowhere.csv", "nowhere.csv: found a file that cannot be read")]
    [InlineData("run --model gpt2 --machine array --price-per-kwh -1", "--price-per-kwh: found \"-1\", expected a number such as 2.5.")]
    public async Task Mistake_is_told(string line, string message)
    {
        CommandLine result = await CommandLine.RunAsync(line.Split(' '));

        result.Code.Should().Be(2);
        result.Error.Should().Contain(message);
    }

    [Fact]
    public async Task Training_cost_is_told_for_both_machines()
    {
        CommandLine result = await CommandLine.RunAsync(
            "train-cost", "--flops", "1e24", "--machine", "array", "--baseline", "other", "--chips", "1024", "--price-per-chip-hour", "2", "--price-per-kwh", "0.1");

        result.Code.Should().Be(0);
        result.Out.Should().Contain("90.91 billion parameters on 1833 billion tokens: 1E+24 FLOP").And.MatchRegex(@"chip hours +1,404 +1,404");
    }

    [Fact]
    public async Task The_area_of_a_machine_is_told_with_the_cost_of_a_die()
    {
        CommandLine result = await CommandLine.RunAsync(
            Systolic.Cli.Library.Shipped, 100, TestContext.Current.CancellationToken, "machine", "area", "h100", "--wafer-price", "16000");

        result.Code.Should().Be(0);
        result.Out.Should().MatchRegex(@"die +814\.0").And.Contain("per good die");
    }
}
