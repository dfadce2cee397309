using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Simt;
using Systolic.Workloads;

namespace Systolic.Tests;

/// <summary>Every kind of operator that a workload can hold runs on both kinds of machine.</summary>
public sealed class OperatorCoverageTests
{
    /// <summary>Every form of every operator, small. A new operator fails <see cref="Every_operator_type_has_an_instance_here"/> until it is listed.</summary>
    internal static readonly Operator[] Instances =
    [
        new MatMul("product", 32, 64, 48),
        new Attention("attention", 1, 2, 1, 32, 32, 64, Causal: true),
        new Attention("attention", 1, 2, 1, 32, 32, 64, Causal: true, Backward: true),
        .. new[] { false, true }.SelectMany(backward => new Attention[]
        {
            new("windowed", 1, 2, 1, 32, 32, 64, Causal: true, backward) { Window = 8 },
            new("capped", 1, 2, 1, 32, 32, 64, Causal: true, backward) { SoftCap = 50 },
            new("latent", 1, 2, 2, 32, 32, 192, Causal: true, backward) { ValueDim = 128, SharedDim = 64 },
        }),
        new Attention("cached latent", 1, 16, 1, 1, 32, 576, Causal: false) { ValueDim = 512, SharedDim = 64, ValuesInKeys = true },
        new Norm("norm", NormFunction.Rms, 32, 64),
        new Norm("norm", NormFunction.Layer, 32, 64, Backward: true),
        new Softmax("softmax", 32, 64),
        new Softmax("softmax", 32, 64, Backward: true),
        .. Enum.GetValues<ElementwiseFunction>().SelectMany(function => new[] { false, true }.Select(backward => new Elementwise("elementwise", function, 32, 64, backward))),
        new Rope("rope", 32, 128, 64),
        new Embedding("embedding", 32, 64, 1000),
        new Embedding("embedding", 32, 64, 1000, Backward: true),
        new KvAppend("append", 32, 64),
        new MoeRouting("routing", 32, 8, 2),
        new MoeRouting("routing", 32, 8, 2, Backward: true),
        .. new[] { (false, false), (false, true), (true, false), (true, true) }.Select(form => new MoePermute("permute", 32, 64, 2, form.Item1, form.Item2)),
        new CrossEntropy("loss", 32, 1000),
        new AdamW("step", 32, 64),
        .. Enum.GetValues<CollectiveFunction>().Select(function => new Collective("exchange", function, 32, 64, 2)),
    ];

    private static IEnumerable<Type> OperatorTypes => typeof(Operator).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Operator)) && !type.IsAbstract);

    [Fact]
    public void Every_operator_type_has_an_instance_here() =>
        OperatorTypes.Except(Instances.Select(op => op.GetType())).Select(type => type.Name).Should().BeEmpty();

    [Theory]
    [MemberData(nameof(RealRuns.SystolicMachines), MemberType = typeof(RealRuns))]
    public void Every_operator_has_a_kernel(string name)
    {
        Accelerator machine = MachinePresets.Accelerator(name);
        Instances.Where(op => op is not Collective || machine.Cores > 1).Select(op => (op, Refusal: Refusal(() => KernelLibrary.Lower(op, machine).Passes.Should().NotBeEmpty())))
            .Where(item => item.Refusal is not null).Should().BeEmpty();
    }

    /// <summary>Exchanges between ranks are the only operator that a single GPU refuses.</summary>
    [Fact]
    public void Every_operator_but_an_exchange_has_a_simt_price()
    {
        SimtSpec machine = ((SimtMachine)MachinePresets.H100).Spec;
        Instances.Where(op => Refusal(() => SimtPricer.Price(machine, op, Traffic.StatefulOf(op))) is not null)
            .Should().OnlyContain(op => op is Collective).And.HaveCount(Enum.GetValues<CollectiveFunction>().Length);
    }

    [Fact]
    public void Every_operator_prints_as_one_line() =>
        Instances.Select(op => op.ToString()).Should().OnlyContain(text => text.Length > 0 && !text.Contains('\n')).And.Contain("product: matmul 32x64x48");

    private static string? Refusal(Action attempt)
    {
        try
        {
            attempt();
            return null;
        }
        catch (Exception refused)
        {
            return refused.Message;
        }
    }
}
