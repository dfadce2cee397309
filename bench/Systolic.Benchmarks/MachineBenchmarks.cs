using BenchmarkDotNet.Attributes;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Benchmarks;

/// <summary>The simulator's own speed on a whole model: Llama-3-8B, prefill of 2048 tokens, chip against chip.</summary>
[MemoryDiagnoser]
public class MachineBenchmarks
{
    private readonly OperatorGraph _model = TransformerModel.Prefill(ModelShapes.Llama3_8B, 1, 2048);

    /// <summary>The machine that runs the model.</summary>
    [Params("trn1", "trn2", "trn3", "a100-80gb", "h100")]
    public string Machine { get; set; } = "";

    /// <summary>One simulation of the whole model.</summary>
    [Benchmark]
    public RunReport Llama3_8b_prefill_2048() => MachinePresets.Load(Machine).Run(_model);
}
