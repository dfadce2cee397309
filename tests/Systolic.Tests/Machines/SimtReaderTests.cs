using System.Text.Json.Nodes;
using Systolic.Machines;
using Systolic.Units;

namespace Systolic.Tests.Machines;

public sealed class SimtReaderTests
{
    private static string MessageOf(Action<JsonNode> change)
    {
        JsonNode root = JsonNode.Parse(SimtPresets.Json("h100"))!;
        change(root);
        Action read = () => SimtReader.Read(root.ToJsonString(), "mine.json");
        return read.Should().Throw<InvalidDocumentException>().Which.Message;
    }

    [Fact]
    public void An_unknown_key_is_refused_with_its_path() =>
        MessageOf(root => root["l2"]!["sizee"] = "50 MiB").Should().StartWith("mine.json: l2.sizee: found an unknown key, expected one of: ").And.Contain("capacity");

    [Fact]
    public void A_missing_key_is_named() =>
        MessageOf(root => root["memory"]!.AsObject().Remove("peak")).Should().Be("mine.json: memory.peak: found nothing, expected a text with a unit");

    [Fact]
    public void A_missing_section_is_named() =>
        MessageOf(root => root.AsObject().Remove("launch")).Should().Be("mine.json: launch: found nothing, expected an object");

    [Fact]
    public void A_bare_number_is_refused() =>
        MessageOf(root => root["clock"]!["boost"] = 1830).Should().Be("mine.json: clock.boost: found 1830, expected a text with a unit");

    [Fact]
    public void A_wrong_unit_is_refused() =>
        MessageOf(root => root["memory"]!["peak"] = "3350 GHz").Should().Contain("mine.json: memory.peak: found \"3350 GHz\"");

    [Fact]
    public void Impossible_values_are_refused_with_what_they_contradict()
    {
        string message = MessageOf(root =>
        {
            root["clock"]!["maximum"] = "1 GHz";
            root["power"]!["floor"] = "900 W";
            root["multiprocessor"]!["sharedMemoryPerCta"] = "300 KiB";
        });
        message.Split('\n').Should().Equal(
            "mine.json: clock.maximum: found 1 GHz, expected at least clock.boost, 1.83 GHz",
            "mine.json: multiprocessor.sharedMemoryPerCta: found 300 KiB, expected at most multiprocessor.sharedMemory, 228 KiB",
            "mine.json: power.floor: found 900 W, expected less than power.cap, 700 W");
    }

    [Fact]
    public void An_unknown_type_and_an_unknown_instruction_are_refused()
    {
        string message = MessageOf(root =>
        {
            root["tensorCores"]!["macsPerCycle"]!["fp12"] = 7;
            root["tensorCores"]!["instruction"] = "tcgen05";
        });
        message.Should().Contain("tensorCores.macsPerCycle.fp12: found \"fp12\"").And.Contain("tensorCores.instruction: found \"tcgen05\", expected hmma, mma.sync or wgmma");
    }

    [Fact]
    public void A_substitute_that_the_machine_lacks_is_refused() =>
        MessageOf(root => root["tensorCores"]!["runsAs"]!["bf16"] = "int32").Should().Contain("tensorCores.runsAs.bf16: found \"int32\"");

    [Fact]
    public void All_problems_of_a_file_come_together()
    {
        string message = MessageOf(root =>
        {
            root["kind"] = "systolic";
            root["multiprocessors"] = 0;
            root["extra"] = 1;
            root["l2"]!.AsObject().Remove("source");
            root["assumed"]![0]!.AsObject().Remove("reason");
        });
        message.Split('\n').Should().HaveCount(5);
    }

    [Fact]
    public void Code_that_breaks_a_rule_is_told_the_same()
    {
        SimtMachine h100 = SimtPresets.Load("h100");
        Action create = () => _ = new SimtMachine(h100.Spec with { Power = h100.Spec.Power with { Cap = Power.FromWatts(50) } });
        create.Should().Throw<ArgumentException>().WithMessage("h100: power.floor: found 70 W, expected less than power.cap, 50 W*");
    }
}
