using Systolic.Components;
using Systolic.Units;

namespace Systolic.Tests.Components;

public class ScaleSimConfigurationTests
{
    public const string Text = """
        [general]
        run_name = small

        # an array
        [architecture_presets]
        ArrayHeight:    32
        ArrayWidth:     16
        IfmapSramSzkB:  64
        FilterSramSzkB: 32
        OfmapSramSzkB:  8
        IfmapOffset:    0
        Dataflow : os
        Bandwidth : 10, 20

        [layout]
        IfmapCustomLayout: False
        IfmapSRAMBankBandwidth: 12
        IfmapSRAMBankNum: 4
        IfmapSRAMBankPort: 2
        FilterCustomLayout: False
        FilterSRAMBankBandwidth: 6
        FilterSRAMBankNum: 3

        [sparsity]
        SparsitySupport : false

        [run_presets]
        InterfaceBandwidth: USER
        UseRamulatorTrace: False
        """;

    [Fact]
    public void An_sram_is_a_scratchpad_of_two_halves_and_one_port()
    {
        ScratchpadSpec ifmap = ScaleSimConfiguration.Sram(64, 10);

        (ifmap.Capacity, ifmap.BankSize, ifmap.Ports, ifmap.Width).Should().Be((Bytes.FromKibibytes(64), Bytes.FromKibibytes(32), 1, new Bytes(10)));
    }

    [Fact]
    public void Every_key_finds_its_place() => ScaleSimConfiguration.Parse(Text, "a.cfg").Should().Be(
        new ScaleSimConfiguration(32, 16, ScaleSimDataflow.OutputStationary, 64, 32, 8) { RunName = "small", Bandwidth = new(12, 6, 10) });

    [Fact]
    public void In_CALC_mode_no_bandwidth_counts() =>
        ScaleSimConfiguration.Parse(Text.Replace("USER", "CALC", StringComparison.Ordinal), "a.cfg").Bandwidth.Should().BeNull();

    [Fact]
    public void Without_a_layout_both_read_ports_have_ten_words_a_cycle()
    {
        string text = Text[..Text.IndexOf("[layout]", StringComparison.Ordinal)] + Text[Text.IndexOf("[sparsity]", StringComparison.Ordinal)..];

        ScaleSimConfiguration.Parse(text, "a.cfg").Bandwidth.Should().Be(new ScaleSimBandwidth(10, 10, 10));
    }

    [Theory]
    [InlineData("ArrayHeight:    32", "arrayheight = 32")]
    [InlineData("[run_presets]", "; remark\n\n[run_presets]")]
    public void Letter_case_separator_and_comments_do_not_matter(string found, string replacement) =>
        ScaleSimConfiguration.Parse(Text.Replace(found, replacement, StringComparison.Ordinal), "a.cfg").Should().Be(ScaleSimConfiguration.Parse(Text, "a.cfg"));

    [Theory]
    [InlineData("ArrayHeight:    32", "ArrayHeight: 0", "a.cfg: line 6: [architecture_presets] ArrayHeight: found \"0\", expected a whole number from 1 to 1048576")]
    [InlineData("ArrayHeight:    32", "ArrayHeight: 3.5", "found \"3.5\", expected a whole number")]
    [InlineData("ArrayHeight:    32\n", "", "a.cfg: [architecture_presets]: found no ArrayHeight, expected one")]
    [InlineData("ArrayHeight:    32", "ArrayHeigth: 32", "line 6: [architecture_presets]: found the unknown key \"ArrayHeigth\", expected one that SCALE-Sim v3 reads; did you mean ArrayHeight")]
    [InlineData("ArrayHeight:    32", "ArrayHeight: 32\nArrayHeight: 64", "line 7: [architecture_presets]: found a second ArrayHeight, expected one: remove this or line 6")]
    [InlineData("Dataflow : os", "Dataflow : rs", "Dataflow: found \"rs\", expected os, ws or is")]
    [InlineData("InterfaceBandwidth: USER", "InterfaceBandwidth: BOTH", "found \"BOTH\", expected CALC or USER")]
    [InlineData("IfmapSRAMBankNum: 4", "IfmapSRAMBankNum: 5", "IfmapSRAMBankBandwidth: found \"12\", expected a multiple of IfmapSRAMBankNum, which is 5")]
    [InlineData("IfmapCustomLayout: False", "IfmapCustomLayout: True", "found \"True\", expected false: custom layouts are not modelled")]
    [InlineData("SparsitySupport : false", "SparsitySupport : true", "expected false: sparsity is not modelled")]
    [InlineData("UseRamulatorTrace: False", "UseRamulatorTrace: True", "expected false: Ramulator traces are not modelled")]
    [InlineData("[general]", "[general]\nnonsense", "line 2: found \"nonsense\", expected a section such as [general] or a line such as ArrayHeight : 32 inside one")]
    [InlineData("[sparsity]", "[layout]", "found a second section [layout], expected one")]
    public void A_mistake_is_told_with_its_line(string found, string replacement, string message)
    {
        Action parse = () => ScaleSimConfiguration.Parse(Text.ReplaceLineEndings("\n").Replace(found, replacement, StringComparison.Ordinal), "a.cfg");

        parse.Should().Throw<InvalidDocumentException>().Which.Message.Should().Contain(message);
    }

    [Fact]
    public void All_mistakes_are_told_together()
    {
        Action parse = () => ScaleSimConfiguration.Parse("[general]\n[architecture_presets]\nArrayHeight: x\n", "a.cfg");

        parse.Should().Throw<InvalidDocumentException>().Which.Message.Split('\n').Should().HaveCountGreaterThan(5);
    }
}
