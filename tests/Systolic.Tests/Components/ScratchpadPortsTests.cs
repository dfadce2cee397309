using Systolic.Accounting;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;

namespace Systolic.Tests.Components;

/// <summary>Who waits for whom at SBUF and PSUM: Trainium (v2) and Trainium2 (v3) architecture guides.</summary>
public class ScratchpadPortsTests
{
    [Theory]
    [InlineData("v2", true)]
    [InlineData("v3", false)]
    public void The_vector_and_the_general_purpose_engine_share_the_scratchpad_port_of_v2(string core, bool wait)
    {
        // fp32, one element a cycle or two: on v3 not a fast mode that borrows the bus when the type is fp32 and two tensors are added.
        StreamState[] streams = Run(core, kernel =>
        {
            kernel.TensorTensor(StreamId.Vector, AluOperator.Add, Tile(kernel, "sum"), Tile(kernel, "a"), Tile(kernel, "b"));
            kernel.AffineSelect(Tile(kernel, "masked"), Tile(kernel, "scores"), default, 0);
        });

        Waits(streams, StreamId.Vector, StreamId.GpSimd).Should().Be(wait);
    }

    [Fact]
    public void A_fast_mode_of_the_vector_engine_borrows_the_bus_of_the_general_purpose_one()
    {
        StreamState[] streams = Run("v3", kernel =>
        {
            kernel.Copy(StreamId.Vector, Tile(kernel, "copy"), Tile(kernel, "a"));
            kernel.AffineSelect(Tile(kernel, "masked"), Tile(kernel, "scores"), default, 0);
        });

        Waits(streams, StreamId.Vector, StreamId.GpSimd).Should().BeTrue();
    }

    [Theory]
    [InlineData("v2", true)]
    [InlineData("v3", false)]
    public void The_vector_and_the_scalar_engine_share_the_accumulator_port_of_v2(string core, bool wait)
    {
        StreamState[] streams = Run(core, kernel =>
        {
            TileBuffer banks = kernel.Psum("banks", 2);
            kernel.Copy(StreamId.Vector, Tile(kernel, "left"), banks[0]);
            kernel.Copy(StreamId.Scalar, Tile(kernel, "right"), banks[1]);
        });

        Waits(streams, StreamId.Vector, StreamId.Scalar).Should().Be(wait);
    }

    [Fact]
    public void Two_engines_take_turns_at_one_bank_and_the_cycle_stack_says_so()
    {
        (CoreRun run, StreamState[] streams) = Core.Run(Core.Trn2, kernel =>
        {
            Tile bank = kernel.Psum("bank", 1)[0];
            kernel.Copy(StreamId.Vector, Tile(kernel, "left"), bank);
            kernel.Copy(StreamId.Scalar, Tile(kernel, "right"), bank);
        });

        Waits(streams, StreamId.Vector, StreamId.Scalar).Should().BeTrue();
        run.Stack[CycleComponent.ScratchpadConflict].Value.Should().BeCloseTo(streams[(int)StreamId.Scalar].Start[0], 1_000_000, "the second to come waits for all of the first, up to a clock edge");
        run.Stack.Total.Should().Be(run.Time);
    }

    [Fact]
    public void Elements_more_than_sixteen_bytes_apart_take_twice_as_long()
    {
        // 500 elements of fp32: 500 and 1,000 cycles of 1.12 GHz beside the static ones; a stride of 4 elements is 16 bytes.
        double near = Core.Nanoseconds(Core.Trn1, kernel => Every(kernel, 4)), far = Core.Nanoseconds(Core.Trn1, kernel => Every(kernel, 5));

        (far - near).Should().BeApproximately(500 / 1.12, 1);

        static void Every(KernelBuilder kernel, int step) =>
            kernel.Copy(StreamId.Vector, kernel.Sbuf("out", 500, DataType.Fp32)[0], ((TileView)kernel.Sbuf("in", 2500, DataType.Fp32)[0]).Every(step, 500));
    }

    private static TileView Tile(KernelBuilder kernel, string name) => kernel.Sbuf(name, 512, DataType.Fp32)[0];

    private static StreamState[] Run(string core, Action<KernelBuilder> write) => Core.Run(core == "v2" ? Core.Trn1 : Core.Trn2, write).Streams;

    /// <summary>The second starts when the first is done with its operands, not at once.</summary>
    private static bool Waits(StreamState[] streams, StreamId first, StreamId second) => streams[(int)second].Start[0] >= streams[(int)first].Free[0];
}
