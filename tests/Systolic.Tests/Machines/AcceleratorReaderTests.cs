using System.Text.Json.Nodes;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Machines;

public sealed class AcceleratorReaderTests
{
    private static string MessageOf(Action<JsonNode> change)
    {
        JsonNode root = JsonNode.Parse(MachinePresets.Json("trn2"))!;
        change(root);
        return MessageOfText(root.ToJsonString());
    }

    private static string MessageOfText(string json)
    {
        Action read = () => AcceleratorReader.Read(json, "mine.json");
        return read.Should().Throw<InvalidDocumentException>().Which.Message;
    }

    [Theory]
    [MemberData(nameof(RealRuns.SystolicMachines), MemberType = typeof(RealRuns))]
    public void Every_preset_reads_and_its_values_are_those_of_the_file(string name)
    {
        JsonNode file = JsonNode.Parse(MachinePresets.Json(name))!;
        Accelerator machine = AcceleratorReader.Read(MachinePresets.Json(name), name);
        machine.Name.Should().Be(name);
        machine.Cores.Should().Be((int)file["cores"]!);
        machine.TensorEngine.MaximumMoving.Should().Be((int)file["tensorEngine"]!["maximumMoving"]!);
        machine.VectorEngine.StaticCycles.Should().Be((int)file["vectorEngine"]!["staticCycles"]!);
        machine.ScalarEngine.TableLoad.Should().Be(SimTime.Parse((string)file["scalarEngine"]!["tableLoad"]!));
        machine.GpSimdEngine.Clock.Should().Be(Frequency.Parse((string)file["gpSimdEngine"]!["clock"]!));
        machine.Dma.BlockInterval.Should().Be(SimTime.Parse((string)file["dma"]!["blockInterval"]!));
        machine.Dma.SoftwareInterval.Should().Be(SimTime.Parse((string)file["dma"]!["softwareInterval"]!));
        machine.Memory.Channels.Should().Be((int)file["memory"]!["channels"]!);
        machine.Memory.Standard.Name.Should().Be((string)file["memory"]!["standard"]!);
        machine.Energy.NodeNanometres.Should().Be((int)file["power"]!["node"]!);
        machine.Assumptions.Should().HaveCount(file["assumed"]!.AsArray().Count);
    }

    [Fact]
    public void An_unknown_key_is_refused_with_its_path_and_the_known_ones() =>
        MessageOf(root => root["sbuf"]!["partitionsize"] = "224 KiB").Should().StartWith("mine.json: sbuf.partitionsize: found an unknown key, expected one of: accessSetup, banks, exclusiveBanks, fullRateStride, latency, neverTogether, neverTogetherWhenFast, partitionSize, partitions, ports, source, width");

    [Fact]
    public void A_missing_key_is_named() =>
        MessageOf(root => root["dma"]!.AsObject().Remove("engineBandwidth")).Should().Be("mine.json: dma.engineBandwidth: found nothing, expected a text with a unit");

    [Fact]
    public void A_missing_source_is_named() =>
        MessageOf(root => root["psum"]!.AsObject().Remove("source")).Should().Be("mine.json: psum.source: found nothing, expected a text");

    [Fact]
    public void A_missing_section_is_named() =>
        MessageOf(root => root.AsObject().Remove("memory")).Should().Be("mine.json: memory: found nothing, expected an object");

    [Fact]
    public void Background_of_memory_is_a_part_of_the_idle_power() =>
        MessageOf(root => root["power"]!["memoryBackground"] = "131 W").Should().Be("mine.json: power.memoryBackground: found 131 W, expected at most idle, 130 W, of which it is a part");

    [Fact]
    public void Gating_is_optional_and_saves_while_engines_idle()
    {
        JsonNode root = JsonNode.Parse(MachinePresets.Json("trn2-core"))!;
        root["power"]!["gating"] = new JsonObject { ["source"] = "this test", ["clockShare"] = 0.5, ["powerShare"] = 0.4 };
        Accelerator gated = AcceleratorReader.Read(root.ToJsonString(), "mine.json");
        OperatorGraph graph = OperatorGraph.Of(new MatMul("product", 512, 512, 512, LeftTransposed: true));

        RunReport with = new SystolicMachine(gated).Run(graph, cancellation: TestContext.Current.CancellationToken), without = MachinePresets.Load("trn2-core").Run(graph, cancellation: TestContext.Current.CancellationToken);

        // 15.25 W beside memory; 0.4 of them stop while tensor, vector, scalar and gpsimd engines idle, and all of them before and after the operator.
        OperatorRun run = with.Trace.Operators[0];
        double idle = 1 - (run.Busy.Take(4).Sum(busy => busy.Seconds) / (4 * run.Time.Seconds));
        double joules = 15.25 * ((run.Time.Seconds * (1 - (0.4 * idle))) + (13e-6 * 0.6));
        gated.Energy.Gating.Should().Be(new EngineGating(0.5, 0.4));
        with.EnergyBreakdown.Parts.Single(part => part.Component == "idle").Value.Joules.Should().BeApproximately(joules, 1e-12);
        without.EnergyBreakdown.Parts.Single(part => part.Component == "idle").Value.Joules.Should().BeApproximately(15.25 * without.Time.Seconds, 1e-12);
    }

    [Fact]
    public void A_bare_number_is_refused() =>
        MessageOf(root => root["tensorEngine"]!["clock"] = 2.4).Should().Be("mine.json: tensorEngine.clock: found 2.4, expected a text with a unit");

    [Theory]
    [InlineData("sbuf", "partitionSize", "224 GB/s", "a size with a unit")]
    [InlineData("tensorEngine", "clock", "2.4 ns", "a frequency with a unit")]
    [InlineData("tensorEngine", "clock", "2.4ghz", "a frequency with a unit")]
    [InlineData("memory", "bandwidth", "2900", "a bandwidth with a unit")]
    [InlineData("dma", "triggerLatency", "1300 GHz", "a time with a unit")]
    [InlineData("power", "idle", "130 J", "a power with a unit")]
    [InlineData("dma", "triggerLatency", "-1 ns", "a time with a unit")]
    [InlineData("memory", "capacity", "-96 GiB", "a size with a unit")]
    [InlineData("memory", "capacity", "NaN GiB", "a size with a unit")]
    public void A_wrong_unit_and_a_negative_quantity_are_refused(string section, string key, string text, string expected) =>
        MessageOf(root => root[section]![key] = text).Should().StartWith($"mine.json: {section}.{key}: found \"{text}\", expected {expected}, such as ");

    [Theory]
    [InlineData("sbuf", "partitionSize", "0 B")]
    [InlineData("tensorEngine", "clock", "0 GHz")]
    [InlineData("memory", "bandwidth", "0 GB/s")]
    [InlineData("dma", "engineBandwidth", "1e-300 GB/s")]
    [InlineData("dma", "engineBandwidth", "1e300 GB/s")]
    [InlineData("memory", "bandwidth", "1e-9 B/s")]
    [InlineData("vectorEngine", "clock", "1 Hz")]
    [InlineData("scalarEngine", "clock", "9000000 GHz")]
    [InlineData("dma", "completionLatency", "2 s")]
    [InlineData("synchronization", "programOverhead", "1e9 s")]
    [InlineData("sbuf", "partitionSize", "8000000 TiB")]
    [InlineData("sbuf", "partitionSize", "1e30 TiB")]
    [InlineData("dma", "minimumRun", "1 TiB")]
    [InlineData("power", "idle", "1e9 W")]
    public void Zero_and_absurd_quantities_are_refused(string section, string key, string text) =>
        MessageOf(root => root[section]![key] = text).Should().StartWith($"mine.json: {section}.{key}: found \"{text}\", expected ");

    [Theory]
    [InlineData("tensorEngine", "rows", 0)]
    [InlineData("tensorEngine", "rows", -128)]
    [InlineData("tensorEngine", "rows", 1000000)]
    [InlineData("tensorEngine", "fp32Passes", 0)]
    [InlineData("psum", "banks", 0)]
    [InlineData("vectorEngine", "staticCycles", -1)]
    [InlineData("memory", "channels", 0)]
    [InlineData("memory", "lookAhead", 4097)]
    [InlineData("dma", "localTransposeShare", -0.1)]
    [InlineData("dma", "memoryTransposeShare", 1e-30)]
    [InlineData("power", "node", 4)]
    [InlineData("power", "node", 0)]
    public void Zero_negative_and_absurd_numbers_are_refused(string section, string key, double value) =>
        MessageOf(root => root[section]![key] = JsonNode.Parse(value.ToString("R", System.Globalization.CultureInfo.InvariantCulture)))
            .Should().StartWith($"mine.json: {section}.{key}: found ").And.Contain(", expected ");

    [Theory]
    [InlineData("cores", "7", "mine.json: memory.channels: found 64 channels, 128 pseudo-channels of HBM3, for 7 cores; expected a multiple")]
    [InlineData("memory.channels", "4", "mine.json: memory.bandwidth: found 2.9 TB/s, 14.2 times what 4 channels of HBM3 give")]
    [InlineData("memory.interleave", "\"100 B\"", "mine.json: memory.interleave: found 100 B, expected a multiple of 32 B (a burst of HBM3) that divides 2048 B")]
    [InlineData("memory.standard", "\"HBM9\"", "mine.json: memory.standard: found \"HBM9\", expected one of: HBM2, HBM2E, HBM3, ")]
    [InlineData("sbuf.ports", "0", "mine.json: sbuf.ports: found 0, expected a whole number from 1 to 4")]
    [InlineData("sbuf.width", "\"0 B\"", "mine.json: sbuf.width: found \"0 B\", expected a size from 1 B to 1 GiB")]
    [InlineData("psum.latency", "\"3\"", "mine.json: psum.latency: found \"3\", expected a time with a unit")]
    [InlineData("psum.accessSetup", "-60", "mine.json: psum.accessSetup: found -60, expected a whole number from 0 to ")]
    [InlineData("sbuf.neverTogether", "[\"vector warp\"]", "mine.json: sbuf.neverTogether: found \"vector warp\", expected two of vector, scalar, gpsimd")]
    public void A_memory_that_does_not_fit_together_is_refused(string path, string value, string message) => MessageOf(root =>
    {
        string[] keys = path.Split('.');
        (keys.Length == 1 ? root : root[keys[0]]!)[keys[^1]] = JsonNode.Parse(value);
    }).Should().StartWith(message);

    [Fact]
    public void Ports_width_latency_and_set_up_of_a_scratchpad_are_read()
    {
        JsonNode root = JsonNode.Parse(MachinePresets.Json("trn2"))!;
        (root["sbuf"]!["ports"], root["sbuf"]!["width"], root["sbuf"]!["latency"], root["sbuf"]!["accessSetup"]) = (2, "8 B", "5 ns", 60);
        Accelerator machine = AcceleratorReader.Read(root.ToJsonString(), "mine.json");

        (machine.Sbuf.Ports, machine.Sbuf.Width, machine.Sbuf.Latency, machine.Sbuf.AccessSetup).Should().Be((2, new Bytes(8), SimTime.FromNanoseconds(5), 60));
        (machine.Psum.Ports, machine.Psum.Width, machine.Psum.Latency, machine.Psum.AccessSetup).Should().Be((ScratchpadSpec.Engines, null, SimTime.Zero, 0), "the defaults");
    }

    [Fact]
    public void A_shared_cache_is_read_where_there_is_one()
    {
        JsonNode root = JsonNode.Parse(MachinePresets.Json("trn2"))!;
        AcceleratorReader.Read(root.ToJsonString(), "mine.json").SharedCache.Should().BeNull();
        root["sharedCache"] = Cache();

        AcceleratorReader.Read(root.ToJsonString(), "mine.json").SharedCache.Should().Be(new SharedCacheSpec
        {
            Capacity = new Bytes(64 << 20),
            Line = new Bytes(256),
            Ways = 16,
            Banks = 32,
            Bandwidth = Bandwidth.FromGigabytesPerSecond(6000),
            Latency = SimTime.FromNanoseconds(150),
        });
    }

    [Theory]
    [InlineData("line", "\"48 B\"", "line: found 48 B, expected a multiple of 32 B (a burst of HBM3) that divides memory.interleave, 2048 B")]
    [InlineData("line", "\"4 KiB\"", "line: found 4096 B, expected a multiple of 32 B")]
    [InlineData("capacity", "\"100 KiB\"", "capacity: found 102400 B, expected a multiple of 32768 B (line x ways x cores)")]
    [InlineData("capacity", "\"1 GiB\"", "capacity: found 1073741824 B, expected a multiple of 32768 B (line x ways x cores) of at most 1048576 lines")]
    [InlineData("banks", "12", "banks: found 12, expected a multiple of the 8 cores")]
    [InlineData("banks", "0", "banks: found 0, expected a whole number from 1 to 4096")]
    [InlineData("ways", "0", "ways: found 0, expected a whole number from 1 to 1024")]
    [InlineData("bandwidth", "\"64 MiB\"", "bandwidth: found \"64 MiB\", expected a bandwidth with a unit")]
    [InlineData("latency", "\"2 s\"", "latency: found \"2 s\", expected a time from 0 to 1 s")]
    [InlineData("source", "\"\"", "source: found \"\", expected a text")]
    [InlineData("policy", "\"FIFO\"", "policy: found an unknown key, expected one of: bandwidth, banks, capacity, latency, line, source, ways")]
    public void A_shared_cache_that_cannot_be_is_refused(string key, string value, string message) => MessageOf(root =>
    {
        root["sharedCache"] = Cache();
        root["sharedCache"]![key] = JsonNode.Parse(value);
    }).Should().StartWith("mine.json: sharedCache." + message);

    private static JsonNode Cache() => JsonNode.Parse("""
        { "source": "a test", "capacity": "64 MiB", "line": "256 B", "ways": 16, "banks": 32, "bandwidth": "6 TB/s", "latency": "150 ns" }
        """)!;

    [Fact]
    public void A_fraction_is_no_count_and_a_text_no_flag()
    {
        MessageOf(root => root["cores"] = 1.5).Should().Be("mine.json: cores: found 1.5, expected a whole number from 1 to 1024");
        MessageOf(root => root["vectorEngine"]!["fastModes"] = "yes").Should().Be("mine.json: vectorEngine.fastModes: found \"yes\", expected true or false");
    }

    [Theory]
    [InlineData("warp")]
    [InlineData("simt")]
    public void Another_kind_is_refused(string kind) =>
        MessageOf(root => root["kind"] = kind).Should().Be($"mine.json: kind: found \"{kind}\", expected \"systolic\"");

    [Fact]
    public void An_unknown_kind_is_refused_when_a_machine_is_loaded_by_path()
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".json");
        File.WriteAllText(file, MachinePresets.Json("trn2").Replace("\"systolic\"", "\"quantum\"", StringComparison.Ordinal));
        try
        {
            Action load = () => MachinePresets.Load(file);
            load.Should().Throw<InvalidDocumentException>().WithMessage("*kind: found \"quantum\", expected \"systolic\" or \"simt\"");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"kind\": \"systolic\",}")]
    [InlineData("{\"kind\": \"systolic\" // no comments\n}")]
    public void Malformed_text_is_refused_with_the_file_s_name(string json) => MessageOfText(json).Should().StartWith("mine.json: ");

    [Fact]
    public void Malformed_json_is_refused_with_line_and_position()
    {
        string json = MachinePresets.Json("trn2");
        int comma = json.IndexOf(",\n  \"cores\"", StringComparison.Ordinal);
        MessageOfText(json.Remove(comma, 1)).Should().StartWith("mine.json: line 5, position 3: malformed JSON: ");
    }

    [Fact]
    public void A_key_written_twice_is_refused() =>
        MessageOfText(MachinePresets.Json("trn2").Replace("\"cores\": 8", "\"cores\": 8, \"cores\": 9", StringComparison.Ordinal)).Should().StartWith("mine.json: ").And.Contain("cores");

    [Fact]
    public void A_section_of_the_wrong_shape_is_refused()
    {
        MessageOf(root => root["sbuf"] = "24 MiB").Should().Be("mine.json: sbuf: found \"24 MiB\", expected an object");
        MessageOf(root => root["sbuf"] = new JsonArray()).Should().Be("mine.json: sbuf: found [], expected an object");
        MessageOf(root => root["cores"] = new JsonObject()).Should().Be("mine.json: cores: found {}, expected a whole number from 1 to 1024");
        MessageOf(root => root["assumed"] = new JsonObject()).Should().Be("mine.json: assumed: found {}, expected a list of objects");
        MessageOf(root => root["assumed"]!.AsArray().Add(7)).Should().EndWith("expected a list of objects");
    }

    [Fact]
    public void Parts_that_do_not_fit_each_other_are_refused()
    {
        MessageOf(root => root["sbuf"]!["partitions"] = 64).Should().Be("mine.json: tensorEngine: found 128 rows and 128 columns, expected as many rows as sbuf.partitions (64) and as many columns as psum.partitions (128)");
        MessageOf(root => root["tensorEngine"]!["parts"] = 3).Should().Be("mine.json: tensorEngine.parts: found 3, expected 1, 2 or 4");
        MessageOf(root => root["tensorEngine"]!["sustainedRate"] = "3 GHz").Should().Be("mine.json: tensorEngine.sustainedRate: found 3 GHz, expected at most the clock, 2.4 GHz");
        MessageOf(root => root["psum"]!["banks"] = 4).Should().StartWith("mine.json: psum: found 4 banks of 4096 B per partition, expected at least 8 banks");
    }

    [Fact]
    public void All_problems_of_a_file_come_together()
    {
        string[] problems = MessageOf(root =>
        {
            root["kind"] = "warp";
            root["cores"] = 0;
            root["extra"] = 1;
            root["sbuf"]!.AsObject().Remove("banks");
            root["dma"]!["engineBandwidth"] = 23;
            root["memory"]!["capacity"] = "96 Gib";
            root["assumed"]![0]!.AsObject().Remove("reason");
        }).Split('\n');
        problems.Should().HaveCount(7).And.OnlyContain(problem => problem.StartsWith("mine.json: ", StringComparison.Ordinal) && problem.Contains(": found ", StringComparison.Ordinal) && problem.Contains(", expected ", StringComparison.Ordinal));
        problems.Select(problem => problem.Split(": ")[1]).Should().BeEquivalentTo("kind", "cores", "extra", "sbuf.banks", "dma.engineBandwidth", "memory.capacity", "assumed[0].reason");
    }
}
