using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

public class TutorialKernelTests
{
    private static readonly Accelerator Trn1 = KernelRuns.Machine("trn1-core");

    /// <summary>One of each kernel, of a few tiles.</summary>
    private static IEnumerable<Program> Kernels(Accelerator machine) => new Func<KernelBuilder, Program>[]
    {
        kernel => MambaKernel.Write(kernel, new MambaShape(1, 256, 4, 512), MambaOrder.StatesOutside),
        kernel => MambaKernel.Write(kernel, new MambaShape(1, 256, 4, 1024), MambaOrder.ChannelsOutside),
        kernel => MambaKernel.Write(kernel, new MambaShape(1, 256, 4, 1024), MambaOrder.SequenceTiled),
        kernel => MambaKernel.Write(kernel, new MambaShape(1, 256, 4, 1024), MambaOrder.SequenceTiled, asWritten: true),
        kernel => SdAttentionKernel.Write(kernel, 1024, 64, DataType.Fp32, allocated: false),
        kernel => SdAttentionKernel.Write(kernel, 1024, 128, DataType.Bf16, allocated: true),
        kernel => FlashForwardKernel.Write(kernel, new FlashShape(512, 4096, 96, false, 0), DataType.Bf16),
        kernel => FlashForwardKernel.Write(kernel, new FlashShape(2304, 4096, 96, true, 200), DataType.Bf16),
        kernel => FusedNormLinearKernel.Write(kernel, 300, 1024, 512, DataType.Bf16),
        kernel => LayerNormTutorialKernel.Write(kernel, 300, 1000, statisticsInstructions: false),
        kernel => LayerNormTutorialKernel.Write(kernel, 300, 1000, statisticsInstructions: true),
        kernel => AveragePoolingKernel.Write(kernel, 300, new ImageSize(28, 28), new ImageSize(7, 7), DataType.Fp32),
        kernel => ConvolutionKernel.Write(kernel, 1, 256, 128, new ImageSize(10, 20), 3, pool: true, DataType.Fp16),
        kernel => TransposeKernel.Write(kernel, 1024, 512, DataType.Fp32),
        kernel => SelectAndScatterKernel.Write(kernel, 256, 20, 20, DataType.Fp32),
        kernel => BilinearResizeKernel.Write(kernel, 200, new ImageSize(25, 16), DataType.Fp32),
        kernel => NearestResizeKernel.Write(kernel, 2, new ImageSize(3, 4), new ImageSize(5, 7), 100, DataType.Fp16),
    }.Select(write => write(new KernelBuilder(machine, "tutorial", values: true)));

    [Theory]
    [MemberData(nameof(KernelRuns.MachineNames), MemberType = typeof(KernelRuns))]
    public void No_kernel_touches_a_tile_too_early_and_both_simulators_agree_on_every_instruction(string name)
    {
        Accelerator machine = KernelRuns.Machine(name);
        foreach (Program program in Kernels(machine))
        {
            StreamState[] streams = Simulator.RunWithTimes(program, machine).Streams, steps = LockstepSimulator.RunWithTimes(program, machine).Streams;

            HazardChecker.Find(program, streams).Should().BeNull();
            for (int s = 0; s < Streams.Count; s++)
            {
                int length = program[(StreamId)s].Length;
                steps[s].Start[..length].Should().Equal(streams[s].Start[..length]);
                steps[s].Done[..length].Should().Equal(streams[s].Done[..length]);
            }
        }
    }

    [Theory]
    [InlineData(0, false, 4631)] // delta u 2n, product with b in PSUM n, scan 2n, product with c in PSUM n, sum 2n: 8 x 512 + 5 x 107
    [InlineData(1, false, 3500)] // delta u once: 6 x 512 + 4 x 107
    [InlineData(2, false, 3500)]
    [InlineData(2, true, 5143)] // both broadcasts in SBUF, the sum from PSUM: 9 x 512 + 5 x 107
    public void A_state_of_128_channels_takes_the_vector_engine_the_cycles_of_its_instructions(int order, bool asWritten, long cycles)
    {
        long state = Busy(4) - Busy(3);

        state.Should().Be(cycles);

        long Busy(int states) => Vector(kernel => MambaKernel.Write(kernel, new MambaShape(1, 128, states, 512), (MambaOrder)order, asWritten));
    }

    [Fact]
    public void A_tile_of_a_sequence_hands_on_its_state_in_an_instruction_of_its_own()
    {
        // Per state and further tile 6 x 512 + 4 x 107, and 64 + 107 for one element. The first of the three states has no sum; delta u, of equal cost, takes its place.
        long tile = Busy(1536) - Busy(1024);

        tile.Should().Be(3 * (3500 + 171));

        static long Busy(int tokens) => Vector(kernel => MambaKernel.Write(kernel, new MambaShape(1, 128, 3, tokens), MambaOrder.SequenceTiled));
    }

    [Fact]
    public void A_query_tile_of_Stable_Diffusion_attention_takes_the_vector_engine_three_passes_of_banks_or_by_hand_two()
    {
        // 4096 keys are 8 banks: copy, maximum and eviction of transposes, 3 x 8 x (512 + 107); maximum of the 8 and reciprocal, 2 x 171; the quotient, 128 + 107. fp32 rounds the exponentials: 4096 + 107.
        long narrow = Busy(DataType.Bf16), wide = Busy(DataType.Fp32);

        narrow.Should().Be(32 * ((24 * 619) + (2 * 171) + 235));
        (wide - narrow).Should().Be(32 * 4203);

        // By hand: two passes of banks, a sum of 4 partial sums, and the copy of the result, 128 + 107.
        Busy(DataType.Bf16, true).Should().Be(32 * ((16 * 619) + (3 * 171) + (2 * 235)));

        static long Busy(DataType type, bool allocated = false) => Vector(kernel => SdAttentionKernel.Write(kernel, 4096, 64, type, allocated));
    }

    [Fact]
    public void Sizes_that_are_no_multiple_of_a_tile_are_refused()
    {
        Refused(kernel => MambaKernel.Write(kernel, new MambaShape(1, 100, 4, 512), MambaOrder.StatesOutside), "Found 100 channels and 512 tokens, expected multiples of 128 and 512.*");
        Refused(kernel => SdAttentionKernel.Write(kernel, 1000, 64, DataType.Bf16, false), "Found 1000 tokens of 64 features*");
        Refused(kernel => FlashForwardKernel.Write(kernel, new FlashShape(128, 1000, 64, true, 0), DataType.Bf16), "Found 128 queries and 1000 keys*");
        Refused(kernel => FusedNormLinearKernel.Write(kernel, 128, 1024, 600, DataType.Bf16), "Found 1024 x 600*");
        Refused(kernel => ConvolutionKernel.Write(kernel, 1, 100, 128, new ImageSize(8, 8), 3, false, DataType.Fp16), "Found 100 to 128 channels*");
        Refused(kernel => TransposeKernel.Write(kernel, 100, 128, DataType.Fp32), "Found 100 x 128*");

        static void Refused(Func<KernelBuilder, Program> write, string message) =>
            FluentActions.Invoking(() => write(new KernelBuilder(Trn1, "tutorial"))).Should().Throw<ArgumentException>().WithMessage(message);
    }

    /// <summary>Cycles for which VectorE works.</summary>
    private static long Vector(Func<KernelBuilder, Program> write)
    {
        CoreRun run = Simulator.Run(write(new KernelBuilder(Trn1, "tutorial")), Trn1);
        return (long)Math.Round(run.Busy[Simulator.Engines.IndexOf("vector")].Seconds * Trn1.VectorEngine.Clock.Hertz);
    }
}
