using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Systolic.Simt;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Attention of the flash kernels, and as separate kernels.</summary>
internal static class GpuAttention
{
    /// <summary>Share of the warpgroup rate that mma.sync reaches on Hopper (Luo et al., arXiv 2402.13499).</summary>
    private const double SynchronousShare = 0.62;

    /// <summary>Predicts a row.</summary>
    public static GpuPrediction Predict(GpuRow row, GpuBench bench)
    {
        string[] words = row.Variant.Split(' ');
        (string kernel, bool forward, bool backward) = (words[0], words[^1].Contains("fwd", StringComparison.Ordinal), words[^1].Contains("bwd", StringComparison.Ordinal));
        Attention op = Operator(row);
        if (kernel is "pytorch" or "standard")
        {
            return new(GpuClasses.UnfusedAttention) { Seconds = bench.Seconds(Unfused(op, backward)) };
        }

        if (!(forward || backward) || Kernels.FirstOrDefault(known => known.Name == kernel && row.Source.StartsWith(known.Source, StringComparison.Ordinal)) is not { } known)
        {
            return GpuPrediction.Refuse($"no kernel of {kernel} in the library");
        }

        SimtSpec spec = known.Synchronous ? Synchronous(bench.Spec) : bench.Spec;
        double Seconds(bool gradient) => AttentionKernel.Price(spec, op with { Backward = gradient }, known.Forward).Time.Seconds;
        return new(known.Class) { Seconds = (forward ? Seconds(false) : 0) + (backward ? Seconds(true) : 0) };
    }

    /// <summary>Kernels by source, which tells the version. Two warpgroups in those that are not the flash kernels, and whether they queue scores ahead, are inferred from the readings.</summary>
    private static readonly ImmutableArray<Kernel> Kernels =
    [
        new("flash2", "", GpuClasses.Attention, Synchronous: true),
        new("flash3", "", GpuClasses.Attention),
        new("cudnn", "FlashAttention-3", GpuClasses.Attention, tile => tile with { Queries = 128, Ahead = false }), // cuDNN 9.1
        new("cudnn", "cuDNN frontend", GpuClasses.Attention, tile => tile with { Queries = 128 }), // cuDNN 9.19
        new("ThunderKittens", "", GpuClasses.OtherAttention),
        new("triton", "", GpuClasses.OtherAttention, tile => tile with { Queries = 128, Ahead = false }),
    ];

    private sealed record Kernel(string Name, string Source, string Class, Func<AttentionTile, AttentionTile>? Forward = null, bool Synchronous = false);

    private static Attention Operator(GpuRow row) => new(row.Id, row.Batch, row.QueryHeads, row.KvHeads, row.QueryTokens, row.KvTokens, row.HeadDim, row.Causal)
    {
        Type = row.Type,
        ValueDim = Number(row, "value head dim") ?? row.HeadDim,
        Window = Number(row, "sliding window"),
    };

    private static long? Number(GpuRow row, string words) =>
        Regex.Match(row.Notes, $@"{words} (\d{{1,9}})\b") is { Success: true } match ? long.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : null;

    /// <summary>Kernels written for Ampere, on any part: mma.sync from registers.</summary>
    private static SimtSpec Synchronous(SimtSpec spec) => spec.TensorCores.Instruction != MatrixInstruction.Wgmma ? spec : spec with
    {
        TensorCores = spec.TensorCores with
        {
            Instruction = MatrixInstruction.MmaSync,
            MacsPerCycle = spec.TensorCores.MacsPerCycle.ToImmutableDictionary(rate => rate.Key, rate => (int)(rate.Value * SynchronousShare)),
        },
    };

    /// <summary>Scores, scale, mask, softmax, values: a kernel each; dropout is off.</summary>
    private static Operator[] Unfused(Attention op, bool backward)
    {
        long heads = op.Batch * op.QueryHeads, rows = heads * op.QueryTokens;
        MatMul Product(long m, long k, long n) => new("product", m, k, n, heads) { Type = op.Type, OutputType = op.Type };
        Elementwise Pass(ElementwiseFunction function) => new("pass", function, rows, op.KvTokens) { Type = op.Type };
        List<Operator> kernels = [Product(op.QueryTokens, op.HeadDim, op.KvTokens), new Softmax("softmax", rows, op.KvTokens) { Type = op.Type }, Product(op.QueryTokens, op.KvTokens, op.HeadDim)];
        if (op.Causal)
        {
            kernels.Add(Pass(ElementwiseFunction.Add));
        }

        if (backward)
        {
            kernels.AddRange([Product(op.QueryTokens, op.HeadDim, op.KvTokens), Product(op.KvTokens, op.QueryTokens, op.HeadDim), Product(op.QueryTokens, op.KvTokens, op.HeadDim), Product(op.KvTokens, op.QueryTokens, op.HeadDim)]);
            kernels.Add(new Softmax("softmax", rows, op.KvTokens, Backward: true) { Type = op.Type });
        }

        return [.. kernels];
    }
}
