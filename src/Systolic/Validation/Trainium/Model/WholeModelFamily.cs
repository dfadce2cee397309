using System.Globalization;
using System.Text.RegularExpressions;
using Systolic.Numerics;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Whole models: text generation, encoders, training.</summary>
internal sealed class WholeModelFamily : ITrainiumFamily
{
    /// <summary>What the host adds to each token that a serving library generates: it collects the logits, chooses the token, and calls again.</summary>
    private static readonly SimTime HostPerToken = SimTime.FromMicroseconds(1500);

    /// <summary>What it adds to the first: it prepares the prompt and the cache, and calls another program.</summary>
    private static readonly SimTime HostPerPrompt = SimTime.FromMicroseconds(12_000);

    private static readonly string[] Quantiles = [" p50", " p99", " median"];

    private readonly ModelTiming _timing = new();

    /// <inheritdoc/>
    public string Name => "model";

    /// <inheritdoc/>
    public bool Takes(TrainiumRow row) => row.IsWholeModel;

    /// <inheritdoc/>
    public TrainiumPrediction Predict(TrainiumRow row)
    {
        if (row.Workload.Contains("fused speculation", StringComparison.Ordinal))
        {
            return TrainiumPrediction.Skip("speculation, whose acceptance is not stated");
        }

        if (ModelShapesOfRows.Find(row.Workload) is not { } shape)
        {
            return TrainiumPrediction.Skip("a model that the library does not know: " + row.Workload.Split(',')[0]);
        }

        if (row.Workload.Contains("training", StringComparison.Ordinal))
        {
            return Training(row, shape);
        }

        if (row.Cores == 0)
        {
            return TrainiumPrediction.Skip("the number of cores is not stated");
        }

        return row.Workload.Contains("encoder inference", StringComparison.Ordinal) ? Encoder(row, shape) : Generation(row, shape);
    }

    private TrainiumPrediction Generation(TrainiumRow row, ModelShape shape)
    {
        if ((Number(row, "TP"), Number(row, "input"), Number(row, "output")) is not ({ } tensor, { } input, { } output))
        {
            return TrainiumPrediction.Skip("parallelism or lengths are not stated");
        }

        int cores = Math.Max(row.Cores, tensor), batch = Number(row, "batch") ?? 1;
        long most = Number(row, "max_seq") ?? input + output;
        shape = Padded(shape, cores);
        SimTime Decode(long length) => HostPerToken + Time(row, cores, TransformerModel.Decode(shape, batch, length - 1), overlapped: true);
        switch (Quantiles.Aggregate(row.Metric, (metric, quantile) => metric.Replace(quantile, "", StringComparison.Ordinal)))
        {
            case "time to first token":
                return TrainiumPrediction.Of(First()) with { Apart = "/first-token" };
            case "latency per token":
                return TrainiumPrediction.Of(Decode(input + 1)) with { Apart = "/token" };
            case "time per output token":
                return TrainiumPrediction.Of(Decode(Bucket(input + (output / 2), most))) with { Apart = "/token" };
            case "output token throughput":
                double seconds = First().Seconds + ((output - 1) * Decode(MeanBucket(input, output, most)).Seconds);
                return TrainiumPrediction.Of((double)batch * output / seconds) with { Apart = "/throughput" };
            default:
                return TrainiumPrediction.Skip($"no figure of this kind: {row.Metric}");
        }

        SimTime First() => HostPerPrompt + Time(row, cores, TransformerModel.Prefill(shape, batch, input), overlapped: false);
    }

    /// <summary>The serving libraries compile a decode step per power of two of keys, and read as many.</summary>
    private static long Bucket(long length, long most)
    {
        long bucket = 128;
        while (bucket < length)
        {
            bucket *= 2;
        }

        return Math.Min(bucket, most);
    }

    private static long MeanBucket(long input, long output, long most)
    {
        double sum = 0;
        for (long step = 1; step < output; step++)
        {
            sum += Bucket(input + step, most);
        }

        return output == 1 ? input : (long)Math.Round(sum / (output - 1) / 64) * 64;
    }

    private TrainiumPrediction Encoder(TrainiumRow row, ModelShape shape)
    {
        if ((Number(row, "batch"), Number(row, "seq")) is not ({ } batch, { } tokens))
        {
            return TrainiumPrediction.Skip("batch or sequence length is not stated");
        }

        SimTime time = _timing.Time(row.Chip, 1, ParallelPlan.OneChip, TransformerModel.Prefill(shape, batch, tokens), overlapped: true);
        TrainiumPrediction figure = row.Metric.StartsWith("latency", StringComparison.Ordinal) ? TrainiumPrediction.Of(time) : TrainiumPrediction.Of(row.Cores * batch / time.Seconds);
        return figure with { Apart = "/encoder" };
    }

    private TrainiumPrediction Training(TrainiumRow row, ModelShape shape)
    {
        if ((Number(row, "micro"), Number(row, "global")) is not ({ } micro, { } global))
        {
            return TrainiumPrediction.Skip("batch sizes are not stated");
        }

        int tensor = Number(row, "TP") ?? 1, pipeline = Number(row, "PP") ?? 1, replicas = row.Cores / (tensor * pipeline);
        long tokens = Number(row, "seq") ?? (shape.Family == ModelFamily.EncoderOnly ? 128 : shape.MaxPositions);
        DataType type = row.Type.StartsWith("FP32", StringComparison.Ordinal) ? DataType.Fp32 : DataType.Bf16;
        var plan = new ParallelPlan { Pipeline = pipeline, Data = replicas, MicroBatches = Math.Max(1, global / (replicas * micro)), ShardOptimizer = pipeline > 1 };
        OperatorGraph graph = TransformerModel.Training(shape with { Type = type }, micro, tokens);
        double sequences = (double)micro * plan.AllMicroBatches / _timing.Time(row.Chip, tensor, plan, graph, overlapped: false).Seconds;
        return row.Metric switch
        {
            "training throughput" => TrainiumPrediction.Of(sequences) with { Apart = "/training" },
            "MFU" => TrainiumPrediction.Of(100 * sequences * FlopsPerSequence(graph, micro) / (row.Cores * FlopsPerCore)) with { Apart = "/training" },
            _ => TrainiumPrediction.Skip($"no figure of this kind: {row.Metric}"),
        };
    }

    /// <summary>The peak of the table, whatever the type: 190 TFLOPS of the chip page, for two cores. It counts the layers only.</summary>
    private const double FlopsPerCore = 95e12;

    private static double FlopsPerSequence(OperatorGraph graph, int micro) =>
        graph.Sections.Where(section => section.Pass != ModelPass.Optimizer && section.Repeat > 1).Sum(section => (double)section.Repeat * section.Operators.Sum(op => op.Macs.Flops)) / micro;

    private SimTime Time(TrainiumRow row, int cores, OperatorGraph graph, bool overlapped) => _timing.Time(
        row.Chip, cores, ParallelPlan.OneChip, row.Type.StartsWith("int8", StringComparison.Ordinal) ? ModelTiming.OneByteWeights(graph) : graph, overlapped);

    /// <summary>The serving libraries give every core as many query heads, some of zeros, and at least one key/value head, repeated where there are fewer than cores.</summary>
    private static ModelShape Padded(ModelShape shape, int cores)
    {
        long queries = (shape.QueryHeads + cores - 1) / cores * cores;
        return shape with { QueryHeads = queries, KvHeads = shape.KvHeads == shape.QueryHeads ? queries : Math.Max(cores, shape.KvHeads) };
    }

    private static int? Number(TrainiumRow row, string name) =>
        Regex.Match(row.Shapes, $@"\b{name}(?:=| about )(\d+)") is { Success: true } match && int.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : null;
}
