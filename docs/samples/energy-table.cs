#:package Systolic@0.1.0
// An energy price of one's own: what if a bf16 product and its addition took 0.2 pJ?
using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

EnergyReferenceTable mine = EnergyReferenceTable.Read("""
    activity,node_nm,machine,energy_pj,low_pj,high_pj,confidence,source,notes
    MacBf16,5,systolic,0.2,0.1,0.3,assumed,an idea,half of the shipped price
    """, "mine.csv");

OperatorGraph layer = TransformerLayer.Prefill(ModelShapes.Gpt2, batch: 1, tokens: 512);
foreach (EnergyReferenceTable prices in (EnergyReferenceTable[])[EnergyReferenceTable.Default, EnergyReferenceTable.Default.Extend(mine)])
{
    RunReport report = MachinePresets.Trn2.Run(layer, new RunOptions { Prices = prices });
    Console.WriteLine($"{report.Energy} ({report.EnergyBreakdown.Low} to {report.EnergyBreakdown.High}), matrix arithmetic {report.EnergyBreakdown.Parts.Single(part => part.Component == "matrix arithmetic").Value}");
}
