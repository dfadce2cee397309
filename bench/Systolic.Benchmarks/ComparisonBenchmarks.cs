using BenchmarkDotNet.Attributes;
using Systolic.BenchmarkDotNet;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Benchmarks;

/// <summary>A Trainium2 chip against an H100: prefill of 512 tokens by whole models. The table of docs/benchmarkdotnet.md.</summary>
[SimulatedColumns]
public class ComparisonBenchmarks
{
    private OperatorGraph? _prefill;

    /// <summary>A model preset that fits the memory of both chips.</summary>
    [Params("bert-large", "gpt2-xl", "llama-3-8b", "qwen3-30b-a3b")]
    public string Model { get; set; } = "";

    /// <summary>Builds the workload.</summary>
    [GlobalSetup]
    public void Setup() => _prefill = TransformerModel.Prefill(ModelPresets.Load(Model), 1, 512);

    /// <summary>The baseline.</summary>
    [Benchmark(Baseline = true)]
    public RunReport H100() => MachinePresets.H100.Run(_prefill!);

    /// <summary>The chip in question.</summary>
    [Benchmark]
    public RunReport Trn2() => MachinePresets.Trn2.Run(_prefill!);
}
