using Systolic.Components;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;

namespace Systolic.Tests.Components;

/// <summary>A vector engine that works register by register, and several arrays of one engine.</summary>
public sealed class VectorRegisterTests
{
    private static readonly Accelerator Machine = MachinePresets.Accelerator("tpu-v4") with
    {
        VectorEngine = new VectorEngineSpec
        {
            Lanes = 128,
            Clock = Frequency.FromGigahertz(1),
            MinimumInterval = 1,
            StaticCycles = 5,
            FastModes = false,
            Registers = new VectorRegisterSpec { ElementsPerLane = 8, OperandCycles = 2, Conversions = [new TypeConversion(DataType.Fp16, 3, 10)] },
        },
    };

    // 100 elements of a lane are 13 registers of 8.
    [Theory]
    [InlineData(DataType.Fp32, DataType.Fp32, 5 + (13 * (2 + 2)))]
    [InlineData(DataType.Fp16, DataType.Bf16, 5 + (13 * (2 + 3 + 2)))]
    [InlineData(DataType.Fp32, DataType.Fp16, 5 + (13 * (2 + 2 + 10)))]
    public void A_copy_moves_and_converts_registers(DataType source, DataType target, int nanoseconds) =>
        Busy(kernel => kernel.Copy(StreamId.Vector, kernel.Sbuf("target", 100, target)[0], kernel.Sbuf("source", 100, source)[0])).Should().Be(nanoseconds);

    [Fact]
    public void A_sum_reads_two_and_a_reduction_writes_none()
    {
        // 2 fp16 sources of 2 + 3 cycles and an fp32 target of 2 cycles: 12 a register.
        Busy(kernel =>
        {
            TileBuffer source = kernel.Sbuf("source", 100, DataType.Fp16, 2);
            kernel.TensorTensor(StreamId.Vector, AluOperator.Add, kernel.Sbuf("target", 100, DataType.Fp32)[0], source[0], source[1]);
        }).Should().Be(5 + (13 * 12));
        Busy(kernel => kernel.TensorReduce(AluOperator.Add, kernel.Sbuf("target", 1, DataType.Fp32)[0], kernel.Sbuf("source", 100, DataType.Fp32)[0])).Should().Be(5 + (13 * 2));
    }

    [Theory]
    [InlineData(1, 8 * 128)]
    [InlineData(4, (2 * 128) + (3 * 8))] // every fourth on the same array; the next array starts a quarter of the least interval of 32 cycles later
    public void Arrays_multiply_side_by_side(int arrays, int cycles)
    {
        Accelerator machine = Machine with { TensorEngine = Machine.TensorEngine with { Arrays = arrays, Clock = Frequency.FromGigahertz(1), SustainedRate = Frequency.FromGigahertz(1), LoadColumnsPerCycle = 128 } };
        CoreRun run = Run(machine, kernel =>
        {
            (TileBuffer bank, TileBuffer operand) = (kernel.Psum("bank", 8), kernel.Sbuf("operand", 128, DataType.Bf16));
            for (int i = 0; i < 8; i++)
            {
                kernel.MatMul(bank[i][.., ..128], operand[0], operand[0], accumulate: false);
            }
        });

        // The first load of each array shifts in 128 columns a cycle.
        (run.Busy[(int)StreamId.Tensor].Value / 1e6).Should().BeInRange(cycles, cycles + 2);
    }

    private static double Busy(Action<KernelBuilder> write) => Run(Machine, write).Busy[(int)StreamId.Vector].Value / 1e6;

    private static CoreRun Run(Accelerator machine, Action<KernelBuilder> write)
    {
        var kernel = new KernelBuilder(machine, "test");
        write(kernel);
        return Simulator.Run(kernel.Build(), machine);
    }
}
