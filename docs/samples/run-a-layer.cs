#:package Systolic@0.1.0
// One layer of a published model on one chip: time, what bounds it, and where the cycles went.
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

OperatorGraph layer = TransformerLayer.Prefill(ModelShapes.Gpt2, batch: 1, tokens: 512);
RunReport report = MachinePresets.Trn2.Run(layer);

Console.WriteLine($"{report.Model}, {report.Phase}: {report.Time}, {report.TotalCycles.Value:N0} cycles, {report.Energy}");
Console.WriteLine($"lower bound {report.LowerBound.Time}, tensor utilization {report.TensorUtilization:P1}");
foreach (ComponentCycles part in report.CyclesByComponent.Where(part => part.Cycles.Value > 0))
{
    Console.WriteLine($"  {part.Component,-20} {part.Cycles.Value,10:N0}");
}
