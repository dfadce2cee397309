using CsCheck;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Kernels;

public class MatMulKernelTests
{
    private static readonly DataType[] Types = [DataType.Bf16, DataType.Fp32, DataType.Fp8E4M3];

    private static readonly Gen<MatMul> Products =
        from m in Gen.Long[1, 700]
        from k in Gen.Long[1, 1500]
        from n in Gen.Long[1, 1800]
        from batch in Gen.Long[1, 3]
        from left in Gen.Bool
        from right in Gen.Bool
        from bias in Gen.Bool
        from type in Gen.Int[0, 2].Select(i => Types[i])
        select new MatMul("product", m, k, n, batch, left, right, bias) { Type = type, OutputType = type };

    [Fact]
    public void Random_products_touch_no_tile_too_early_and_stay_within_every_limit() =>
        Gen.Select(Products, Gen.Int[0, 2].Select(i => KernelRuns.Machines[i])).Sample((op, machine) =>
        {
            KernelRun run = KernelRuns.Run(op, machine);
            run.Counts.Macs.Should().BeGreaterThanOrEqualTo(op.Macs.Value);
            run.Written.Should().Be(op.Writes.Sum(tensor => tensor.Size.Value));
            run.Read.Should().BeGreaterThanOrEqualTo(op.Reads.Take(2).Sum(tensor => tensor.Size.Value));
        }, iter: 120);

    [Theory]
    [InlineData("trn1-core")]
    [InlineData("trn2-core")]
    public void Products_without_transposes_count_their_own_multiplications_only(string machine)
    {
        var op = new MatMul("product", 300, 1000, 700, LeftTransposed: true);

        KernelRuns.Run(op, KernelRuns.Machine(machine)).Counts[ActivityKind.MacBf16].Should().Be(300L * 1000 * 700);
    }

    // Four column tiles of 512, each on a strip of its own while the rows fill no more than a strip; where a cell takes two rows of K, the array is one.
    [Theory]
    [InlineData("trn2-core", 32, DataType.Bf16, 4)]
    [InlineData("trn2-core", 33, DataType.Bf16, 2)]
    [InlineData("trn2-core", 65, DataType.Bf16, 1)]
    [InlineData("trn2-core", 32, DataType.Fp8E4M3, 1)]
    [InlineData("trn1-core", 32, DataType.Bf16, 2)]
    [InlineData("tpu-v4", 32, DataType.Bf16, 1)]
    public void Few_rows_take_turns_on_the_strips_of_the_array(string name, int rows, DataType type, int strips)
    {
        Accelerator machine = MachinePresets.Accelerator(name);
        Program program = MatMulKernel.Write(new MatMul("product", rows, 256, 2048) { Type = type, OutputType = type }, machine, new MatMulMapping(rows, 2048, 256, true, 2), values: false);

        program[StreamId.Tensor].ToArray().Where(i => i.Opcode == Opcode.MatMul).Select(i => i.Tile.Mask).Distinct().Should().HaveCount(strips);
    }

    [Fact]
    public void Operand_by_row_costs_one_transpose_per_128_by_128_square_on_the_array()
    {
        // 256 x 256 by row: 4 squares, each 128 x 128 data against an identity of 128 columns.
        var op = new MatMul("product", 256, 256, 256);

        KernelRuns.Run(op, KernelRuns.Machine("trn1-core")).Counts[ActivityKind.MacBf16].Should().Be((256L * 256 * 256) + (4L * 128 * 128 * 128));
    }

    [Fact]
    public void Operand_by_row_is_transposed_by_the_dma_engines_where_they_can() =>
        KernelRuns.Run(new MatMul("product", 256, 256, 256), KernelRuns.Machine("trn2-core")).Counts[ActivityKind.MacBf16].Should().Be(256L * 256 * 256);

    // Fully blocked kernels of the public Neuron matmul tutorial, 4096 x 8192 x 8192, left operand given as [K, M].
    // Trn1 bf16: 6.97 ms (docs v2.20-v2.26). Trn2 fp32: 28.30 ms total, 28.16 ms of TensorE (kernel optimization guide, v2.32).
    [Theory]
    [InlineData("trn1-core", DataType.Bf16, 6.97)]
    [InlineData("trn2-core", DataType.Fp32, 28.30)]
    public void Fully_blocked_product_comes_within_three_percent_of_the_tutorials_measurement(string machine, DataType type, double milliseconds)
    {
        var op = new MatMul("tutorial", 4096, 8192, 8192, LeftTransposed: true) { Type = type, OutputType = type };

        KernelRuns.Run(op, KernelRuns.Machine(machine)).Time.Seconds.Should().BeApproximately(milliseconds / 1000, 0.03 * milliseconds / 1000);
    }

    [Fact]
    public void Fp8_in_double_rows_takes_half_the_time_of_bf16()
    {
        Accelerator core = KernelRuns.Machine("trn2-core");
        SimTime Time(DataType type) => KernelRuns.Run(new MatMul("product", 2048, 4096, 2048, LeftTransposed: true) { Type = type, OutputType = type }, core).Time;

        (Time(DataType.Bf16).Seconds / Time(DataType.Fp8E4M3).Seconds).Should().BeInRange(1.85, 2.0);
    }

    [Fact]
    public void Product_too_large_for_one_program_is_cut_into_equal_passes_that_cover_it()
    {
        // 2^15 x 2^15 x 2^15: 256 x 256 x 64 tiles of 128 x 128 x 512 are 4 Mi products; a program takes 1 Mi.
        var op = new MatMul("large", 1L << 15, 1L << 15, 1L << 15, LeftTransposed: true);
        (long macs, long longest) = (0, 0);
        foreach (LoweredPass pass in KernelLibrary.Lower(op, KernelRuns.Machine("trn2-core")).Passes)
        {
            longest = Math.Max(longest, pass.Program[Systolic.Programs.StreamId.Tensor].Length);
            foreach (ref readonly Systolic.Programs.Instruction product in pass.Program[Systolic.Programs.StreamId.Tensor])
            {
                macs += (long)product.Partitions * product.Columns * product.Free * pass.Repeat;
            }
        }

        macs.Should().Be(op.Macs.Value);
        longest.Should().BeLessThanOrEqualTo(1 << 20);
    }

    [Fact]
    public void Product_whose_smallest_block_exceeds_the_scratchpad_is_refused_with_the_reason()
    {
        Accelerator core = KernelRuns.Machine("trn2-core");
        Accelerator tiny = core with { Sbuf = core.Sbuf with { PartitionSize = new Bytes(1024) } };

        FluentActions.Invoking(() => KernelLibrary.Lower(new MatMul("product", 4096, 4096, 4096), tiny))
            .Should().Throw<CapacityException>().WithMessage("product: 4096x4096x4096 bf16 has no blocking that fits SBUF of trn2-core*");
    }
}
