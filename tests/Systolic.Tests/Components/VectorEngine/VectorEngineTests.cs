using Systolic.Components;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Tests.Components;

/// <summary>Cycles of single instructions of 100 elements a lane, fp32 in SBUF if nothing else is said.</summary>
public class VectorEngineTests
{
    // At least 10 cycles and 5 beside; registers of 8 elements, 2 cycles each way, fp16 3 more to read and 10 to write.
    private static readonly VectorEngineSpec Streaming = new() { Lanes = 128, Clock = Frequency.FromGigahertz(1), MinimumInterval = 10, StaticCycles = 5, FastModes = false };
    private static readonly VectorEngineSpec Fast = Streaming with { FastModes = true };
    private static readonly VectorEngineSpec Registers = Streaming with
    {
        Registers = new VectorRegisterSpec { ElementsPerLane = 8, OperandCycles = 2, Conversions = [new TypeConversion(DataType.Fp16, 3, 10)] },
    };

    // 13 registers; strided ones 25.
    [Theory]
    [InlineData(Opcode.Copy, Operands.None, DataType.Fp32, DataType.Fp32, 13 * (2 + 2))]
    [InlineData(Opcode.Copy, Operands.Strided, DataType.Fp32, DataType.Fp32, 25 * (2 + 2))]
    [InlineData(Opcode.Copy, Operands.None, DataType.Fp16, DataType.Fp16, 13 * (5 + 12))]
    [InlineData(Opcode.Memset, Operands.None, DataType.Fp16, DataType.Fp32, 13 * 2)]
    [InlineData(Opcode.Iota, Operands.None, DataType.Fp16, DataType.Fp16, 13 * 12)]
    [InlineData(Opcode.TensorTensor, Operands.TwoTensors, DataType.Fp16, DataType.Fp32, 13 * (5 + 5 + 2))]
    [InlineData(Opcode.TensorReduce, Operands.None, DataType.Fp16, DataType.Fp16, 13 * 5)]
    [InlineData(Opcode.BatchNormStats, Operands.None, DataType.Fp32, DataType.Fp16, 13 * 2)]
    [InlineData(Opcode.BatchNormAggregate, Operands.None, DataType.Fp32, DataType.Fp32, 13 * 2)]
    [InlineData(Opcode.Max8, Operands.None, DataType.Fp32, DataType.Fp32, 13 * 2)]
    [InlineData(Opcode.FindIndex8, Operands.TwoTensors, DataType.Fp32, DataType.Fp32, 13 * 4)]
    public void Registers_are_moved_and_converted(Opcode opcode, Operands operands, DataType source, DataType target, int cycles) =>
        Interval(Registers, opcode, operands, source, target).Should().Be(cycles + 5);

    [Fact]
    public void A_part_of_a_cycle_and_of_a_register_is_a_whole_one()
    {
        VectorEngineSpec half = Registers with { Registers = Registers.Registers! with { OperandCycles = 0.25 } };

        // 7 registers of 0.5 cycles.
        Interval(half, Opcode.Copy, free: 49, minimum: 1).Should().Be(4 + 5);
        Interval(half, Opcode.Copy, free: 48, minimum: 1).Should().Be(3 + 5);
        Interval(half, Opcode.Copy, free: 48).Should().Be(10 + 5, "the least interval");
    }

    [Theory]
    [InlineData(Opcode.Copy, Operands.None, 100)]
    [InlineData(Opcode.Copy, Operands.Strided, 200)]
    [InlineData(Opcode.TensorTensor, Operands.TwoTensors, 200)]
    [InlineData(Opcode.TensorTensor, Operands.TwoTensors | Operands.FirstInPsum, 100)]
    [InlineData(Opcode.TensorTensor, Operands.TwoTensors | Operands.SecondInPsum, 100)]
    [InlineData(Opcode.TensorTensor, Operands.TwoTensors | Operands.FirstInPsum | Operands.SecondInPsum, 200)]
    [InlineData(Opcode.ScalarTensorTensor, Operands.TwoTensors, 200)]
    [InlineData(Opcode.ScalarTensorTensor, Operands.TwoTensors | Operands.SecondInPsum, 100)]
    [InlineData(Opcode.Scan, Operands.TwoTensors, 200)]
    [InlineData(Opcode.Select, Operands.TwoTensors, 200)]
    [InlineData(Opcode.Select, Operands.TwoTensors | Operands.FirstInPsum, 100)]
    [InlineData(Opcode.Reciprocal, Operands.None, 800)]
    [InlineData(Opcode.BatchNormAggregate, Operands.None, 433)] // 13 / 3 an element
    [InlineData(Opcode.BatchNormStats, Operands.None, 100)]
    [InlineData(Opcode.Memset, Operands.None, 100)]
    [InlineData(Opcode.Iota, Operands.None, 100)]
    public void Elements_of_fp32_stream_at_their_rates(Opcode opcode, Operands operands, int cycles)
    {
        Interval(Streaming, opcode, operands).Should().Be(cycles + 5);
        VectorEngine.IsFast(Streaming, Of(opcode, operands)).Should().BeFalse();
    }

    [Theory]
    [InlineData(DataType.Bf16, DataType.Bf16, Operands.None, 25, true)]
    [InlineData(DataType.Fp32, DataType.Fp32, Operands.None, 50, true)]
    [InlineData(DataType.Bf16, DataType.Fp32, Operands.None, 50, true)]
    [InlineData(DataType.Bf16, DataType.Fp8E4M3, Operands.None, 50, true)]
    [InlineData(DataType.Bf16, DataType.Bf16, Operands.FirstInPsum, 50, true)]
    [InlineData(DataType.Bf16, DataType.Bf16, Operands.DestinationInPsum, 50, true)]
    [InlineData(DataType.Fp32, DataType.Bf16, Operands.FirstInPsum, 100, false)]
    [InlineData(DataType.Bf16, DataType.Fp32, Operands.DestinationInPsum, 100, false)]
    public void Copies_are_fast_by_type_and_place(DataType source, DataType target, Operands operands, int cycles, bool fast)
    {
        foreach (Opcode opcode in (Opcode[])[Opcode.Copy, Opcode.TensorScalar])
        {
            Interval(Fast, opcode, operands, source, target).Should().Be(cycles + 5);
            VectorEngine.IsFast(Fast, Of(opcode, operands, source, target)).Should().Be(fast);
            Interval(Streaming, opcode, operands, source, target).Should().Be(100 + 5);
        }
    }

    [Theory]
    [InlineData(DataType.Bf16, DataType.Bf16, Operands.TwoTensors, 50, 100, true)]
    [InlineData(DataType.Bf16, DataType.Fp32, Operands.TwoTensors, 200, 200, false)]
    [InlineData(DataType.Fp32, DataType.Bf16, Operands.TwoTensors, 200, 200, false)]
    [InlineData(DataType.Bf16, DataType.Bf16, Operands.TwoTensors | Operands.FirstInPsum, 100, 100, false)]
    [InlineData(DataType.Bf16, DataType.Bf16, Operands.TwoTensors | Operands.SecondInPsum, 100, 100, false)]
    [InlineData(DataType.Bf16, DataType.Bf16, Operands.TwoTensors | Operands.FirstInPsum | Operands.SecondInPsum, 200, 200, false)]
    public void Two_narrow_tensors_of_the_scratchpad_are_fast(DataType source, DataType target, Operands operands, int cycles, int slow, bool fast)
    {
        Interval(Fast, Opcode.TensorTensor, operands, source, target).Should().Be(cycles + 5);
        Interval(Streaming, Opcode.TensorTensor, operands, source, target).Should().Be(slow + 5);
        VectorEngine.IsFast(Fast, Of(Opcode.TensorTensor, operands, source, target)).Should().Be(fast);
    }

    [Fact]
    public void Narrow_types_hasten_few_others()
    {
        Interval(Fast, Opcode.ScalarTensorTensor, Operands.TwoTensors, DataType.Bf16, DataType.Bf16).Should().Be(100 + 5);
        Interval(Fast, Opcode.ScalarTensorTensor, Operands.TwoTensors, DataType.Bf16, DataType.Fp32).Should().Be(200 + 5);
        Interval(Streaming, Opcode.Memset, Operands.None, DataType.Fp32, DataType.Bf16).Should().Be(50 + 5);
        VectorEngine.IsFast(Fast, Of(Opcode.Memset, Operands.None, DataType.Bf16, DataType.Bf16)).Should().BeFalse();
    }

    private static Instruction Of(Opcode opcode, Operands operands = Operands.None, DataType source = DataType.Fp32, DataType target = DataType.Fp32, int free = 100) =>
        new() { Opcode = opcode, Operands = operands, Source = source, Destination = target, Partitions = 128, Free = free };

    private static long Interval(VectorEngineSpec spec, Opcode opcode, Operands operands = Operands.None, DataType source = DataType.Fp32, DataType target = DataType.Fp32, int free = 100, int minimum = 10) =>
        VectorEngine.Interval(spec with { MinimumInterval = minimum }, Of(opcode, operands, source, target, free)).Value;
}
