using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;

namespace Systolic.Tests.Kernels;

public class HazardCheckerTests
{
    [Theory]
    [InlineData(StreamId.Vector, "Vector 0 (Copy) reads before QueueActivations 0 (Load) completed")]
    [InlineData(StreamId.QueueWeights, "QueueWeights 0 (Load) writes before QueueActivations 0 (Load) completed its write")]
    public void A_program_without_its_waits_is_found_out(StreamId without, string expected)
    {
        // A load, a copy that reads it, a transfer that overwrites it; one stream loses its waits.
        var kernel = new KernelBuilder(Core.Trn2, "careless");
        TileBuffer tiles = kernel.Sbuf("tile", 4096, 2);
        kernel.Load(StreamId.QueueActivations, tiles[0], 128, 4096);
        kernel.Copy(StreamId.Vector, tiles[1], tiles[0], 128, 1024, DataType.Fp32, DataType.Fp32);
        kernel.Load(StreamId.QueueWeights, tiles[0], 128, 4096);
        Programs.Program careful = kernel.Build();
        HazardChecker.Find(careful, Simulator.RunWithTimes(careful, Core.Trn2).Streams).Should().BeNull();

        var program = new Programs.Program(careful.Name, Streams(careful, without), careful.Waits.ToArray(), careful.Buffers);

        HazardChecker.Find(program, Simulator.RunWithTimes(program, Core.Trn2).Streams).Should().Contain(expected);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(512, true)]
    [InlineData(511, false)]
    public void A_half_of_a_tile_is_written_while_the_other_half_is_read_and_not_while_it_is_read_itself(int read, bool together)
    {
        // A load of both halves, a copy of one of them, a load of the first half.
        Programs.Program careful = Halves(read);
        StreamState[] streams = Simulator.RunWithTimes(careful, Core.Trn2).Streams;
        HazardChecker.Find(careful, streams).Should().BeNull();
        (streams[(int)StreamId.QueueWeights].Start[0] < streams[(int)StreamId.Vector].Done[0]).Should().Be(together);

        var hasty = new Programs.Program(careful.Name, Streams(careful, StreamId.QueueWeights), careful.Waits.ToArray(), careful.Buffers, careful.Memory, careful.Operations);
        string? found = HazardChecker.Find(hasty, Simulator.RunWithTimes(hasty, Core.Trn2).Streams);

        // Without its waits the second load also comes before the first one, which wrote both halves.
        found.Should().Contain("QueueWeights 0 (Load) writes before QueueActivations 0 (Load) completed its write");
    }

    [Fact]
    public void An_engine_that_reads_a_strip_too_early_is_found_out_though_another_strip_is_there()
    {
        Programs.Program careful = Strips();
        HazardChecker.Find(careful, Simulator.RunWithTimes(careful, Core.Trn2).Streams).Should().BeNull();
        var hasty = new Programs.Program(careful.Name, Streams(careful, StreamId.Scalar), careful.Waits.ToArray(), careful.Buffers, careful.Memory, careful.Operations);

        HazardChecker.Find(hasty, Simulator.RunWithTimes(hasty, Core.Trn2).Streams).Should().Contain("Scalar 0 (Copy) reads before Vector 1 (Memset) completed");
    }

    [Fact]
    public void A_view_beyond_its_tile_is_found_out()
    {
        Programs.Program fine = Strips();
        TileChecker.Find(fine, Core.Trn2).Should().BeNull();
        Operation[][] operations = [.. fine.Operations!.Select(stream => stream.ToArray())];
        Operation copy = operations[(int)StreamId.Scalar][0];
        operations[(int)StreamId.Scalar][0] = copy with { First = copy.First.Skip(1) };

        TileChecker.Find(new Programs.Program(fine.Name, Streams(fine), fine.Waits.ToArray(), fine.Buffers, fine.Memory, operations), Core.Trn2)
            .Should().Contain("touches partitions 0 to 127, elements 2 to 1024 of strips, which has 128 x 1024");
    }

    private static Programs.Program Halves(int read)
    {
        var kernel = new KernelBuilder(Core.Trn2, "halves", values: true);
        Tile tile = kernel.Sbuf("halves", 1024, DataType.Fp32)[0], copy = kernel.Sbuf("copy", 512, DataType.Fp32)[0];
        MemoryTensor source = kernel.Input("source", 128, 1024, DataType.Fp32);
        kernel.Load(StreamId.QueueActivations, tile, source.Part(0, 128));
        kernel.Copy(StreamId.Vector, copy, tile[.., read..(read + 512)]);
        kernel.Load(StreamId.QueueWeights, tile[.., ..512], source.Part(0, 128, 0, 512));
        return kernel.Build();
    }

    /// <summary>Even elements, then odd ones; the odd ones are copied, and the even ones overwritten meanwhile.</summary>
    private static Programs.Program Strips()
    {
        var kernel = new KernelBuilder(Core.Trn2, "strips", values: true);
        Tile tile = kernel.Sbuf("strips", 1024, DataType.Fp32)[0], copy = kernel.Sbuf("copy", 512, DataType.Fp32)[0];
        kernel.Memset(StreamId.Vector, tile[.., ..1].Every(2, 512), 1);
        kernel.Memset(StreamId.Vector, tile[.., 1..2].Every(2, 512), 2);
        kernel.Copy(StreamId.Scalar, copy, tile[.., 1..2].Every(2, 512));
        kernel.Memset(StreamId.Vector, tile[.., ..1].Every(2, 512), 3);
        return kernel.Build();
    }

    private static Instruction[][] Streams(Programs.Program program, StreamId? without = null)
    {
        var streams = new Instruction[Systolic.Programs.Streams.Count][];
        for (int i = 0; i < streams.Length; i++)
        {
            streams[i] = program[(StreamId)i].ToArray();
            if (i == (int?)without)
            {
                streams[i] = [.. streams[i].Select(op => op with { WaitCount = 0 })];
            }
        }

        return streams;
    }
}
