using Systolic.Cli;
using Systolic.Tests.Cli;

namespace Systolic.Tests.Docs;

/// <summary>The examples of docs/explain.md are what the command prints.</summary>
public class ExplainPageTests
{
    private const string Page = "docs/explain.md";

    [Fact]
    public async Task The_explanation_is_that_of_the_command() =>
        Pages.Generated(Page, "explain").Should().Be(await PrintAsync("explain", "--product", "1024x2048x2048", "--machine", "trn2-core"));

    [Fact]
    public async Task The_difference_is_that_of_the_command()
    {
        using var folder = new ScratchFolder();
        foreach ((string file, string machine) in ((string, string)[])[("a.json", "trn2-core"), ("b.json", "trn3-core")])
        {
            await PrintAsync("gemm", "1024", "2048", "2048", "--machine", machine, "--json", folder[file]);
        }

        Pages.Generated(Page, "diff").Should().Be(await PrintAsync("diff", folder["a.json"], folder["b.json"]));
    }

    private static async Task<string> PrintAsync(params string[] line)
    {
        CommandLine run = await CommandLine.RunAsync(Library.Shipped, 80, TestContext.Current.CancellationToken, line);
        run.Error.Should().BeEmpty();
        return "```text\n" + string.Join('\n', run.Out.ReplaceLineEndings("\n").TrimEnd().Split('\n').Select(text => text.TrimEnd())) + "\n```\n";
    }
}
