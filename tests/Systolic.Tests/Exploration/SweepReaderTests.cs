using System.Text.Json;
using System.Text.Json.Nodes;
using Systolic.Exploration;
using Systolic.Tests.Docs;
using Systolic.Units;

namespace Systolic.Tests.Exploration;

public class SweepReaderTests
{
    private const string Small = """{ "machine": "trn2-core", "workload": { "model": "gpt2", "tokens": 16, "layers": "1" }, "parameters": [{ "path": "tensorEngine.clock", "values": ["1 GHz", "2 GHz"] }] }""";

    private static readonly SchemaCheck Schema = new(JsonElement.Parse(Pages.Read("docs/sweep.schema.json")));

    public static TheoryData<string> Samples => [.. Directory.EnumerateFiles(Path.Combine(Pages.Root, "docs", "samples"), "*sweep*.json").Select(file => Path.GetRelativePath(Pages.Root, file))];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_sample_is_read_and_fits_the_schema(string file)
    {
        SweepReader.Read(Pages.Read(file), file).Space.Size.Should().BePositive();
        Schema.Accepts(JsonElement.Parse(Pages.Read(file))).Should().BeTrue();
    }

    [Fact]
    public void The_sample_has_a_thousand_points() =>
        SweepReader.Load(Path.Combine(Pages.Root, "docs", "samples", "w4-sweep.json")).Space.Size.Should().Be(1000);

    /// <summary>One change each to a file that is right.</summary>
    [Theory]
    [InlineData("machine", "7", "sweep.json: machine: found 7, expected a text")]
    [InlineData("workload", "null", "sweep.json: workload: found nothing, expected an object*")]
    [InlineData("workload", """{ "model": "gpt2", "phase": "prefil" }""", "sweep.json: workload.phase: found \"prefil\", expected one of: prefill, decode, training")]
    [InlineData("workload", """{ "model": "gpt2", "tokens": 0 }""", "sweep.json: workload.tokens: found 0, expected a whole number from 1 to 1073741824")]
    [InlineData("workload", """{ "model": "gpt2", "token": 1 }""", "sweep.json: workload.token: found an unknown key*")]
    [InlineData("parameters", """[{ "path": "tensorEngine.clock" }]""", "sweep.json: parameters[[]0]: found no range or list of values*")]
    [InlineData("parameters", """[{ "path": "tensorEngine.clock", "from": "1 GHz", "to": "2 GHz", "count": 1 }]""", "sweep.json: parameters[[]0].count: found 1, expected a whole number from 2 to 10000*")]
    [InlineData("parameters", """[{ "values": [1] }]""", "sweep.json: parameters[[]0].name: found nothing, expected a text")]
    [InlineData("parameters", """[{ "path": "cores", "values": [1], "scale": "cubic" }]""", "sweep.json: parameters[[]0].scale: found \"cubic\", expected one of: linear, log")]
    [InlineData("search", """{ "method": "random" }""", "sweep.json: search.points: found nothing, expected a whole number from 1 to 10000000")]
    [InlineData("search", """{ "method": "grid", "points": 5 }""", "sweep.json: search.points: found an unknown key*")]
    [InlineData("search", """{ "method": "nsga2", "evaluations": 5, "population": 2 }""", "sweep.json: search.population: found 2, expected a whole number from 4 to 10000")]
    [InlineData("prune", "1", "sweep.json: prune: found 1, expected true or false")]
    [InlineData("tied", """{ "dma.engines": 5 }""", "sweep.json: tied.dma.engines: found 5, expected a text")]
    [InlineData("objectives", "\"time\"", "sweep.json: objectives: found \"time\", expected a list of texts")]
    [InlineData("limits", "1", "sweep.json: limits: found an unknown key*")]
    public void What_the_reader_refuses_with_its_path_the_schema_refuses(string key, string value, string message)
    {
        JsonNode sweep = JsonNode.Parse(Small)!;
        sweep[key] = JsonNode.Parse(value);
        Action read = () => SweepReader.Read(sweep.ToJsonString(), "sweep.json");

        read.Should().Throw<InvalidDocumentException>().Which.Message.Should().Match(message.Replace("[[]", "[", StringComparison.Ordinal));
        Schema.Accepts(JsonElement.Parse(sweep.ToJsonString())).Should().BeFalse();
    }

    [Theory]
    [InlineData("parameters", """[{ "name": "a", "paths": ["tensorEngine.clock", "tensorEngine.sustainedRate"], "from": "1 GHz", "to": "2 GHz", "count": 3, "scale": "log" }, { "name": "free", "values": 3 }]""")]
    [InlineData("parameters", """[{ "path": "dma.engines", "from": 4, "to": 16, "step": 4 }]""")]
    [InlineData("search", """{ "method": "latin-hypercube", "points": 2, "seed": 7 }""")]
    [InlineData("search", """{ "method": "nsga2", "evaluations": 2, "population": 4 }""")]
    [InlineData("search", "{}")]
    [InlineData("metrics", """{ "density": "1 / area" }""")]
    [InlineData("constraints", """["area <= 400 mm2"]""")]
    public void What_the_schema_accepts_is_read(string key, string value)
    {
        JsonNode sweep = JsonNode.Parse(Small)!;
        sweep[key] = JsonNode.Parse(value);

        Schema.Accepts(JsonElement.Parse(sweep.ToJsonString())).Should().BeTrue();
        SweepReader.Read(sweep.ToJsonString(), "sweep.json").Space.Parameters.Should().NotBeEmpty();
    }

    [Fact]
    public void Problems_of_space_and_goals_name_the_file()
    {
        Action read = () => SweepReader.Read(Small.Replace("tensorEngine.clock", "tensorEngine.clok", StringComparison.Ordinal), "sweep.json");

        read.Should().Throw<InvalidDocumentException>().WithMessage("sweep.json: trn2-core: tensorEngine.clok: found an unknown key*");
    }
}
