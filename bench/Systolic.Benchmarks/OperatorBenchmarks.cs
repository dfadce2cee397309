using BenchmarkDotNet.Attributes;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Benchmarks;

/// <summary>The simulator's own speed on the operators of a Llama-3-70B layer on one H100, each on a machine that has seen none.</summary>
public class OperatorBenchmarks
{
    private static readonly Dictionary<string, Operator> All = Operators().DistinctBy(op => op.Signature).ToDictionary(op => op.Name);

    /// <summary>Operators of a training step of 4,096 tokens, its forward pass being a prefill's, and of a decode step of 16 sequences at as long a context.</summary>
    public static IEnumerable<string> Names => All.Keys;

    /// <summary>The operator that is timed.</summary>
    [ParamsSource(nameof(Names))]
    public string Name { get; set; } = "";

    /// <summary>One operator, the simulations of its candidate tiles included.</summary>
    [Benchmark]
    public RunReport Operator() => MachinePresets.Load("h100").Run(OperatorGraph.Of(All[Name]), new RunOptions { IgnoreCapacity = true });

    private static IEnumerable<Operator> Operators()
    {
        ModelShape model = ModelPresets.Load("llama-3-70b");
        return new[] { TransformerLayer.Training(model, 1, 4096), TransformerLayer.Decode(model, 16, 4096) }
            .SelectMany(graph => graph.Sections.SelectMany(section => section.Operators.Select(op => op with { Name = $"{graph.Phase}: {GraphSection.Qualify(section.Name, op.Name)}" })));
    }
}
