using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Simt;
using Systolic.Tests.Machines;
using Systolic.Workloads;

namespace Systolic.Tests.Simt.Warps;

public sealed class GemmProgramTests
{
    private static readonly MultiprocessorConfig Config = new();
    private static readonly Supply Supply = Supply.Of(24, 16, 500);

    private static (SimtSpec Spec, GemmProblem Problem, ImmutableArray<GemmTile> Tiles) Family(string machine, DataType type)
    {
        SimtSpec spec = SimtPresets.Load(machine).Spec;
        GemmProblem problem = GemmProblem.Of(new MatMul("", 1024, 1024, 1024) { Type = type, OutputType = type }, spec);
        return (spec, problem, GemmTiles.For(spec.TensorCores.Instruction, problem.Rate.OnTensorCores));
    }

    [Theory]
    [InlineData("v100", DataType.Fp16)]
    [InlineData("a100-80gb", DataType.Fp16)]
    [InlineData("h100", DataType.Fp16)]
    [InlineData("h100", DataType.Fp8E4M3)]
    [InlineData("a100-80gb", DataType.Fp32)]
    public void Every_instruction_of_a_product_issues_in_the_same_cycle_in_both_simulations(string machine, DataType type)
    {
        (SimtSpec spec, GemmProblem problem, ImmutableArray<GemmTile> tiles) = Family(machine, type);
        foreach (GemmTile tile in new[] { tiles[0], tiles[^1] })
        {
            foreach (CtaProgram program in new[] { GemmProgram.Of(spec, problem, tile, steps: 5, outputBytes: 2), GemmProgram.OfShare(spec, problem, tile, steps: 5, outputBytes: 2, partials: 3) })
            {
                CtaBatch[] queue = [new(2, Supply), new(1, Supply)];
                List<WarpIssue> fast = [], slow = [];
                MultiprocessorRun one = Multiprocessor.Run(Config, program, 2, queue, fast);
                MultiprocessorRun other = MultiprocessorReference.Run(Config, program, 2, queue, slow);

                fast.Should().HaveCountGreaterThan(50).And.Equal(slow);
                one.Stack.Should().Equal(other.Stack);
                Multiprocessor.Run(Config, program, 2, queue).Cycles.Should().Be(other.Cycles);
            }
        }
    }

    [Theory]
    [InlineData("a100-80gb")]
    [InlineData("h100")]
    public void A_share_of_stream_k_leaves_sums_of_one_tile_and_finishes_another(string machine)
    {
        (SimtSpec spec, GemmProblem problem, ImmutableArray<GemmTile> tiles) = Family(machine, DataType.Fp16);
        GemmTile tile = tiles[0];
        CtaProgram plain = GemmProgram.Of(spec, problem, tile, steps: 5, outputBytes: 2), share = GemmProgram.OfShare(spec, problem, tile, steps: 5, outputBytes: 2, partials: 3);

        (Bytes(share, Pipe.Store) - Bytes(plain, Pipe.Store)).Should().Be((long)tile.M * tile.N * 4);
        (Bytes(share, Pipe.Load) - Bytes(plain, Pipe.Load)).Should().Be(3L * tile.M * tile.N * 4);

        static long Bytes(CtaProgram program, Pipe pipe) => program.Sum(one => one.Pipe == pipe ? one.Bytes : 0);
    }

    [Theory]
    [InlineData("v100", DataType.Fp16)]
    [InlineData("a100-80gb", DataType.Fp16)]
    [InlineData("h100", DataType.Fp16)]
    [InlineData("a100-80gb", DataType.Fp32)]
    public void A_cta_loads_its_operands_once_multiplies_all_of_its_tile_and_stores_it(string machine, DataType type)
    {
        (SimtSpec spec, GemmProblem problem, ImmutableArray<GemmTile> tiles) = Family(machine, type);
        foreach (GemmTile tile in tiles)
        {
            const int Steps = 9;
            CtaProgram program = GemmProgram.Of(spec, problem, tile, Steps, outputBytes: 2);

            // Whole requests of 512 bytes per warp: operands that are no multiple are rounded up.
            program.Sum(one => one.Pipe == Pipe.Load ? one.Bytes : 0).Should().BeInRange((long)Steps * (tile.M + tile.N) * tile.KBytes, (long)Steps * (((tile.M + tile.N) * tile.KBytes) + (512 * tile.Warps)));
            program.Sum(one => one.Pipe == Pipe.Store ? one.Bytes : 0).Should().Be((long)tile.M * tile.N * 2);
            double multiplies = (double)Steps * tile.M * tile.N * tile.KBytes / problem.ElementBytes;
            double expected = multiplies / problem.Rate.MacsPerCycle * spec.Multiprocessor.SubCores * (problem.Rate.OnTensorCores ? FittedConstants.TensorCycles(spec.TensorCores.Instruction) / 32.0 : 1);
            program.Sum(one => one.Pipe is Pipe.Tensor or Pipe.Warpgroup or Pipe.Fp32 ? one.PipeCycles : 0).Should().Be((long)expected);
        }
    }

    [Theory]
    [InlineData("v100", DataType.Fp16)]
    [InlineData("a100-80gb", DataType.Fp16)]
    [InlineData("h100", DataType.Fp16)]
    [InlineData("h100", DataType.Fp32)]
    public void A_long_product_costs_little_more_than_a_short_one(string machine, DataType type)
    {
        (SimtSpec spec, GemmProblem problem, ImmutableArray<GemmTile> tiles) = Family(machine, type);
        CtaBatch[] queue = [new(20, Supply)];
        MultiprocessorRun run = Multiprocessor.Run(Config, GemmProgram.Of(spec, problem, tiles[0], 2000, 2), 1, queue);
        run.Simulated.Should().BeLessThan(run.Issued / 20);
    }
}
