using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;

namespace Systolic.Tests.Kernels;

/// <summary>The product of the public tutorial in each of its stages: 512 x 512 x 1024, 4 x 4 x 2 tiles of 128 x 128 x 512.</summary>
public class TutorialMatMulTests
{
    private const int M = 512;
    private const int K = 512;
    private const int N = 1024;
    private const long Stationary = M * K * 4L;
    private const long Moving = K * N * 4L;

    /// <summary>Stage, block of M, N and K, whole arrays, and the bytes loaded: how often each operand is.</summary>
    public static TheoryData<string, int, int, int, bool, long> Stages => new()
    {
        // Every product loads both: the stationary operand for each of 2 column tiles, the moving one for each of 4 row tiles.
        { "Tiled", 1, 1, 1, false, (2 * Stationary) + (4 * Moving) },
        { "Tiled", 2, 2, 1, false, Stationary + (2 * Moving) },
        { "Hoisted", 1, 1, 1, false, Stationary + (4 * Moving) },
        { "FreeBlocked", 2, 2, 1, false, Stationary + (2 * Moving) },
        { "FreeBlocked", 2, 2, 1, true, Stationary + (2 * Moving) },
        // For each block of columns the stationary operand once, the moving one once in all.
        { "FullyBlocked", 2, 1, 2, false, (2 * Stationary) + Moving },
        { "ResultStationary", 2, 1, 2, false, (2 * Stationary) + (2 * Moving) },
    };

    [Theory]
    [MemberData(nameof(Stages))]
    public void Each_stage_computes_the_product_and_loads_what_it_does_not_keep(string stage, int m, int n, int k, bool wholeArrays, long loaded)
    {
        foreach (Accelerator machine in new[] { Core.Trn1, Core.Trn2 })
        {
            Program program = TutorialMatMulKernel.Write(
                new KernelBuilder(machine, stage, values: true), Enum.Parse<MatMulStage>(stage), M, K, N, DataType.Fp32, new MatMulBlocks(m, n, k), wholeArrays);
            (CoreRun run, StreamState[] streams) = Simulator.RunWithTimes(program, machine);

            HazardChecker.Find(program, streams).Should().BeNull();
            run.Counts[ActivityKind.DramReadByte].Should().Be(loaded);
            run.Counts[ActivityKind.DramWriteByte].Should().Be(M * N * 4L);
            run.Counts.Macs.Should().Be((long)M * K * N);
            LockstepSimulator.RunWithTimes(program, machine).Run.Time.Should().Be(run.Time);
            CheckValues(program);
        }
    }

    /// <summary>Small whole numbers: every sum is exact in fp32.</summary>
    private static void CheckValues(Program program)
    {
        Matrix a = Matrix.From(K, M, (row, column) => ((row * 7) + (column * 3)) % 5 - 2), b = Matrix.From(K, N, (row, column) => ((row * 3) + (column * 11)) % 7 - 3);

        Matrix result = Interpreter.Run(program, new Dictionary<string, Matrix> { ["stationary"] = a, ["moving"] = b }, cancellation: TestContext.Current.CancellationToken)["result"];

        foreach ((int i, int j) in new[] { (0, 0), (130, 515), (255, 1023), (511, 700), (300, 511) })
        {
            result[i, j].Should().Be(Enumerable.Range(0, K).Sum(x => a[x, i] * b[x, j]));
        }
    }

    [Fact]
    public void Sizes_that_are_no_multiple_of_a_tile_are_refused()
    {
        Action write = () => TutorialMatMulKernel.Write(new KernelBuilder(Core.Trn2, "odd"), MatMulStage.Tiled, 100, K, N, DataType.Fp32, new MatMulBlocks(1, 1, 1));

        write.Should().Throw<ArgumentException>().WithMessage("Found M = 100, expected a multiple of 128.*");
    }
}
