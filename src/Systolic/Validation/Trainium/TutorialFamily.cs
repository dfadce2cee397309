using System.Collections.Immutable;
using System.Globalization;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Kernels of public tutorials and samples: selective scan, attention of Stable Diffusion, flash attention, fused normalization, pooling, convolution, transposes.</summary>
internal sealed class TutorialFamily : ITrainiumFamily
{
    private const string NotPublic = "the optimised text is not public";

    /// <summary>Words that name a kernel, all of which a row has; the first that fits counts.</summary>
    private static readonly ImmutableArray<(string Words, Func<TrainiumRow, TrainiumPrediction> Predict)> Kernels =
    [
        ("mamba optimised", _ => TrainiumPrediction.Skip(NotPublic)),
        ("SD attention optimised", _ => TrainiumPrediction.Skip(NotPublic)),
        ("mamba", Mamba),
        ("attention Stable Diffusion", SdAttention),
        ("SD attention", SdAttention),
        ("flash attention forward", FlashForward),
        ("flash attention backward", FlashBackward),
        ("RMSNorm+QKV allocated", row => Time(row, kernel => FusedNormLinearKernel.Write(kernel, (long)row.Size("batch", 1) * row.Size("seq"), row.Size("dim"), row.Size("qkv_dim"), Type(row)))),
        ("LayerNorm", LayerNorm),
        ("average pooling", Pooling),
        ("select-and-scatter", SelectAndScatter),
        ("conv2d", Convolution),
        ("matrix transpose", Transpose),
        ("nearest", NearestResize),
        ("bilinear", row => Time(row, kernel => BilinearResizeKernel.Write(kernel, (long)row.Size("N", 1) * row.Size("C"), new ImageSize(row.Size("H"), row.Size("W")), Type(row)))),
        ("double row", row => Time(row, kernel => DoubleRowMatMulKernel.Write(kernel, row.Size("M"), row.Size("K"), row.Size("N")), (double)row.Size("M") * row.Size("K") * row.Size("N"))),
    ];

    /// <inheritdoc/>
    public string Name => "tutorial";

    /// <inheritdoc/>
    public bool Takes(TrainiumRow row) => !row.Workload.Contains("nkilib", StringComparison.OrdinalIgnoreCase) && !row.Workload.Contains("NKIBench", StringComparison.OrdinalIgnoreCase) && Find(row) is not null;

    /// <inheritdoc/>
    public TrainiumPrediction Predict(TrainiumRow row) => Find(row)!(row);

    private static Func<TrainiumRow, TrainiumPrediction>? Find(TrainiumRow row) =>
        Kernels.FirstOrDefault(kernel => kernel.Words.Split(' ').All(word => row.Workload.Contains(word, StringComparison.OrdinalIgnoreCase))).Predict;

    private static TrainiumPrediction Time(TrainiumRow row, Func<KernelBuilder, Program> write, double macs = 0) => KernelTiming.Of(row, write).Figure(row, macs);

    /// <summary>The tutorial's profiles are of its three texts; a row that calls the third the baseline of another work is of a later compiler.</summary>
    private static TrainiumPrediction Mamba(TrainiumRow row)
    {
        var shape = new MambaShape(row.Size("batch", 1), row.Size("channels"), row.Size("state", 16), row.Size("seq"));
        MambaOrder order = row.Workload.Contains("v1", StringComparison.Ordinal) ? MambaOrder.StatesOutside : row.Workload.Contains("v2", StringComparison.Ordinal) ? MambaOrder.ChannelsOutside : MambaOrder.SequenceTiled;
        bool later = row.Workload.Contains("baseline", StringComparison.Ordinal), spills = order != MambaOrder.SequenceTiled && shape.Tokens > KernelBuilder.MaximumStatsElements;
        return Time(row, kernel => MambaKernel.Write(kernel, shape, order, later)) with { Apart = spills ? "/spills" : null };
    }

    private static TrainiumPrediction SdAttention(TrainiumRow row) =>
        Time(row, kernel => SdAttentionKernel.Write(kernel, row.Size("seq"), row.Size("d", 64), Type(row), row.Workload.Contains("manually", StringComparison.Ordinal)));

    /// <summary>One head after the other.</summary>
    private static TrainiumPrediction FlashForward(TrainiumRow row)
    {
        int window = row.Size("window", 0);
        bool causal = window > 0 || IsCausal(row);
        var shape = new FlashShape(row.Size("seq_q"), row.Size("seq_k"), row.Size("d"), causal, window);
        SimTime head = KernelTiming.Of(row, kernel => FlashForwardKernel.Write(kernel, shape, Type(row))).Run.Time;
        return TrainiumPrediction.Of((head * (row.Size("batch", 1) * row.Size("heads", 1))) + KernelTiming.Machine(row).Synchronization.Overhead(false));
    }

    private static bool IsCausal(TrainiumRow row) => row.Workload.Contains(" causal", StringComparison.Ordinal);

    private static TrainiumPrediction FlashBackward(TrainiumRow row)
    {
        int heads = row.Size("heads", 1), tokens = row.Size("seq", 0) is > 0 and int both ? both : row.Size("seq_q");
        var attention = new Attention(row.Id, row.Size("batch", 1), heads, row.Size("kv_heads", heads), tokens, tokens, row.Size("d"), IsCausal(row), true) { Type = Type(row) };
        Accelerator machine = KernelTiming.Machine(row);
        SimTime total = machine.Synchronization.Overhead(false);
        foreach (LoweredPass pass in KernelLibrary.Lower(attention, machine).Passes)
        {
            total += KernelTiming.Of(pass.Program, machine).Run.Time * pass.Repeat;
        }

        return TrainiumPrediction.Of(total);
    }

    /// <summary>Rows and columns as a product such as 4096x8192, or each by its name.</summary>
    private static TrainiumPrediction LayerNorm(TrainiumRow row)
    {
        ImageSize matrix = Sizes(row) is [{ Length: 2 } pair, ..] ? new ImageSize(pair[0], pair[1]) : new ImageSize(row.Size("rows"), row.Size("cols"));
        return Time(row, kernel => LayerNormTutorialKernel.Write(kernel, matrix.Height, matrix.Width, row.Workload.Contains("v2", StringComparison.Ordinal)));
    }

    private static TrainiumPrediction Pooling(TrainiumRow row) => Time(row, kernel => AveragePoolingKernel.Write(
        kernel, (long)row.Size("N", 1) * row.Size("C"), new ImageSize(row.Size("H"), row.Size("W")), Output(row, (row.Text("out") ?? "").Split('x')), Type(row)));

    private static ImageSize Output(TrainiumRow row, string[] sides) => new(Number(row, sides[0]), Number(row, sides[^1]));

    private static TrainiumPrediction SelectAndScatter(TrainiumRow row)
    {
        ImageSize image = Image(row, 0);
        return Time(row, kernel => SelectAndScatterKernel.Write(kernel, (long)row.Size("n", 1) * row.Size("c"), image.Height, image.Width, Type(row)));
    }

    /// <summary>Shapes such as "batch=1 3x3 conv, 256->256 ch, 224x224".</summary>
    private static TrainiumPrediction Convolution(TrainiumRow row)
    {
        (int filter, ImageSize image) = (Image(row, 0).Width, Image(row, 1));
        string[] channels = row.Shapes.Split(' ').First(word => word.Contains("->", StringComparison.Ordinal)).Split("->");
        return Time(row, kernel => ConvolutionKernel.Write(
            kernel, row.Size("batch", 1), Number(row, channels[0]), Number(row, channels[1]), image, filter, row.Shapes.Contains("pool", StringComparison.Ordinal), Type(row)));
    }

    private static TrainiumPrediction Transpose(TrainiumRow row)
    {
        ImageSize matrix = Image(row, 0);
        return Time(row, kernel => TransposeKernel.Write(kernel, matrix.Height, matrix.Width, Type(row)));
    }

    /// <summary>Shapes such as "10x30x20x1280 -> 10x59x38x1280", batch, height, width, channels.</summary>
    private static TrainiumPrediction NearestResize(TrainiumRow row) => Sizes(row) is [{ Length: 4 } from, { Length: 4 } to, ..]
        ? Time(row, kernel => NearestResizeKernel.Write(kernel, from[0], new ImageSize(from[1], from[2]), new ImageSize(to[1], to[2]), from[3], Type(row)))
        : Time(row, kernel => NearestResizeKernel.Write(kernel, row.Size("batch", 1), Image(row, 0), Image(row, 1), row.Size("channels"), Type(row)));

    /// <summary>The words of the shapes that are numbers by numbers, such as "224x224".</summary>
    private static ImmutableArray<int[]> Sizes(TrainiumRow row) =>
        [.. row.Shapes.Split(' ', ',').Select(word => word.Split('x')).Where(numbers => numbers.Length > 1 && numbers.All(IsNumber)).Select(numbers => numbers.Select(number => Number(row, number)).ToArray())];

    private static ImageSize Image(TrainiumRow row, int index) => Sizes(row).Where(numbers => numbers.Length == 2).ElementAtOrDefault(index) is { } size
        ? new ImageSize(size[0], size[1])
        : throw new FormatException($"{row.Id}: found the shapes \"{row.Shapes}\", expected {index + 1} sizes such as 224x224.");

    private static bool IsNumber(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0;

    private static int Number(TrainiumRow row, string text) => IsNumber(text)
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : throw new FormatException($"{row.Id}: found the shapes \"{row.Shapes}\" with \"{text}\", expected a positive number there.");

    private static DataType Type(TrainiumRow row) => row.ElementType(DataType.Fp32);
}
