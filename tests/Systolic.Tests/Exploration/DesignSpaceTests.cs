using Systolic.Exploration;
using Systolic.Machines;
using Systolic.Units;

namespace Systolic.Tests.Exploration;

public class DesignSpaceTests
{
    [Fact]
    public void Points_count_through_the_last_parameter_first()
    {
        DesignSpace space = SmallSpaces.ClockAndSbuf;

        space.Size.Should().Be(12);
        space[0].ToString().Should().Be("clock 1.2 GHz, sbuf.partitionSize 2 KiB");
        // 6 = 1 * 4 + 2
        space[6].ToString().Should().Be("clock 1.8 GHz, sbuf.partitionSize 96 KiB");
        Enumerable.Range(0, 12).Should().OnlyContain(number => space.NumberOf(space.Indices(number)) == number);
    }

    [Fact]
    public void A_point_is_the_machine_with_its_values_and_the_tied_ones()
    {
        // Array 128, clock 2.4 GHz, bandwidth 725 GB/s, SBUF 16 MiB: ((2 * 4 + 3) * 5 + 3) * 5 + 4
        var machine = (SystolicMachine)SmallSpaces.Wide[294].Machine();

        machine.Accelerator.TensorEngine.Rows.Should().Be(128);
        machine.Accelerator.Memory.Bandwidth.Should().Be(Bandwidth.FromGigabytesPerSecond(725));
        machine.Accelerator.Memory.Channels.Should().Be(16);
        // 16 MiB over 128 partitions
        machine.Accelerator.Sbuf.PartitionSize.Should().Be(Bytes.FromKibibytes(128));
    }

    [Fact]
    public void Points_that_differ_in_SBUF_alone_are_of_one_group()
    {
        DesignSpace space = SmallSpaces.Wide;

        Enumerable.Range(0, (int)space.Size).Select(point => space.GroupOf(point)).Distinct().Should().HaveCount(4 * 4 * 5);
        space.GroupOf(294).Should().Be(290);
    }

    [Theory]
    [InlineData("tensorEngine.rowz", 64, "trn2-core: tensorEngine.rowz: found an unknown key, expected one of: arrays, clock, columns,*rows*")]
    [InlineData("tensorEngin.rows", 64, "trn2-core: tensorEngin: found an unknown key, expected one of:*tensorEngine*")]
    [InlineData("tensorEngine.rows", 0, "trn2-core: tensorEngine.rows: found 0, expected a whole number from 1 to 4096")]
    [InlineData("memory.bandwidth", 725, "trn2-core: memory.bandwidth: found 725, expected a text with a unit")]
    [InlineData("links.levels[7].latency", 1, "links.levels[7].latency: found no such value in the machine file, expected a path such as tensorEngine.rows or links.levels[0].bandwidth")]
    [InlineData("workload.tokns", 64, "workload.tokns: found an unknown key; did you mean tokens*")]
    [InlineData("workload.tokens", -1, "workload.tokens: found \"-1\", expected a whole number from 1 to 1073741824")]
    [InlineData("time", 1, "*parameters: found the name \"time\", which is that of a figure; give it another name and its path*")]
    public void A_path_or_value_that_cannot_be_is_told_with_what_is_legal(string path, double value, string message)
    {
        Action create = () => _ = new DesignSpace("trn2-core", SmallSpaces.Layer, [new DesignParameter(path, value)]);

        create.Should().Throw<InvalidDocumentException>().WithMessage(message);
    }

    [Fact]
    public void All_problems_are_told_together()
    {
        Action create = () => _ = new DesignSpace(
            "trn2-core", SmallSpaces.Layer, [new DesignParameter("cores", 0), new DesignParameter("psum.banks", 0)], new Dictionary<string, string> { ["dma.engine"] = "cores", ["dma.engines"] = "core" });

        create.Should().Throw<InvalidDocumentException>().Which.Message.Split('\n').Select(line => line.Split(':')[..2]).Should().BeEquivalentTo(
            [["tied.dma.engines", " found the name \"core\", which is unknown; did you mean cores?"], ["trn2-core", " cores"], ["trn2-core", " psum.banks"], (string[])["tied.dma.engine", " found no such value in trn2-core, expected a path of its machine file, such as tensorEngine.rows"]]);
    }

    [Fact]
    public void Machine_and_workload_vary_too()
    {
        var space = new DesignSpace("trn2-core", SmallSpaces.Layer, [new DesignParameter("machine", "trn1-core", "h100"), new DesignParameter("workload.tokens", 16, 32)]);

        space[3].Machine().Profile.Name.Should().Be("h100");
        space[1].Workload().Tokens.Should().Be(32);
    }

    [Fact]
    public void Ranges_have_equal_distances_or_ratios()
    {
        DesignParameter.Linear("a", "1 GHz", "2 GHz", 3).Values.Select(value => value.Text).Should().Equal("1 GHz", "1.5 GHz", "2 GHz");
        DesignParameter.Logarithmic("a", "4 MiB", "64 MiB", 3).Values.Select(value => value.Text).Should().Equal("4 MiB", "16 MiB", "64 MiB");
        DesignParameter.Steps("a", 1, 8, 3).Values.Select(value => value.Text).Should().Equal("1", "4", "7");
        // 1, 1.33, 1.67, 2 as whole numbers
        DesignParameter.Linear("a", 1, 2, 4).Values.Select(value => value.Number).Should().Equal(1, 2);
    }
}
