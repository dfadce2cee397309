using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Blocks, layers and whole models as an eager framework runs them: a kernel per operator, attention not fused.</summary>
internal static class GpuModels
{
    private static readonly ImmutableArray<string> Columns = ["model", "layers", "hidden", "heads", "feed_forward", "vocabulary", "activation_kernels", "score_kernels", "source"];

    private static readonly ImmutableArray<EagerModel> Models = PublishedTable.Load("gpu-models.csv", Columns, row => new EagerModel(
        row.Text("model"), PublishedTable.Size(row, "layers"), PublishedTable.Size(row, "hidden"), PublishedTable.Size(row, "heads"), PublishedTable.Size(row, "feed_forward"),
        PublishedTable.Size(row, "vocabulary"), (int)PublishedTable.Size(row, "activation_kernels"), (int)PublishedTable.Size(row, "score_kernels")));

    /// <summary>Predicts a model's forward pass: layers, then logits of all tokens.</summary>
    public static GpuPrediction Model(GpuRow row, GpuBench bench)
    {
        if (Models.FirstOrDefault(known => row.Variant.StartsWith(known.Name + " ", StringComparison.Ordinal)) is not { } model)
        {
            return GpuPrediction.Refuse($"a model whose sizes are not published: {row.Variant.Split(' ')[0]}");
        }

        MatMul logits = new("logits", checked(row.Batch * row.QueryTokens), model.Hidden, model.Vocabulary) { Type = row.Type, OutputType = row.Type };
        return new(GpuClasses.Models) { Seconds = (model.Layers * bench.Seconds(model.Layer(row.Batch, row.QueryTokens, row.Type))) + bench.Seconds(logits) };
    }

    /// <summary>Predicts a gated block: two products, the unit, a product.</summary>
    public static GpuPrediction Block(GpuRow row, GpuBench bench)
    {
        if ((Setting(row, "bsz|B"), Setting(row, "hidden_size"), Setting(row, "intermediate_size")) is not ({ } batch, { } hidden, { } inner))
        {
            return GpuPrediction.Refuse("sizes of a block are not stated");
        }

        long tokens = checked(batch * row.QueryTokens);
        (DataType type, ElementwiseFunction activation) = (row.Type, row.Op == "geglu_mlp" ? ElementwiseFunction.Gelu : ElementwiseFunction.Silu);
        Elementwise Pass(ElementwiseFunction function) => new("unit", function, tokens, inner) { Type = type };
        MatMul up = new("up", tokens, hidden, inner) { Type = type, OutputType = type }, down = new("down", tokens, inner, hidden) { Type = type, OutputType = type };
        Operator[] unit = row.Variant.StartsWith("liger", StringComparison.Ordinal)
            ? [Pass(activation == ElementwiseFunction.Gelu ? ElementwiseFunction.GatedGelu : ElementwiseFunction.GatedSilu)]
            : [Pass(activation), Pass(ElementwiseFunction.Multiply)];
        return new(GpuClasses.Models) { Seconds = bench.Seconds([up, up, .. unit, down]) };
    }

    /// <summary>Predicts a tensor-parallel layer as the sum of its operators, two exchanges among them.</summary>
    public static GpuPrediction Layer(GpuRow row, GpuBench bench)
    {
        int boards = GpuBoards.Count(row.Device);
        if (bench.Spec.Links is not { } links || row.QueryHeads % boards != 0 || row.M % Math.Max(1, row.QueryTokens) != 0)
        {
            return GpuPrediction.Refuse("heads or tokens of a layer do not divide");
        }

        var share = new EagerModel("layer", 1, row.N, row.QueryHeads / boards, 4 * row.N / boards, 1, 1, 0);
        return new(GpuClasses.Models)
        {
            Seconds = bench.Seconds(share.Layer(row.Batch, row.QueryTokens, row.Type, row.HeadDim)) + (2 * GpuExchanges.Seconds(links, checked(row.M * row.N), row.Type, boards)),
        };
    }

    private static long? Setting(GpuRow row, string name) =>
        Regex.Match(row.Notes, $@"[{{ ](?:{name}): (\d{{1,7}})\b") is { Success: true } match ? long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : null;

    /// <summary>A transformer of equal layers, dense, with heads of their own keys.</summary>
    private sealed record EagerModel(string Name, long Layers, long Hidden, long Heads, long FeedForward, long Vocabulary, int ActivationKernels, int ScoreKernels)
    {
        /// <summary>The kernels of a layer.</summary>
        public Operator[] Layer(long batch, long tokens, DataType type, long headDim = 0)
        {
            long rows = checked(batch * tokens), heads = checked(batch * Heads), head = headDim > 0 ? headDim : Hidden / Heads, own = Heads * head;
            MatMul Product(long m, long k, long n, long copies = 1) => new("product", m, k, n, copies) { Type = type, OutputType = type };
            Elementwise Pass(ElementwiseFunction function, long columns) => new("pass", function, rows, columns) { Type = type };
            var norm = new Norm("norm", NormFunction.Layer, rows, Hidden) { Type = type };
            var scores = new Elementwise("scores", ElementwiseFunction.Relu, checked(heads * tokens), tokens) { Type = type };
            return
            [
                norm, Product(rows, Hidden, 3 * own), Product(tokens, head, tokens, heads), .. Enumerable.Repeat(scores, ScoreKernels),
                new Softmax("softmax", checked(heads * tokens), tokens) { Type = type }, Product(tokens, tokens, head, heads), Pass(ElementwiseFunction.Relu, own),
                Product(rows, own, Hidden), Pass(ElementwiseFunction.Add, Hidden), norm, Product(rows, Hidden, FeedForward),
                .. Enumerable.Repeat(Pass(ActivationKernels == 1 ? ElementwiseFunction.Gelu : ElementwiseFunction.Relu, FeedForward), ActivationKernels),
                Product(rows, FeedForward, Hidden), Pass(ElementwiseFunction.Add, Hidden),
            ];
        }
    }
}
