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

public class RowKernelTests
{
    private static readonly Operator[] Once =
    [
        new Norm("rms", NormFunction.Rms, 300, 4096),
        new Norm("rms of one row", NormFunction.Rms, 1, 4096),
        new Norm("rms of sixteen rows", NormFunction.Rms, 16, 4001),
        new Norm("layer of three rows", NormFunction.Layer, 3, 77),
        new Norm("layer", NormFunction.Layer, 300, 1000),
        new Norm("rms backward", NormFunction.Rms, 300, 4096, true),
        new Norm("rms backward, sums in SBUF", NormFunction.Rms, 300, 5120, true),
        new Norm("layer backward", NormFunction.Layer, 300, 1000, true),
        new Norm("fp32", NormFunction.Rms, 130, 768) { Type = DataType.Fp32 },
        new Softmax("softmax", 300, 2048),
        new Softmax("softmax backward", 300, 2048, true),
        new Elementwise("add", ElementwiseFunction.Add, 300, 4096),
        new Elementwise("add backward", ElementwiseFunction.Add, 300, 4096, true),
        new Elementwise("multiply backward", ElementwiseFunction.Multiply, 300, 4096, true),
        new Elementwise("relu", ElementwiseFunction.Relu, 1, 11),
        new Elementwise("relu backward", ElementwiseFunction.Relu, 3, 1111, true),
        new Elementwise("tanh backward", ElementwiseFunction.Tanh, 300, 4096, true),
        new Elementwise("gelu", ElementwiseFunction.Gelu, 300, 4096),
        new Elementwise("gated silu", ElementwiseFunction.GatedSilu, 300, 14336),
        new Elementwise("gated silu backward", ElementwiseFunction.GatedSilu, 300, 4096, true),
        new Rope("rope", 300, 4096, 128),
        new Embedding("embedding", 300, 4096, 32000),
        new Embedding("embedding backward", 300, 4096, 32000, true),
        new KvAppend("decode", 3, 1024),
        new KvAppend("prefill", 300, 1000),
        new MoeRouting("routing", 300, 64, 6),
        new MoeRouting("routing in two rounds", 300, 256, 12),
        new MoePermute("dispatch", 300, 4096, 2, false),
        new MoePermute("combine", 300, 4096, 2, true),
        new MoeRouting("routing backward", 300, 64, 6, true),
        new MoePermute("dispatch backward", 300, 4096, 2, false, true),
        new MoePermute("combine backward", 300, 4096, 2, true, true),
        new AdamW("adamw", 333, 4096),
    ];

    public static TheoryData<string, int> OnceOnEveryMachine
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (Accelerator machine in KernelRuns.Machines)
            {
                for (int i = 0; i < Once.Length; i++)
                {
                    cases.Add(machine.Name, i);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(OnceOnEveryMachine))]
    public void Memory_traffic_is_what_the_operator_reads_and_writes(string machine, int index)
    {
        KernelRun run = KernelRuns.Run(Once[index], KernelRuns.Machine(machine));

        run.Read.Should().Be(KernelRuns.ReadBytes(Once[index]), "{0} reads every operand once", Once[index].Name);
        run.Written.Should().Be(KernelRuns.WrittenBytes(Once[index]), "{0} writes every result once", Once[index].Name);
    }

    [Theory]
    [MemberData(nameof(KernelRuns.MachineNames), MemberType = typeof(KernelRuns))]
    public void Softmax_of_a_row_beyond_a_partition_reads_it_twice(string machine)
    {
        // 200,000 x 2 B = 390 KiB; the largest partition has 256 KiB.
        foreach (bool backward in new[] { false, true })
        {
            var op = new Softmax("wide", 130, 200_000, backward);
            KernelRun run = KernelRuns.Run(op, KernelRuns.Machine(machine));

            run.Read.Should().Be(2 * KernelRuns.ReadBytes(op));
            run.Written.Should().Be(KernelRuns.WrittenBytes(op));
            run.Mapping.Should().Contain("read twice");
        }
    }

    [Theory]
    [MemberData(nameof(KernelRuns.MachineNames), MemberType = typeof(KernelRuns))]
    public void Cross_entropy_reads_the_logits_twice_and_each_labels_logit_once_more(string machine)
    {
        var op = new CrossEntropy("loss", 200, 128_256);
        KernelRun run = KernelRuns.Run(op, KernelRuns.Machine(machine));

        // Twice 200 x 128,256 x 2 B, labels 200 x 4 B, label logits 200 x 2 B; gradient and 200 x 4 B of loss out.
        run.Read.Should().Be((2L * 200 * 128_256 * 2) + (200 * 4) + (200 * 2));
        run.Written.Should().Be(KernelRuns.WrittenBytes(op));
    }

    [Theory]
    [InlineData(1, 32, 32)] // 32 heads on 32 partitions
    [InlineData(5, 32, 16)] // 128 / 5 = 25 groups at most; 16 divides 32
    [InlineData(64, 32, 2)]
    [InlineData(65, 32, 1)]
    [InlineData(1, 7, 7)]
    public void Few_tokens_deal_their_heads_to_partitions_and_read_the_table_once_per_group(int rows, int heads, int groups)
    {
        var op = new Rope("rope", rows, heads * 128, 128);
        KernelRun run = KernelRuns.Run(op, KernelRuns.Machine("trn2-core"));

        run.Read.Should().Be(op.Reads[0].Size.Value + (groups * op.Reads[1].Size.Value));
        run.Written.Should().Be(KernelRuns.WrittenBytes(op));
    }

    [Fact]
    public void A_reduce_scatter_reads_its_rows_of_every_partial_sum_and_writes_them_once()
    {
        Accelerator chip = MachinePresets.Accelerator("trn2");
        var op = new Collective("sum", CollectiveFunction.ReduceScatter, 100, 4096, 8);
        KernelRun scatter = KernelRuns.Run(op, chip);
        KernelRun reduce = KernelRuns.Run(op with { Function = CollectiveFunction.AllReduce }, chip);
        KernelRun gather = KernelRuns.Run(op with { Function = CollectiveFunction.AllGather }, chip);

        // 13 of 100 rows (rounded up) x 4,096 x 2 B from each of 8 ranks.
        scatter.Read.Should().Be(8 * 13 * 4096 * 2);
        scatter.Written.Should().Be(13 * 4096 * 2);
        reduce.Counts.DramBytes.Should().Be(scatter.Counts.DramBytes);
        gather.Counts.DramBytes.Should().Be(0);
        gather.Time.Should().Be(chip.Synchronization.ExchangeLatency);
        reduce.Time.Should().Be(scatter.Time + chip.Synchronization.ExchangeLatency);
    }

    [Fact]
    public void More_ranks_than_cores_are_refused()
    {
        Action lower = () => CollectiveKernel.Lower(new Collective("sum", CollectiveFunction.AllReduce, 8, 8, 9), MachinePresets.Accelerator("trn2"));

        lower.Should().Throw<CapacityException>().WithMessage("*9 ranks*8 cores*");
    }

    [Fact]
    public void A_norm_of_a_row_beyond_a_partition_is_refused_with_the_reason()
    {
        foreach (bool backward in new[] { false, true })
        {
            Action lower = () => NormKernel.Lower(new Norm("norm", NormFunction.Rms, 40, 200_000, backward), KernelRuns.Machine("trn1-core"));

            lower.Should().Throw<CapacityException>().WithMessage("norm: a row of 200000 bf16*192 KiB*normalized as a whole*");
        }
    }

    [Fact]
    public void A_large_operator_is_cut_into_equal_passes_with_the_same_traffic()
    {
        // 1e6 x 128,256 logits: 7,813 row tiles of 16 x (1 + 32 pieces) instructions are about 4 million.
        var op = new CrossEntropy("loss", 1_000_000, 128_256);
        Lowering lowering = CrossEntropyKernel.Lower(op, WithATebibyte(KernelRuns.Machine("trn2-core")), values: false);

        lowering.Passes.Should().HaveCount(2);
        lowering.Passes.First().Repeat.Should().BeGreaterThan(1);
        lowering.Passes.Should().OnlyContain(pass => pass.Program.Length <= 1 << 20);
        long loads = lowering.Passes.Sum(pass => pass.Repeat * BytesOn(pass.Program, StreamId.QueueActivations));
        loads.Should().Be(2 * op.Reads[0].Size.Value);
    }

    [Fact]
    public void A_million_rows_stay_within_a_million_instructions()
    {
        Accelerator machine = WithATebibyte(KernelRuns.Machine("trn2-core"));
        Operator[] large =
        [
            new Norm("norm", NormFunction.Rms, 1_000_000, 4096), new Norm("norm backward", NormFunction.Layer, 1_000_000, 4096, true),
            new Softmax("softmax", 1_000_000, 4096), new Rope("rope", 1_000_000, 4096, 128), new Embedding("embedding", 1_000_000, 4096, 32000),
            new MoePermute("combine", 1_000_000, 4096, 8, true), new KvAppend("append", 1_000_000, 1024),
        ];

        foreach (Operator op in large)
        {
            KernelLibrary.Lower(op, machine).Passes.Should().OnlyContain(pass => pass.Program.Length <= 1 << 20, "{0}", op.Name);
        }
    }

    [Fact]
    public void A_single_row_of_an_elementwise_operator_uses_every_lane()
    {
        // 4,096 elements over 128 lanes: 32 per partition, below the 64-cycle minimum of VectorE; 100 static cycles at 0.96 GHz.
        var op = new Elementwise("residual", ElementwiseFunction.Add, 1, 4096);
        Programs.Program program = ElementwiseKernel.Lower(op, KernelRuns.Machine("trn2-core")).Passes.First().Program;

        program[StreamId.Vector].ToArray().Should().ContainSingle().Which.Free.Should().Be(32);
    }

    [Fact]
    public void A_norm_of_one_row_works_on_32_elements_per_lane()
    {
        // 4,096 / 128 = 32. Fixed costs: a load and a store of 1,660 ns each and a chain of eight short instructions; a row on one lane takes twice that.
        var op = new Norm("norm", NormFunction.Rms, 1, 4096);
        KernelRun run = KernelRuns.Run(op, KernelRuns.Machine("trn2-core"));

        run.Mapping.Should().Be("features over 128 partitions, 1 buffer");
        run.Time.Microseconds.Should().BeInRange(4, 7);
    }

    [Theory]
    [MemberData(nameof(KernelRuns.MachineNames), MemberType = typeof(KernelRuns))]
    public void Streaming_kernels_come_within_a_quarter_of_the_dma_rate(string machine)
    {
        Accelerator core = KernelRuns.Machine(machine);
        Operator[] streaming =
        [
            new Norm("rms", NormFunction.Rms, 4096, 4096), new Elementwise("add", ElementwiseFunction.Add, 4096, 4096),
            new Elementwise("gated silu", ElementwiseFunction.GatedSilu, 4096, 4096), new AdamW("adamw", 4096, 4096),
        ];
        foreach (Operator op in streaming)
        {
            KernelRun run = KernelRuns.Run(op, core);
            double bound = run.Counts.DramBytes / core.Dma.Bandwidth.BytesPerSecond;

            run.Time.Seconds.Should().BeInRange(bound, 1.25 * bound, "{0} has less engine work than traffic", op.Name);
        }
    }

    [Fact]
    public void Any_shape_of_any_operator_runs_or_is_refused()
    {
        Gen<Operator> operators = Gen.Select(Gen.Int[1, 700], Gen.Int[1, 9000], Gen.Int[0, 24], Gen.Int[1, 20]).Select(Create);
        Gen.Select(operators, Gen.Int[0, 2]).Sample(
            (op, machine) =>
            {
                try
                {
                    KernelRuns.Run(op, KernelRuns.Machines[machine]);
                }
                catch (CapacityException)
                {
                }
            },
            iter: 150);
    }

    private static Operator Create(int rows, int columns, int kind, int k) => kind switch
    {
        < 9 => new Elementwise("elementwise", (ElementwiseFunction)kind, rows, columns, k > 10),
        9 or 10 => new Norm("norm", (NormFunction)(kind - 9), rows, columns, k > 10),
        11 => new Softmax("softmax", rows, columns * (k > 15 ? 40 : 1), k % 2 == 0),
        12 => new Rope("rope", rows, columns * k, k > 10 ? columns : 64),
        13 => new Embedding("embedding", rows, columns, 1000, k > 10),
        14 => new KvAppend("append", rows, columns),
        15 => new MoeRouting("routing", rows, columns, k, k % 2 == 0),
        16 => new MoePermute("permute", rows, columns, k, k > 10, k % 2 == 0),
        17 => new CrossEntropy("loss", rows, columns * k),
        18 => new AdamW("adamw", rows, columns),
        19 => new Collective("exchange", (CollectiveFunction)(k % 3), rows, columns, 1),
        20 => new Norm("norm", NormFunction.Rms, rows, columns * k, k % 2 == 0),
        21 => new Norm("norm", NormFunction.Layer, rows, columns, k % 2 == 0) { Type = DataType.Fp32 },
        22 => new Elementwise("fp32", ElementwiseFunction.GatedGelu, rows, columns, k > 10) { Type = DataType.Fp32 },
        23 => new Elementwise("fp8", ElementwiseFunction.Add, rows, columns) { Type = DataType.Fp8E4M3 },
        _ => new KvAppend("append", rows, columns),
    };

    private static Accelerator WithATebibyte(Accelerator machine) => machine with { Memory = machine.Memory with { Capacity = Bytes.FromGibibytes(1024) } };

    private static long BytesOn(Programs.Program program, StreamId stream)
    {
        long bytes = 0;
        foreach (Instruction op in program[stream])
        {
            bytes += op.TransferBytes;
        }

        return bytes;
    }
}
