using Systolic.Accounting;
using Systolic.Components;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Tests.Simulation;

namespace Systolic.Tests.Components;

public class TensorEngineTests
{
    [Theory]
    [InlineData(512, DataType.Bf16, 13.333 + 213.333 + 130)] // 32 cycles to load 128 columns, 512 to stream, at 2.4 GHz; 130 ns to the result
    [InlineData(64, DataType.Bf16, 13.333 + 26.667 + 130)]
    [InlineData(1, DataType.Bf16, 13.333 + 26.667 + 130)] // never below 64 columns
    [InlineData(512, DataType.Fp32, 13.333 + (4 * 213.333) + 130)] // four passes
    public void One_product_takes_its_load_its_columns_and_the_result_latency(int columns, DataType type, double expected) =>
        Core.Nanoseconds(Core.Trn2, kernel => Product(kernel, 1, columns, type)).Should().BeApproximately(expected, 0.01);

    [Fact]
    public void A_stream_of_products_loads_behind_the_one_before()
    {
        // 32 to load the first, then 10 x 512 cycles at 2.4 GHz.
        Core.Nanoseconds(Core.Trn2, kernel => Product(kernel, 10, 512, DataType.Bf16)).Should().BeApproximately(((32 + 5120) / 2.4) + 130, 0.01);
    }

    [Fact]
    public void The_first_generation_sustains_fewer_columns_than_its_clock()
    {
        // 2.4 G columns/s at a 2.8 GHz clock: the same 213.3 ns per 512 columns.
        Core.Nanoseconds(Core.Trn1, kernel => Product(kernel, 1, 512, DataType.Bf16)).Should().BeApproximately(((32 + 512) / 2.4) + 130, 0.01);
    }

    [Fact]
    public void Peak_rates_are_the_datasheets()
    {
        // 128 x 128 x 2 x clock: 91.75 TFLOPS at 2.8 GHz, 78.64 at 2.4; fp32 a quarter; fp8 twice on v3, four times on v4.
        Core.Trn1.TensorEngine.PeakMacsPerSecond(DataType.Bf16).Should().BeApproximately(91.75e12 / 2, 0.01e12);
        Core.Trn2.TensorEngine.PeakMacsPerSecond(DataType.Bf16).Should().BeApproximately(78.64e12 / 2, 0.01e12);
        Core.Trn2.TensorEngine.PeakMacsPerSecond(DataType.Fp32).Should().BeApproximately(78.64e12 / 8, 0.01e12);
        Core.Trn2.TensorEngine.PeakMacsPerSecond(DataType.Fp8E4M3).Should().BeApproximately(78.64e12, 0.01e12);
        Core.Trn3.TensorEngine.PeakMacsPerSecond(DataType.Fp8E4M3).Should().BeApproximately(78.64e12 * 2, 0.01e12);
    }

    [Fact]
    public void Counts_split_cells_into_used_and_idle()
    {
        ActivityCounts counts = Core.Run(Core.Trn2, kernel => Product(kernel, 1, 32, DataType.Bf16, 100, 60)).Run.Counts;

        // 100 x 60 cells for 32 columns, out of 128 x 128 cells clocked for the least interval of 64.
        counts[ActivityKind.MacBf16].Should().Be(100 * 60 * 32);
        counts[ActivityKind.PeIdleCycle].Should().Be((128 * 128 * 64) - (100 * 60 * 32));
        counts[ActivityKind.WeightLoad].Should().Be(100 * 60);
        counts[ActivityKind.ScratchpadReadByte].Should().Be(((100 * 60) + (100 * 32)) * 2);
        counts[ActivityKind.AccumulatorWriteByte].Should().Be(60 * 32 * 4);
        counts[ActivityKind.AccumulatorReadByte].Should().Be(0);
    }

    [Theory]
    [InlineData(128, 128, 64)]
    [InlineData(100, 60, 70)]
    public void A_product_counts_what_the_register_level_array_does(int partitions, int columns, int free)
    {
        var observer = default(CostObserver);
        RegisterArray.Multiply(new ArraySpec(128, 128, Dataflow.WeightStationary), new Matrix(free, partitions), new Matrix(partitions, columns), DataType.Bf16, ref observer);

        ActivityCounts counts = Core.Run(Core.Trn2, kernel => Product(kernel, 1, free, DataType.Bf16, partitions, columns)).Run.Counts;

        counts[ActivityKind.MacBf16].Should().Be(observer.Cost.ActiveCellCycles);
        counts[ActivityKind.PePipeline].Should().Be(observer.Cost.ActiveCellCycles);
        counts[ActivityKind.WeightLoad].Should().Be(observer.Cost.TopReads);
        counts[ActivityKind.ScratchpadReadByte].Should().Be((observer.Cost.LeftReads + observer.Cost.TopReads) * 2);
        counts[ActivityKind.AccumulatorWriteByte].Should().Be(observer.Cost.BottomWrites * 4);
    }

    [Fact]
    public void A_transpose_streams_an_identity_of_its_rows()
    {
        // 128 rows: an identity of 128 columns; 32 cycles to load the data.
        Core.Nanoseconds(Core.Trn2, kernel => kernel.Transpose(kernel.Psum("bank", 1)[0], kernel.Sbuf("data", 256)[0], 128, 128, DataType.Bf16))
            .Should().BeApproximately(((32 + 128) / 2.4) + 130, 0.01);
    }

    private static void Product(KernelBuilder kernel, int products, int columns, DataType type, int k = 128, int m = 128)
    {
        Tile bank = kernel.Psum("bank", 1)[0], left = kernel.Sbuf("left", 512)[0], right = kernel.Sbuf("right", 2048)[0];
        for (int i = 0; i < products; i++)
        {
            kernel.MatMul(bank, left, right, k, m, columns, type, i > 0);
        }
    }
}
