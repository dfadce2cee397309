#:package Systolic@0.1.0
// A chip of one's own: a Trainium2 core with an array of half the side, and the same from an edited JSON file.
using Systolic.Hardware;
using Systolic.Machines;
using Systolic.Units;
using Systolic.Workloads;

Accelerator core = MachinePresets.Accelerator("trn2-core");
Accelerator small = core with
{
    Name = "small",
    TensorEngine = core.TensorEngine with { Rows = 64, Columns = 64 },
    Sbuf = core.Sbuf with { Partitions = 64 }, // a partition feeds a row
    Psum = core.Psum with { Partitions = 64 }, // and takes the results of a column
};
string json = MachinePresets.Json("trn2-core").Replace("\"name\": \"trn2-core\"", "\"name\": \"slow-memory\"").Replace("\"bandwidth\": \"725 GB/s\"", "\"bandwidth\": \"400 GB/s\"");
Accelerator slow = AcceleratorReader.Read(json, "slow-memory.json");

OperatorGraph layer = TransformerLayer.Prefill(ModelShapes.Gpt2, batch: 1, tokens: 512);
foreach (Accelerator chip in (Accelerator[])[core, small, slow])
{
    var report = new SystolicMachine(chip).Run(layer);
    Console.WriteLine($"{chip.Name,-12} {chip.TensorEngine.Rows} x {chip.TensorEngine.Columns}, {chip.Memory.Bandwidth}: {report.Time}, {report.Energy}");
}

try
{
    AcceleratorReader.Read(json.Replace("400 GB/s", "400"), "slow-memory.json");
}
catch (InvalidDocumentException wrong)
{
    Console.WriteLine(wrong.Message);
}
