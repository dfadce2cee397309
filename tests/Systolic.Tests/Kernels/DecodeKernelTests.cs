using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;
using Systolic.Workloads;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

/// <summary>Work and traffic of the kernels of the public kernel library, derived by hand.</summary>
public class DecodeKernelTests
{
    private const int Tensor = 0, Vector = 1, Scalar = 2;

    private static readonly Accelerator One = Core.Trn2, Two = Core.Trn2 with { Cores = 2 };

    [Fact]
    public void Rmsnorm_quant_of_four_rows_is_so_many_cycles_on_each_engine()
    {
        CoreRun run = Run(RmsNormQuantKernel.Write(One, new RmsNormQuantShape(4, 1024)), One);

        // Ones 64, two banks of 512, largest magnitude 1,024, floor and reciprocal 64 each, quantization at two elements a cycle 512; 100 more each: 3,452 at 0.96 GHz.
        Busy(run, Vector).Should().BeApproximately((64 + (2 * 512) + 1024 + (2 * 64) + 512 + (7 * 100)) / 0.96, 10);
        // Squares with their sum 1,024 + 64, the power and the scale 64 each at 1.2 GHz; one function table.
        Busy(run, Scalar).Should().BeApproximately(((1024 + 64 + (2 * 64)) / 1.2) + 1280, 10);
        run.Counts[ActivityKind.DramReadByte].Should().Be((4 * 1024 * 2) + (1024 * 2), "rows and gamma");
        run.Counts[ActivityKind.DramWriteByte].Should().Be((4 * 1024) + (4 * 4), "fp8 and a scale a row");
    }

    [Fact]
    public void Rows_of_two_cores_are_halves()
    {
        // 130 rows: 65 each, one tile; 260: 130 each, two tiles, each with gamma.
        Read(130).Should().Be(((65 * 1024) + 1024) * 2);
        Read(260).Should().Be(((130 * 1024) + (2 * 1024)) * 2);

        static long Read(int rows) => Run(RmsNormQuantKernel.Write(Two, new RmsNormQuantShape(rows, 1024)), Two).Counts[ActivityKind.DramReadByte];
    }

    [Fact]
    public void Four_products_of_few_tokens_run_side_by_side()
    {
        // 512 features are four products of 512 columns, a quarter of 64 cycles apart: 3 x 16 + 512 = 560 cycles.
        CoreRun run = Run(DecodeQkvKernel.Write(One, new DecodeQkvShape(1, 512, 512, null)), One);

        Busy(run, Tensor).Should().BeApproximately(560 / 2.4, 2);
        run.Counts[ActivityKind.DramReadByte].Should().Be((512 * 512 * 2) + (512 * 2));
        run.Counts[ActivityKind.DramWriteByte].Should().Be(512 * 2);
    }

    [Theory]
    [InlineData(32, 4)]
    [InlineData(33, 2)]
    [InlineData(64, 2)]
    [InlineData(65, 1)]
    public void More_tokens_leave_fewer_strips(int tokens, int strips)
    {
        // 4,096 features are 32 products of 512 columns; on each strip one after the other.
        CoreRun run = Run(DecodeQkvKernel.Write(One, new DecodeQkvShape(tokens, 4096, 512, null)), One);

        Busy(run, Tensor).Should().BeApproximately(32 / strips * 512 / 2.4, 40, "the last of the strips begin up to 48 cycles late, twice");
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(1, true)]
    public void Weights_of_a_decode_step_are_loaded_once_each_core_its_share(int cores, bool fp8)
    {
        // 82 MB of bf16 weights do not fit the ring.
        const int Tokens = 3, Hidden = 16384, Intermediate = 832;
        Accelerator machine = One with { Cores = cores };
        var shape = new DecodeMlpShape(Tokens, Hidden, Intermediate) { Scaling = fp8 ? WeightScaling.Row : WeightScaling.None };

        CoreRun run = Run(DecodeMlpKernel.Write(machine, shape), machine);

        long weights = 3L * Hidden * Intermediate * (fp8 ? 1 : 2), scales = fp8 ? Tokens * ((2L * Intermediate) + Hidden) * 4 : 0;
        run.Counts[ActivityKind.DramReadByte].Should().Be((weights + scales + (Tokens * Hidden * 2)) / cores);
        run.Counts[ActivityKind.DramWriteByte].Should().Be(Tokens * Hidden * 2 / cores);
    }

    [Fact]
    public void Two_cores_exchange_gate_and_up_and_the_halves_that_they_normalized()
    {
        Exchanges(3, NormFunction.Rms).Should().Be(2);
        Exchanges(20, NormFunction.Rms).Should().Be(3);
        Exchanges(12, NormFunction.Rms).Should().Be(2);
        Exchanges(12, NormFunction.Layer).Should().Be(3, "layer normalization is divided above ten tokens");

        static int Exchanges(int tokens, NormFunction norm) => DecodeMlpKernel.Write(Two, new DecodeMlpShape(tokens, 1024, 512, norm))[StreamId.Exchange].Length;
    }

    [Fact]
    public void Down_weights_load_while_the_cores_exchange()
    {
        // A piece of gate, one of up, seven of down. Down weights take the place of the other two as soon as gate is multiplied, long before the sums of up are exchanged.
        Program program = DecodeMlpKernel.Write(Two, new DecodeMlpShape(1, 4096, 896, NormFunction.Rms));
        (_, StreamState[] streams) = Simulator.RunWithTimes(program, Two);
        long exchanged = streams[(int)StreamId.Exchange].Done[^1];

        program[StreamId.QueueWeights].Length.Should().Be(2 + 7);
        streams[(int)StreamId.QueueWeights].Start.Should().OnlyContain(start => start < exchanged);
        streams[(int)StreamId.QueueWeights].Done.Count(done => done < exchanged).Should().BeGreaterThan(2 + 3);
    }

    [Fact]
    public void A_prefill_tile_multiplies_two_rows_of_fp8_a_cell_and_loads_all_weights()
    {
        const int Hidden = 1024, Intermediate = 256;
        Program one = PrefillMlpKernel.Write(One, new PrefillMlpShape(128, Hidden, Intermediate, WeightScaling.Static)), plain = PrefillMlpKernel.Write(One, new PrefillMlpShape(128, Hidden, Intermediate, WeightScaling.None));

        // Gate and up: 1,024 features are four pairs of 128 each; down: one pair for each of two banks of outputs. bf16 takes them one by one.
        Products(one).Should().Be((2 * 4) + 2);
        Products(plain).Should().Be(2 * ((2 * 4) + 2));
        // Two tiles of 512 rows.
        Run(PrefillMlpKernel.Write(One, new PrefillMlpShape(1024, Hidden, Intermediate, WeightScaling.None)), One).Counts[ActivityKind.DramReadByte]
            .Should().Be((1024 * Hidden * 2) + (2 * 3 * Hidden * Intermediate * 2));

        static int Products(Program program) => program[StreamId.Tensor].ToArray().Count(op => op.Opcode == Opcode.MatMul);
    }

    [Fact]
    public void Both_simulators_agree_on_every_instruction()
    {
        Program[] programs =
        [
            RmsNormQuantKernel.Write(Two, new RmsNormQuantShape(300, 2048, Clamp: 1)),
            DecodeQkvKernel.Write(Two, new DecodeQkvShape(28, 4096, 640, NormFunction.Rms, true)),
            DecodeMlpKernel.Write(Two, new DecodeMlpShape(20, 4096, 600, NormFunction.Layer) { Scaling = WeightScaling.Row, Bias = true, AddResidual = true, StoreSum = true }),
            DecodeMlpKernel.Write(Two, new DecodeMlpShape(4, 4096, 600) { GateUpColumns = false, DownColumns = false, Gate = false }),
            PrefillMlpKernel.Write(Two, new PrefillMlpShape(300, 1024, 640, WeightScaling.Row)),
            PrefillMlpKernel.Write(Two, new PrefillMlpShape(300, 896, 456, WeightScaling.None) { Norm = NormFunction.Layer }),
        ];

        programs.Should().OnlyContain(program => Agrees(program));
    }

    private static CoreRun Run(Program program, Accelerator machine) => Simulator.RunWithTimes(program, machine).Run;

    private static bool Agrees(Program program)
    {
        StreamState[] events = Simulator.RunWithTimes(program, Two).Streams, steps = LockstepSimulator.RunWithTimes(program, Two).Streams;
        return events.Zip(steps).All(pair => pair.First.Start.AsSpan().SequenceEqual(pair.Second.Start) && pair.First.Done.AsSpan().SequenceEqual(pair.Second.Done));
    }

    private static double Busy(CoreRun run, int engine) => run.Busy[engine].Value / 1e6;
}
