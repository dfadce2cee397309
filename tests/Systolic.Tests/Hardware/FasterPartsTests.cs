using CsCheck;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Hardware;

/// <summary>One fixed program on a machine and on the same machine with one faster part.</summary>
public sealed class FasterPartsTests
{
    private static readonly Accelerator[] Cores = [.. new[] { "trn1-core", "trn2-core", "trn3-core" }.Select(MachinePresets.Accelerator)];

    private static readonly Gen<Accelerator> AnyCore = Gen.Int[0, Cores.Length - 1].Select(i => Cores[i]);

    private static readonly Gen<Operator> AnyOperator = Gen.OneOf(
        Gen.Select(Gen.Long[1, 1500], Gen.Long[1, 1500], Gen.Long[1, 1500], Gen.Int[0, 15]).Select((m, k, n, form) =>
            (Operator)new MatMul("product", m, k, n, 1, (form & 1) == 1, (form & 2) == 2, (form & 4) == 4) { Type = (form & 8) == 8 ? DataType.Fp32 : DataType.Bf16 }),
        Gen.Select(Gen.Long[1, 2], Gen.Long[1, 4], Gen.Long[1, 700], Gen.Long[0, 700], Gen.Int[0, 3]).Select((kvHeads, group, queries, history, form) =>
            (Operator)new Attention("attention", 1, kvHeads * group, kvHeads, queries, queries + history, (form & 2) == 2 ? 64 : 128, (form & 1) == 1)),
        Gen.Select(Gen.Long[1, 2], Gen.Long[1, 500], Gen.Bool).Select((heads, tokens, causal) =>
            (Operator)new Attention("attention", 1, heads, heads, tokens, tokens, 64, causal, Backward: true)),
        Gen.Select(Gen.Long[1, 600], Gen.Long[1, 3000], Gen.Int[0, 9]).Select(Rows));

    private static Operator Rows(long rows, long columns, int form) => form switch
    {
        0 => new Norm("norm", NormFunction.Rms, rows, columns),
        1 => new Norm("norm", NormFunction.Layer, rows, columns),
        2 => new Norm("norm", NormFunction.Layer, rows, columns, Backward: true),
        3 => new Softmax("softmax", rows, columns),
        4 => new Elementwise("gate", ElementwiseFunction.GatedSilu, rows, columns),
        5 => new Elementwise("gelu", ElementwiseFunction.Gelu, rows, columns, Backward: true),
        6 => new CrossEntropy("loss", rows, columns),
        7 => new AdamW("step", rows, columns),
        8 => new Embedding("embedding", rows, columns, 30000),
        _ => new MoePermute("combine", rows, columns, 2, Combine: true),
    };

    private static readonly Dictionary<string, Func<Accelerator, double, Accelerator>> Faster = new()
    {
        ["tensor engine"] = (machine, factor) => machine with
        {
            TensorEngine = machine.TensorEngine with { Clock = machine.TensorEngine.Clock.Times(factor), SustainedRate = machine.TensorEngine.SustainedRate.Times(factor) },
        },
        ["vector engine"] = (machine, factor) => machine with { VectorEngine = machine.VectorEngine with { Clock = machine.VectorEngine.Clock.Times(factor) } },
        ["scalar engine"] = (machine, factor) => machine with { ScalarEngine = machine.ScalarEngine with { Clock = machine.ScalarEngine.Clock.Times(factor) } },
        ["general-purpose engine"] = (machine, factor) => machine with { GpSimdEngine = machine.GpSimdEngine with { Clock = machine.GpSimdEngine.Clock.Times(factor) } },
        ["dma bandwidth"] = (machine, factor) => machine with { Dma = machine.Dma with { EngineBandwidth = machine.Dma.EngineBandwidth * factor } },
        ["memory bandwidth"] = (machine, factor) => machine with { Memory = machine.Memory with { Bandwidth = machine.Memory.Bandwidth * factor } },
    };

    public static TheoryData<string> Engines => [.. Faster.Keys.Where(part => part.EndsWith("engine", StringComparison.Ordinal))];

    public static TheoryData<string> Bandwidths => [.. Faster.Keys.Where(part => part.EndsWith("bandwidth", StringComparison.Ordinal))];

    // Queues take turns, so a transfer that comes earlier may move a more urgent one back, and refreshes come at other moments: the worst of some 4,000 samples was 7 % slower.
    [Theory]
    [MemberData(nameof(Bandwidths))]
    public void More_bandwidth_is_never_slower(string part) => NeverSlower(part, machine => machine, 0.15);

    // Where transfers take next to no time on the DMA engines, little can be overtaken; what is left is clock edges, of which a faster clock's may be the later one,
    // and rows and refreshes that a transfer meets at another moment: the worst of 4,800 samples was 5.4 % slower.
    [Theory]
    [MemberData(nameof(Engines))]
    public void A_faster_engine_is_never_slower_where_transfers_do_not_contend(string part) => NeverSlower(part, machine => machine with
    {
        Dma = machine.Dma with { EngineBandwidth = machine.Dma.EngineBandwidth * 1e3, Outstanding = new Bytes(1 << 20) },
        Memory = machine.Memory with { Bandwidth = machine.Memory.Bandwidth * 16, Channels = machine.Memory.Channels * 16 },
    }, 0.15);

    // A faster engine stores its results earlier, and a large store may then be served before the load that everything waits for. Of 20,000
    // samples 2.4 % were slower with a faster array (the worst by 14 %), 0.6 % with a faster VectorE (8 %), 0.3 % with a faster ScalarE (9 %).
    [Theory]
    [MemberData(nameof(Engines))]
    public void A_faster_engine_is_slower_only_by_what_its_stores_overtake(string part) => NeverSlower(part, machine => machine, 0.25);

    /// <summary>Programs are written for the machine as it ships, so that the faster one runs the same.</summary>
    private static void NeverSlower(string part, Func<Accelerator, Accelerator> baseline, double tolerance) =>
        Gen.Select(AnyCore, AnyOperator, Gen.Double[1.01, 4]).Sample((machine, op, factor) =>
        {
            Accelerator slow = baseline(machine), fast = Faster[part](slow, factor);
            foreach (LoweredPass pass in KernelLibrary.Lower(op, machine).Passes)
            {
                SimTime before = Simulator.Run(pass.Program, slow).Time, after = Simulator.Run(pass.Program, fast).Time;
                after.Seconds.Should().BeLessThanOrEqualTo(before.Seconds * (1 + tolerance), "{0} on {1}, {2} x {3}", op, machine.Name, part, factor);
            }
        }, iter: 200);
}

internal static class FrequencyExtensions
{
    public static Frequency Times(this Frequency clock, double factor) => new((long)(clock.Hertz * factor));
}
