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

    private static Instruction[][] Streams(Programs.Program program, StreamId without)
    {
        var streams = new Instruction[Systolic.Programs.Streams.Count][];
        for (int i = 0; i < streams.Length; i++)
        {
            streams[i] = program[(StreamId)i].ToArray();
            if (i == (int)without)
            {
                streams[i] = [.. streams[i].Select(op => op with { WaitCount = 0 })];
            }
        }

        return streams;
    }
}
