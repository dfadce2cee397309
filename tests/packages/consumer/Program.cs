using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Running;
using Systolic.BenchmarkDotNet;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

BenchmarkRunner.Run<Products>(args: args);

[SimulatedColumns]
public class Products
{
    private readonly OperatorGraph _product = OperatorGraph.Of(new MatMul("product", 512, 512, 512, LeftTransposed: true));

    [Benchmark(Baseline = true)]
    public RunReport H100() => MachinePresets.H100.Run(_product);

    [Benchmark]
    public RunReport Trn2() => MachinePresets.Trn2.Run(_product);
}
