using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;

namespace Systolic.Tests.Components;

public class EngineTests
{
    [Theory]
    [InlineData(DataType.Fp32, 500 + 100)] // two elements a cycle: both ends in SBUF
    [InlineData(DataType.Bf16, 250 + 100)] // four: 16 bits as well
    public void Copies_within_the_scratchpad_run_two_or_four_elements_a_cycle(DataType type, int cycles) =>
        Core.Nanoseconds(Core.Trn2, kernel => Core.Copy(kernel, StreamId.Vector, 1000, type)).Should().BeApproximately(cycles / 0.96, 0.01);

    [Fact]
    public void The_quantization_of_the_published_profile_is_reproduced()
    {
        // tensor_scalar from bf16 to fp8, 16,384 elements on Trainium2: about 8,800 ns in the vendor's profile; 8,192 + 100 cycles.
        Scalar(Core.Trn2, (kernel, t, s) => kernel.TensorScalar(StreamId.Vector, t, s, null, 128, 16384, DataType.Bf16, DataType.Fp8E4M3))
            .Should().BeApproximately((8192 + 100) / 0.96, 0.01).And.BeInRange(8800 * 0.97, 8800 * 1.03);
    }

    [Fact]
    public void The_first_generation_has_no_fast_copies()
    {
        // 1,000 elements and 107 static cycles at 1.12 GHz.
        Core.Nanoseconds(Core.Trn1, kernel => Core.Copy(kernel, StreamId.Vector, 1000, DataType.Bf16)).Should().BeApproximately(1107 / 1.12, 0.01);
    }

    [Fact]
    public void A_copy_out_of_psum_runs_two_elements_a_cycle()
    {
        Core.Nanoseconds(Core.Trn2, kernel => kernel.Copy(StreamId.Vector, kernel.Sbuf("target", 1024)[0], kernel.Psum("bank", 1)[0], 128, 512, DataType.Bf16, DataType.Bf16))
            .Should().BeApproximately((256 + 100) / 0.96, 0.01);
        Core.Nanoseconds(Core.Trn2, kernel => kernel.Copy(StreamId.Vector, kernel.Sbuf("target", 1024)[0], kernel.Psum("bank", 1)[0], 128, 512, DataType.Fp32, DataType.Bf16))
            .Should().BeApproximately((512 + 100) / 0.96, 0.01);
    }

    [Theory]
    [InlineData(DataType.Bf16, false, 500 + 100)] // two elements a cycle, all 16 bits in SBUF
    [InlineData(DataType.Fp32, false, 2000 + 100)] // both through one SBUF port
    [InlineData(DataType.Fp32, true, 1000 + 100)] // one source in PSUM
    public void Two_operands_share_the_scratchpad_port(DataType type, bool psum, int cycles)
    {
        double time = Core.Nanoseconds(Core.Trn2, kernel =>
        {
            Tile target = kernel.Sbuf("target", 4000)[0], first = kernel.Sbuf("first", 4000)[0];
            kernel.TensorTensor(StreamId.Vector, target, first, psum ? kernel.Psum("bank", 1)[0] : kernel.Sbuf("second", 4000)[0], 128, 1000, type, type);
        });

        time.Should().BeApproximately(cycles / 0.96, 0.01);
    }

    [Fact]
    public void Reciprocals_and_statistics_have_their_own_rates()
    {
        Vector((kernel, t, s) => kernel.Reciprocal(t, s, 128, 100, DataType.Fp32)).Should().BeApproximately((800 + 100) / 0.96, 0.01);
        Vector((kernel, t, s) => kernel.BatchNormStats(t, s, 128, 512, DataType.Bf16)).Should().BeApproximately((512 + 100) / 0.96, 0.01);
        // 8 pieces of 6 values: 13 x 48 / 3 = 208 cycles.
        Vector((kernel, t, s) => kernel.BatchNormAggregate(t, s, 128, 8)).Should().BeApproximately((208 + 100) / 0.96, 0.01);
        // One value per partition: the minimum of 64 cycles and the static part.
        Vector((kernel, t, s) => kernel.TensorScalar(StreamId.Vector, t, s, null, 128, 1, DataType.Fp32, DataType.Fp32)).Should().BeApproximately(164 / 0.96, 0.01);
    }

    [Fact]
    public void More_than_512_elements_of_a_statistics_piece_are_refused()
    {
        Action write = () => Vector((kernel, t, s) => kernel.BatchNormStats(t, s, 128, 513, DataType.Bf16));

        write.Should().Throw<ArgumentOutOfRangeException>().WithMessage("*513*512*");
    }

    [Fact]
    public void A_scalar_function_loads_its_table_once_and_again_after_another()
    {
        // exp, exp, log, exp on 1,200 elements: 1,000 ns each at 1.2 GHz; three table loads of 1,280 ns; 290 ns to the last result.
        double time = Core.Nanoseconds(Core.Trn2, kernel =>
        {
            Tile source = kernel.Sbuf("source", 4800)[0];
            TileBuffer targets = kernel.Sbuf("targets", 4800, 4);
            ActivationFunction[] functions = [ActivationFunction.Exp, ActivationFunction.Exp, ActivationFunction.Log, ActivationFunction.Exp];
            for (int i = 0; i < functions.Length; i++)
            {
                kernel.Activation(functions[i], targets[i], source, null, 128, 1200, DataType.Fp32, DataType.Fp32);
            }
        });

        time.Should().BeApproximately((4 * 1000) + (3 * 1280) + 290, 0.1);
    }

    [Fact]
    public void Copies_and_squares_need_no_table_and_a_sum_keeps_the_engine_for_sixty_four_cycles_more()
    {
        // The sum is read while the last results are on their way: 290 ns are longer than 64 cycles.
        Scalar(Core.Trn2, (kernel, t, s) => kernel.Activation(ActivationFunction.Square, t, s, null, 128, 1200, DataType.Fp32, DataType.Fp32)).Should().BeApproximately(1000 + 290, 0.01);
        Scalar(Core.Trn2, (kernel, t, s) => kernel.ActivationReduce(ActivationFunction.Square, t, s, null, 128, 1200, DataType.Fp32, DataType.Fp32)).Should().BeApproximately(1000 + 290, 0.01);
        StreamState scalar = Core.Run(Core.Trn2, kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", 4800, 3);
            kernel.ActivationReduce(ActivationFunction.Square, tiles[1], tiles[0], null, 128, 1200, DataType.Fp32, DataType.Fp32);
            kernel.Activation(ActivationFunction.Square, tiles[2], tiles[0], null, 128, 1200, DataType.Fp32, DataType.Fp32);
        }).Streams[(int)StreamId.Scalar];
        (scalar.Start[1] / 1e6).Should().BeApproximately(1000 + (64 / 1.2), 0.01);
        // 16-bit copies run twice as fast on v4.
        Scalar(Core.Trn3, (kernel, t, s) => kernel.Copy(StreamId.Scalar, t, s, 128, 1200, DataType.Bf16, DataType.Bf16)).Should().BeApproximately(500 + 290, 0.01);
    }

    [Fact]
    public void The_exponential_of_the_published_profile_is_reproduced()
    {
        // exp over [4, 4096] on Trainium2: 3,705 ns in the vendor's profile; 4,096 / 1.2 GHz + 290 ns, the table loaded before.
        Scalar(Core.Trn2, (kernel, t, s) => kernel.Activation(ActivationFunction.Identity, t, s, null, 4, 4096, DataType.Fp32, DataType.Fp32)).Should().BeApproximately(3705, 5);
    }

    [Fact]
    public void The_general_purpose_engine_takes_150_cycles_and_one_per_element()
    {
        Scalar(Core.Trn2, (kernel, t, s) => kernel.AffineSelect(t, s, 128, 1050, DataType.Fp32)).Should().BeApproximately((150 + 1050) / 1.2, 0.01);
    }

    [Fact]
    public void A_memset_reads_nothing()
    {
        ActivityCounts counts = Core.Run(Core.Trn2, kernel => kernel.Memset(StreamId.Vector, kernel.Sbuf("target", 256)[0], 128, 64, DataType.Fp32)).Run.Counts;

        counts[ActivityKind.ScratchpadReadByte].Should().Be(0);
        counts[ActivityKind.ScratchpadWriteByte].Should().Be(128 * 64 * 4);
    }

    [Fact]
    public void Counts_book_bytes_where_each_operand_lies()
    {
        ActivityCounts counts = Core.Run(Core.Trn2, kernel => kernel.TensorTensor(
            StreamId.Vector, kernel.Sbuf("target", 128)[0], kernel.Psum("bank", 1)[0], kernel.Sbuf("second", 256)[0], 100, 64, DataType.Fp32, DataType.Bf16)).Run.Counts;

        counts[ActivityKind.AccumulatorReadByte].Should().Be(100 * 64 * 4);
        counts[ActivityKind.ScratchpadReadByte].Should().Be(100 * 64 * 4);
        counts[ActivityKind.ScratchpadWriteByte].Should().Be(100 * 64 * 2);
        counts[ActivityKind.VectorOp].Should().Be(100 * 64);
    }

    private static double Vector(Action<KernelBuilder, Tile, Tile> write) => Scalar(Core.Trn2, write);

    private static double Scalar(Accelerator machine, Action<KernelBuilder, Tile, Tile> write) =>
        Core.Nanoseconds(machine, kernel => write(kernel, kernel.Sbuf("target", 16384)[0], kernel.Sbuf("source", 16384)[0]));
}
