using BenchmarkDotNet.Attributes;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Benchmarks;

/// <summary>The simulator's own speed on one NeuronCore-v2: a workload simulated from scratch per operation.</summary>
[MemoryDiagnoser]
public class WorkloadBenchmarks
{
    private readonly IMachine _core = MachinePresets.Load("trn1-core");

    /// <summary>W1: 512 cubed, bf16.</summary>
    [Benchmark]
    public RunReport W1_gemm_512() => Gemm(512);

    /// <summary>W2: 2048 cubed, bf16.</summary>
    [Benchmark]
    public RunReport W2_gemm_2048() => Gemm(2048);

    /// <summary>W3: 4096 cubed, bf16.</summary>
    [Benchmark]
    public RunReport W3_gemm_4096() => Gemm(4096);

    /// <summary>W4: one GPT-2-small layer, prefill of 512 tokens.</summary>
    [Benchmark]
    public RunReport W4_gpt2_layer_prefill_512() => _core.Run(TransformerLayer.Prefill(ModelShapes.Gpt2, 1, 512));

    /// <summary>W5p: one Llama-3-8B layer, prefill of 2048 tokens.</summary>
    [Benchmark]
    public RunReport W5p_llama3_8b_layer_prefill_2048() => _core.Run(TransformerLayer.Prefill(ModelShapes.Llama3_8B, 1, 2048));

    /// <summary>W5d: one Llama-3-8B layer, one token at context 2048.</summary>
    [Benchmark]
    public RunReport W5d_llama3_8b_layer_decode_2048() => _core.Run(TransformerLayer.Decode(ModelShapes.Llama3_8B, 1, 2048));

    private RunReport Gemm(long n) => _core.Run(OperatorGraph.Of(new MatMul("gemm", n, n, n, LeftTransposed: true)));
}
