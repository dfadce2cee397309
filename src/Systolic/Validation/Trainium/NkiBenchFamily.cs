using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Kernels;
using Systolic.Programs;

namespace Systolic.Validation;

/// <summary>The baseline kernels of NKIBench (AccelOpt, MLSys 2026): fp32 on one core of Trn1, transfers described by the compiler.</summary>
internal sealed class NkiBenchFamily : ITrainiumFamily
{
    private const string Prefix = "NKIBench ";

    /// <summary>Each kernel by the name in its row. Kernels that keep more than SBUF holds, or that the published compiler spilled all the same, count apart.</summary>
    private static readonly ImmutableArray<(string Workload, bool Spills, Func<KernelBuilder, TrainiumRow, Program> Write)> Kernels =
    [
        ("matmul", false, (kernel, row) => NkiBenchProduct.Write(kernel, 1, row.Size("M"), row.Size("K"), row.Size("N"), false, row.Size("M"))),
        ("bmm", true, (kernel, row) => NkiBenchProduct.Write(kernel, row.Size("B"), row.Size("M"), row.Size("K"), row.Size("N"), false, row.Size("M"))),
        ("transpose_matmul", false, (kernel, row) => NkiBenchProduct.Write(kernel, 1, row.Size("M"), row.Size("K"), row.Size("N"), true, 1024)),
        ("rmsnorm_matmul", false, (kernel, row) => NkiBenchNormProduct.WriteNormFirst(kernel, row.Size("M"), row.Size("K"), row.Size("N"))),
        ("add_rmsnorm_matmul", false, (kernel, row) => NkiBenchNormProduct.WriteAddFirst(kernel, row.Size("M"), row.Size("K"), row.Size("N"))),
        ("matmul_add_rmsnorm", false, (kernel, row) => NkiBenchNormProduct.WriteAddLast(kernel, row.Size("M"), row.Size("K"), row.Size("N"))),
        ("adamw", false, (kernel, row) => NkiBenchAdamW.Write(kernel, row.Size("M"), row.Size("N"))),
        ("silu", false, (kernel, row) => NkiBenchSilu.Write(kernel, row.Size("M"), row.Size("N"))),
        ("rope_single_freq_apply", false, (kernel, row) => NkiBenchRope.Write(kernel, row.Size("D"), row.Size("B", 1) * row.Size("H") * row.Size("N"))),
        ("bmm_softmax", true, (kernel, row) => NkiBenchSoftmax.Write(kernel, row.Size("B"), row.Size("M"), row.Size("K"), row.Size("N"))),
        ("gqa_full", true, (kernel, row) => NkiBenchAttention.Write(kernel, row.Size("N"), row.Size("QH"), row.Size("KH"))),
        ("swiglu", true, (kernel, row) => NkiBenchSwiglu.Write(kernel, row.Size("M"), row.Size("N"), row.Size("K"))),
        ("lora", true, (kernel, row) => NkiBenchLora.Write(kernel, row.Size("M"), row.Size("N"), row.Size("K"))),
        ("mamba", true, (kernel, row) => NkiBenchScan.Write(kernel, row.Size("M"), row.Size("C"), row.Size("S"))),
    ];

    private readonly Dictionary<(string, string), KernelTiming> _timed = [];

    /// <inheritdoc/>
    public string Name => "nkibench";

    /// <inheritdoc/>
    public bool Takes(TrainiumRow row) => row.Workload.StartsWith(Prefix, StringComparison.Ordinal);

    /// <inheritdoc/>
    public TrainiumPrediction Predict(TrainiumRow row)
    {
        string name = row.Workload[Prefix.Length..].Split(' ')[0];
        if (!row.Workload.Contains("baseline", StringComparison.Ordinal))
        {
            return TrainiumPrediction.Skip("the text of the best kernel found is not published");
        }

        if (Kernels.FirstOrDefault(kernel => kernel.Workload == name) is not { Workload: not null } found)
        {
            return TrainiumPrediction.Skip($"no such kernel: {name}");
        }

        if (!_timed.TryGetValue((name, row.Shapes), out KernelTiming? timing))
        {
            timing = KernelTiming.Of(row, kernel => found.Write(kernel, row));
            _timed.Add((name, row.Shapes), timing);
        }

        // The profiler counts all work of the array, transposes as well, and a product of fp32 twice (two instructions for each).
        return timing.Figure(row, 2.0 * timing.Run.Counts[ActivityKind.MacFp32]) with { Apart = found.Spills ? "/spills" : null };
    }
}
