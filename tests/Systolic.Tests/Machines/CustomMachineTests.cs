using CsCheck;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Tests.Kernels;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Machines;

/// <summary>Hierarchies that nobody ships.</summary>
public sealed class CustomMachineTests
{
    private static readonly OperatorGraph Layer = TransformerLayer.Prefill(ModelShapes.Gpt2, 1, 512);

    private static readonly OperatorGraph Gemm = OperatorGraph.Of(new MatMul("product", 300, 1000, 700));

    private static readonly Operator[] Operators = [.. new[] { Layer, TransformerLayer.Training(ModelShapes.Gpt2, 1, 200) }
        .SelectMany(graph => graph.Sections).SelectMany(section => section.Operators).DistinctBy(op => op.Signature)
        .SelectMany(op => op is MatMul product ? new[] { op, product with { Type = DataType.Fp32, OutputType = DataType.Fp32 } } : op is Attention ? new[] { op, op with { Type = DataType.Fp32 } } : [op])];

    private static readonly Gen<Accelerator> AnyMachine = Gen.Select(
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 12].Select(step => 64 + (16 * step)), Gen.Int[4, 64], Gen.Int[8, 16]),
        Gen.Select(Gen.Double[50, 8000], Gen.Int[4, 32], Gen.Int[1, 16]),
        (array, memory) => Machine(array.Item1, array.Item2, array.Item3, array.Item4, memory.Item1, memory.Item2, memory.Item3));

    [Fact]
    public void An_array_with_more_rows_than_columns_runs_products_and_names_what_else_it_lacks()
    {
        Accelerator core = MachinePresets.Accelerator("trn2-core");
        Accelerator tall = core with { TensorEngine = core.TensorEngine with { Rows = 256 }, Sbuf = core.Sbuf with { Partitions = 256 } };
        Accelerator wide = core with { TensorEngine = core.TensorEngine with { Columns = 256 }, Psum = core.Psum with { Partitions = 256 } };

        Check(new SystolicMachine(tall).Run(Gemm, cancellation: TestContext.Current.CancellationToken), Gemm, tall);
        new SystolicMachine(tall).Invoking(machine => machine.Run(Layer)).Should().Throw<CapacityException>()
            .WithMessage("layer/attn_norm: found 256 partitions of SBUF and 128 of PSUM on trn2-core, expected as many*");
        new SystolicMachine(wide).Invoking(machine => machine.Run(Gemm)).Should().Throw<CapacityException>()
            .WithMessage("*product: found 128 partitions of SBUF and 256 of PSUM on trn2-core, expected as many*");
    }

    [Fact]
    public void Fifty_custom_hierarchies_run_a_layer_and_a_product_or_say_what_does_not_fit()
    {
        int ran = 0;
        AnyMachine.Sample(
            machine =>
            {
                foreach (OperatorGraph graph in new[] { Layer, Gemm })
                {
                    try
                    {
                        Check(new SystolicMachine(machine).Run(graph), graph, machine);
                        Interlocked.Increment(ref ran);
                    }
                    catch (CapacityException refused)
                    {
                        refused.Message.Should().MatchRegex("SBUF|PSUM|partition|core").And.Contain(machine.Name);
                    }
                }
            },
            iter: 50, print: Describe);
        ran.Should().BeGreaterThan(80, "most of 100 runs fit");
    }

    private static void Check(RunReport report, OperatorGraph graph, Accelerator machine)
    {
        string name = $"{graph.Name} on {Describe(machine)}";
        report.Time.Should().BeGreaterThanOrEqualTo(report.LowerBound.Time, name);
        report.Counts.DramBytes.Should().BeGreaterThanOrEqualTo(graph.CompulsoryBytes.Value, name);
        report.Trace.Operators.Sum(op => op.UsefulMacs.Value).Should().Be(graph.Macs.Value, name);
        report.ScratchpadHighWater.Should().BeLessThanOrEqualTo(machine.Sbuf.Capacity, name);
        report.CyclesByComponent.Sum(part => part.Cycles.Value).Should().Be(report.TotalCycles.Value, name);
        report.EnergyBreakdown.Parts.Should().OnlyContain(part => part.Value.Joules >= 0, name);
        new[] { report.Mfu, report.Hfu, report.Mbu, report.TensorUtilization }.Should().OnlyContain(share => share >= 0 && share <= 1, name);
        foreach (OperatorRun op in report.Trace.Operators)
        {
            op.Stack.Total.Should().Be(op.Time, "{0}, {1}", name, op.Name);
            op.Counts.Macs.Should().BeGreaterThanOrEqualTo(op.UsefulMacs.Value, "{0}, {1}", name, op.Name);
            op.Busy.Should().OnlyContain(busy => busy >= SimTime.Zero, "{0}, {1}", name, op.Name);
        }
    }

    [Fact]
    public void Programs_for_custom_hierarchies_stay_within_their_tiles()
    {
        int written = 0;
        AnyMachine.Sample(
            machine =>
            {
                foreach (Operator op in Operators)
                {
                    try
                    {
                        foreach (LoweredPass pass in KernelRuns.Lower(op, machine).Passes)
                        {
                            TileChecker.Find(pass.Program, machine).Should().BeNull("{0} on {1}", op, Describe(machine));
                            Interlocked.Increment(ref written);
                        }
                    }
                    catch (CapacityException refused)
                    {
                        refused.Message.Should().MatchRegex("SBUF|PSUM");
                    }
                }
            },
            iter: 20, print: Describe);
        written.Should().BeGreaterThan(15 * Operators.Length, "most of 20 machines run most operators");
    }

    /// <summary>A preset with another array, as many partitions and lanes, and other memories.</summary>
    private static Accelerator Machine(int preset, int array, int sbufMebibytes, int banks, double memory, int dmaEngines, int cores)
    {
        Accelerator machine = MachinePresets.Accelerator(RealRuns.Systolic[preset]);
        double channel = machine.Memory.Standard.ChannelBytesPerSecond / 1e9;
        int channels = cores * Math.Max(1, (int)(memory / channel / cores));
        return machine with
        {
            Name = "custom",
            Cores = cores,
            TensorEngine = machine.TensorEngine with { Rows = array, Columns = array },
            VectorEngine = machine.VectorEngine with { Lanes = array },
            ScalarEngine = machine.ScalarEngine with { Lanes = array },
            Sbuf = machine.Sbuf with { Partitions = array, PartitionSize = new Bytes((long)sbufMebibytes * 1048576 / array) },
            Psum = machine.Psum with { Partitions = array, PartitionSize = Bytes.FromKibibytes(2 * banks), Banks = banks },
            Dma = machine.Dma with { Engines = dmaEngines, PartitionsPerEngine = (array + dmaEngines - 1) / dmaEngines },
            Memory = machine.Memory with { Channels = channels, Bandwidth = Bandwidth.FromGigabytesPerSecond(Math.Max(memory, channels * channel / 4)) },
        };
    }

    private static string Describe(Accelerator machine) => FormattableString.Invariant(
        $"{machine.Cores} cores, array {machine.TensorEngine.Rows}, SBUF {machine.Sbuf.Capacity} ({machine.Sbuf.PartitionSize} per partition), {machine.Psum.Banks} banks, {machine.Dma.Engines} DMA engines, {machine.Memory.Bandwidth}, fast modes {machine.VectorEngine.FastModes}");
}
