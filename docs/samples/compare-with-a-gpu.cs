#:package Systolic@0.1.0
// The same step of decoding on a Trainium2 chip and on an H100.
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

OperatorGraph step = TransformerLayer.Decode(ModelShapes.Llama3_8B, batch: 8, context: 2048);
var comparison = Comparison.Of(MachinePresets.Trn2.Run(step), MachinePresets.H100.Run(step));

Console.WriteLine(comparison.Summary);
Console.WriteLine(comparison.AtEqualMeans);
foreach (ComparisonRow row in comparison.Rows.Where(row => row.Quotient is not null))
{
    Console.WriteLine($"{row.Name,-22} {row.Report,24} {row.Baseline,24} {row.QuotientText,7}");
}
