using System.Text.Json;
using Systolic.Cli;

namespace Systolic.Tests.Cli;

public class MappingsTests
{
    [Fact]
    public async Task A_file_takes_the_choices_and_pins_them_the_next_time()
    {
        using var folder = new ScratchFolder();
        CommandLine first = await RunAsync(folder, "first.json");
        string chosen = await File.ReadAllTextAsync(folder["mappings.json"], TestContext.Current.CancellationToken);
        CommandLine second = await RunAsync(folder, "second.json");

        (first.Code, second.Code).Should().Be((0, 0));
        chosen.Should().Contain("\"chosen\": \"best of ");
        Mapping(folder["first.json"]).Should().Contain("simulated");
        Mapping(folder["second.json"]).Should().Be(Mapping(folder["first.json"]).Split(", best")[0] + ", pinned");
        (await File.ReadAllTextAsync(folder["mappings.json"], TestContext.Current.CancellationToken)).Should().Contain("pinned");
    }

    [Fact]
    public async Task A_file_of_something_else_is_refused_before_the_run()
    {
        using var folder = new ScratchFolder();
        await File.WriteAllTextAsync(folder["mappings.json"], "{ \"mappings\": 3 }", TestContext.Current.CancellationToken);

        CommandLine run = await RunAsync(folder, "out.json");

        run.Code.Should().Be(2);
        run.Error.Should().Contain("mappings.json: mappings: found 3");
        (await File.ReadAllTextAsync(folder["mappings.json"], TestContext.Current.CancellationToken)).Should().Be("{ \"mappings\": 3 }");
    }

    private static Task<CommandLine> RunAsync(ScratchFolder folder, string json) =>
        CommandLine.RunAsync(Library.Shipped, 100, TestContext.Current.CancellationToken, "gemm", "256", "256", "256", "--machine", "trn1-core", "--mappings", folder["mappings.json"], "--json", folder[json]);

    private static string Mapping(string file)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(file));
        return json.RootElement.GetProperty("machines")[0].GetProperty("operators")[0].GetProperty("mapping").GetString()!;
    }
}
