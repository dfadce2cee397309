using System.Collections.Concurrent;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Tests.Workloads;
using Systolic.Workloads;

namespace Systolic.Tests;

/// <summary>One workload on one machine.</summary>
/// <param name="Name">Machine, model and phase, for messages.</param>
/// <param name="Graph">The workload.</param>
/// <param name="Report">Its report.</param>
internal sealed record RealRun(string Name, OperatorGraph Graph, RunReport Report);

/// <summary>Small workloads of every kind of model in every phase, each run once per machine and shared by all assertions.</summary>
internal static class RealRuns
{
    public static readonly string[] Systolic = ["trn1", "trn2", "trn3", "trn1-core", "trn2-core", "trn3-core"];

    private static readonly ConcurrentDictionary<string, Lazy<RealRun[]>> ByMachine = new();

    public static TheoryData<string> SystolicMachines => [.. Systolic];

    public static TheoryData<string> Machines => [.. Systolic, "h100"];

    /// <summary>One layer of each model in each phase it has, one of odd sizes, and whole models.</summary>
    public static OperatorGraph[] Graphs { get; } =
    [
        .. new[] { "gpt2", "bert-base", "t5-base", "llama-3-8b", "mixtral-8x7b" }.SelectMany(model => Layers(model)),
        Presets.Graph("llama-3-8b", "layer prefill", batch: 3, tokens: 77),
        Presets.Graph("gpt2", "prefill", batch: 1, tokens: 128),
        Presets.Graph("gpt2", "recompute", batch: 1, tokens: 128),
        Presets.Graph("bert-base", "prefill", batch: 1, tokens: 128),
        Presets.Graph("bert-base", "training", batch: 1, tokens: 128),
        Presets.Graph("t5-base", "decode", batch: 2, tokens: 300),
        Presets.Graph("llama-3-8b", "decode", batch: 1, tokens: 300),
        Presets.Graph("mixtral-8x7b", "decode", batch: 1, tokens: 300),
        Presets.Graph(ModelPresets.Load("gemma2-2b") with { SlidingWindow = 100 }, "layer training", batch: 1, tokens: 256),
        Presets.Graph("deepseek-v2-lite", "layer decode", batch: 2, tokens: 300),
        Presets.Graph(ModelPresets.Load("deepseek-v2-lite") with { Experts = 16 }, "layer training", batch: 1, tokens: 128),
        TransformerModel.Training(ModelPresets.Load("qwen2.5-0.5b"), 2, 64, 2, new() { MicroBatches = 2, Recompute = Recomputation.Attention }),
        TransformerModel.Training(ModelPresets.Load("falcon-7b"), 1, 64, 2, new() { FineTune = true, Adapters = new(16, ["q_proj", "out_proj"]) }),
        TransformerModel.Prefill(ModelPresets.Load("whisper-tiny"), 1, 4, 1),
        TransformerModel.Prefill(ModelPresets.Load("llava-1.5-7b"), 1, 16, 1),
    ];

    public static RealRun[] On(string machine) => ByMachine.GetOrAdd(machine, name => new Lazy<RealRun[]>(() => Run(name))).Value;

    /// <summary>Some of the models are larger than some of the machines.</summary>
    public static RunOptions Anyway { get; } = new() { IgnoreCapacity = true };

    /// <summary>The report as the library writes it.</summary>
    public static byte[] Json(RunReport report)
    {
        using var stream = new MemoryStream();
        JsonReportWriter.Write(stream, report);
        return stream.ToArray();
    }

    /// <summary>Every different operator that one of the machine's cores executes for the workloads.</summary>
    public static Operator[] Operators(int cores) =>
    [
        .. Graphs.SelectMany(graph => TensorParallel.Shard(graph, cores).Sections).SelectMany(section => section.Operators)
            .SelectMany(op => op.Ranks).OfType<Operator>().DistinctBy(op => op.Signature),
    ];

    // At most 3,072 features inside: an optimizer's step over the 1.4 G weights of a layer of Mixtral takes ten seconds and shows nothing else.
    private static IEnumerable<OperatorGraph> Layers(string model)
    {
        ModelShape shape = ModelPresets.Load(model);
        shape = shape with { Intermediate = Math.Min(shape.Intermediate, 3072) };
        yield return Presets.Graph(shape, "layer prefill", batch: 1, tokens: 256);
        if (model != "bert-base")
        {
            yield return Presets.Graph(shape, "layer decode", batch: 2, tokens: 300);
        }

        yield return Presets.Graph(shape, "layer training", batch: 1, tokens: 128);
        yield return Presets.Graph(shape, "layer recompute", batch: 1, tokens: 128);
    }

    private static RealRun[] Run(string name)
    {
        IMachine machine = MachinePresets.Load(name);
        return [.. Graphs.Select(graph => new RealRun($"{graph.Name}, {graph.Phase} on {name}", graph, machine.Run(graph, Anyway)))];
    }
}
