#:package Systolic@0.1.0
// What would make this faster? Each part of the machine in turn made infinitely fast, and simulated again.
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

IMachine core = MachinePresets.Load("trn2-core");
OperatorGraph product = OperatorGraph.Of(new MatMul("gemm", 1024, 2048, 2048, LeftTransposed: true));
RunReport report = core.Run(product, new RunOptions { CollectSpans = true });
var explanation = Explanation.Of(report, FreedMachine.Each(core).ToDictionary(pair => pair.Key, pair => pair.Value.Run(product)));

Console.WriteLine(explanation.Summary);
foreach (WhatIf part in explanation.WhatIfs)
{
    Console.WriteLine($"  {MachineParts.Label(part.Part),-18} {part.OnPath,10} on the critical path, {part.Simulated,10} without");
}
