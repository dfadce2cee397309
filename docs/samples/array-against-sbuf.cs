#:package Systolic@0.1.0
// A larger array or a larger SBUF? The same die area, divided differently, on one layer.
using Systolic.Hardware;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Units;
using Systolic.Workloads;

Accelerator core = MachinePresets.Accelerator("trn2-core");
double area = Area(core);
OperatorGraph layer = TransformerLayer.Prefill(ModelShapes.Gpt2, batch: 1, tokens: 512);
foreach (int side in (int[])[64, 96, 128, 160])
{
    Accelerator machine = Enumerable.Range(1, 100).Select(i => Sized(side, kibibytes: 8 * i)).Last(sized => Area(sized) <= area);
    RunReport report = new SystolicMachine(machine).Run(layer);
    Console.WriteLine($"{side,3} x {side,-3}, SBUF {machine.Sbuf.Capacity}, {Area(machine):F1} mm2: {report.Time}, {report.Energy}");
}

static double Area(Accelerator machine) => new SystolicMachine(machine).Profile.Area!.Total;

// Each row of the array has a partition of SBUF, each column one of PSUM.
Accelerator Sized(int side, int kibibytes) => core with
{
    TensorEngine = core.TensorEngine with { Rows = side, Columns = side },
    Sbuf = core.Sbuf with { Partitions = side, PartitionSize = Bytes.FromKibibytes(kibibytes) },
    Psum = core.Psum with { Partitions = side },
};
