using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Systolic.Numerics;
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
        string passes = words[^1];
        Attention forward = Operator(row);
        switch (words[0])
        {
            case "flash1" or "xformers":
                return GpuPrediction.Refuse($"no kernel of {words[0]} in the library");
            case "pytorch" or "standard":
                return new(GpuClasses.UnfusedAttention) { Seconds = bench.Seconds(Unfused(forward, passes.Contains("bwd", StringComparison.Ordinal))) };
            case "flash2" or "triton":
                bench = bench with { Spec = Synchronous(bench.Spec) };
                break;
        }

        double seconds = (passes == "bwd" ? 0 : bench.Seconds(forward)) + (passes == "fwd" ? 0 : bench.Seconds(forward with { Backward = true }));
        return new(GpuClasses.Attention) { Seconds = seconds };
    }

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
