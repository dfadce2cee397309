using Systolic.Components;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Reporting;
using Systolic.Tests.Docs;
using Systolic.Tests.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Machines;

/// <summary>The machine files of docs/samples.</summary>
public sealed class SampleMachineTests
{
    private static readonly OperatorGraph Layer = TransformerLayer.Prefill(ModelShapes.Gpt2, 1, 128);

    public static TheoryData<string> Files => [.. Directory.EnumerateFiles(Path.Combine(Pages.Root, "docs/samples"), "*.json").Where(file => !file.EndsWith("-sweep.json", StringComparison.Ordinal)).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_sample_runs_a_layer_within_its_bounds(string file)
    {
        Accelerator machine = Read(file);
        RunReport report = Run(machine);

        machine.Name.Should().Be(Path.GetFileNameWithoutExtension(file));
        report.Time.Should().BeGreaterThanOrEqualTo(report.LowerBound.Time);
        report.CycleStack.Total.Should().Be(report.Time);
    }

    [Fact]
    public void Engines_that_meet_at_a_unified_buffer_go_one_after_the_other()
    {
        // 512 fp32 elements read and written at 1 B a cycle: 4,096 cycles of 0.7 GHz each, and 158 ns to the scalar engine's result.
        Accelerator shared = Read("unified-buffer.json");
        double both = Core.Nanoseconds(shared, Copies);

        both.Should().BeApproximately((2 * 4096 / 0.7) + 158, 2);
        Core.Nanoseconds(WithFreePorts(shared), Copies).Should().BeApproximately((4096 / 0.7) + 158, 2);

        static void Copies(KernelBuilder kernel)
        {
            kernel.Copy(StreamId.Vector, kernel.Sbuf("a", 512, DataType.Fp32)[0], kernel.Sbuf("b", 512, DataType.Fp32)[0]);
            kernel.Copy(StreamId.Scalar, kernel.Sbuf("c", 512, DataType.Fp32)[0], kernel.Sbuf("d", 512, DataType.Fp32)[0]);
        }
    }

    [Fact]
    public void One_port_of_a_unified_buffer_costs_a_layer_time()
    {
        Accelerator shared = Read("unified-buffer.json");
        var chosen = new MatMulMappings();
        SimTime onePort = Run(shared, chosen).Time;

        // The same programs on both: without ports in the way other mappings would be chosen.
        onePort.Should().BeGreaterThan(Run(WithFreePorts(shared), MatMulMappings.Parse(chosen.ToJson(), "chosen.json")).Time);
    }

    private static Accelerator WithFreePorts(Accelerator machine) => machine with { Sbuf = machine.Sbuf with { Ports = ScratchpadSpec.Engines } };

    private static Accelerator Read(string file) => AcceleratorReader.Read(Pages.Read("docs/samples/" + file), file);

    private static RunReport Run(Accelerator machine, MatMulMappings? mappings = null) =>
        new SystolicMachine(machine).Run(Layer, new RunOptions { Mappings = mappings }, cancellation: TestContext.Current.CancellationToken);
}
