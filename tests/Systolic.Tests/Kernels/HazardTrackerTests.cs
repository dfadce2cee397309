using CsCheck;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

public class HazardTrackerTests
{
    private const int Width = 48;

    private static readonly StreamId[] Engines = [StreamId.Vector, StreamId.Scalar, StreamId.GpSimd];

    /// <summary>A copy by one of three engines, or by a queue, of 12 elements of one of two tiles to 12 of one of them: side by side, every other one, or four of every eight, of some quarters of the partitions.</summary>
    private readonly record struct Step(int Engine, int From, int To, int FromPattern, int ToPattern, int FromOffset, int ToOffset, int Quarter);

    private static readonly Gen<Step[]> Steps =
        Gen.Select(Gen.Int[0, 3], Gen.Select(Gen.Int[0, 1], Gen.Int[0, 1]), Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2]), Gen.Select(Gen.Int[0, 24], Gen.Int[0, 24]), Gen.Int[0, 4])
            .Select((engine, tiles, patterns, offsets, quarter) => new Step(engine, tiles.Item1, tiles.Item2, patterns.Item1, patterns.Item2, offsets.Item1, offsets.Item2, quarter)).Array[1, 80];

    [Fact]
    public void Random_copies_between_parts_of_tiles_compute_the_same_in_every_order_and_touch_nothing_too_early() =>
        Steps.Sample(
            steps =>
            {
                Program program = Write(steps);
                StreamState[] streams = Simulator.RunWithTimes(program, Core.Trn2).Streams;
                HazardChecker.Find(program, streams).Should().BeNull();
                TileChecker.Find(program, Core.Trn2).Should().BeNull();
                ReadOnlySpan<float> expected = Values(program, ExecutionOrder.Written);
                foreach (ExecutionOrder order in new[] { ExecutionOrder.Random(1), ExecutionOrder.Random(2), ExecutionOrder.Completion(streams), ExecutionOrder.Eager(StreamId.Vector), ExecutionOrder.Eager(StreamId.QueueLocal) })
                {
                    Values(program, order).SequenceEqual(expected).Should().BeTrue();
                }
            },
            iter: 300);

    // 1,000 columns, each written by VectorE and read by ScalarE: more parts than are told apart. Then GpSimdE overwrites all of them.
    [Fact]
    public void A_tile_used_in_very_many_parts_is_still_ordered()
    {
        var kernel = new KernelBuilder(Core.Trn2, "columns", values: true);
        Tile tile = kernel.Sbuf("columns", 1000, DataType.Fp32)[0], copies = kernel.Sbuf("copies", 1000, DataType.Fp32)[0];
        for (int column = 0; column < 1000; column++)
        {
            kernel.Memset(StreamId.Vector, tile[.., column..(column + 1)], column);
        }

        for (int column = 0; column < 1000; column++)
        {
            kernel.Copy(StreamId.Scalar, copies[.., column..(column + 1)], tile[.., column..(column + 1)]);
        }

        kernel.Memset(StreamId.GpSimd, tile, 0);
        Program program = kernel.Build();

        HazardChecker.Find(program, Simulator.RunWithTimes(program, Core.Trn2).Streams).Should().BeNull();
        program[StreamId.GpSimd][0].WaitCount.Should().Be(2);
    }

    private static Program Write(Step[] steps)
    {
        var kernel = new KernelBuilder(Core.Trn2, "parts", values: true);
        TileBuffer tiles = kernel.Sbuf("tiles", Width, DataType.Fp32, 2);
        MemoryTensor source = kernel.Input("source", 256, Width, DataType.Fp32), result = kernel.Output("result", 256, Width, DataType.Fp32);
        for (int tile = 0; tile < 2; tile++)
        {
            kernel.Load(StreamId.QueueActivations, tiles[tile], source.Part(128 * tile, 128));
        }

        foreach (Step step in steps)
        {
            TileView to = View(tiles[step.To], step.Quarter, step.ToPattern, step.ToOffset), from = View(tiles[step.From], step.Quarter, step.FromPattern, step.FromOffset);
            if (step.Engine < Engines.Length)
            {
                kernel.Copy(Engines[step.Engine], to, from);
            }
            else if (step.From != step.To)
            {
                kernel.LocalCopy(to, from);
            }
        }

        for (int tile = 0; tile < 2; tile++)
        {
            kernel.Store(StreamId.QueueStores, result.Part(128 * tile, 128), tiles[tile]);
        }

        return kernel.Build();
    }

    private static TileView View(Tile tile, int quarter, int pattern, int offset) => (quarter < 4 ? tile[(32 * quarter)..(32 * (quarter + 1)), ..12] : tile[.., ..12]).Skip(offset) with
    {
        Free = pattern switch
        {
            0 => FreePattern.Row(12),
            1 => FreePattern.Row(12) with { InnerStride = 2 },
            _ => new FreePattern(1, 0, 3, 8, 4, 1),
        },
    };

    private static ReadOnlySpan<float> Values(Program program, ExecutionOrder order) =>
        Interpreter.Run(program, new Dictionary<string, Matrix> { ["source"] = Matrix.From(256, Width, (row, column) => (row * Width) + column) }, order)["result"].Values;
}
