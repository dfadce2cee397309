#:package Systolic@0.1.0
// Your own readings against predictions. These two are public: the fully blocked product of the Neuron tutorial.
using System.Globalization;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Workloads;

const string readings = """
    machine,m,k,n,type,measured_ms
    trn1-core,4096,8192,8192,Bf16,6.97
    trn2-core,4096,8192,8192,Fp32,28.2
    """;

foreach (string line in readings.Split('\n').Skip(1))
{
    string[] cells = line.Trim().Split(',');
    long Number(int column) => long.Parse(cells[column], CultureInfo.InvariantCulture);
    DataType type = Enum.Parse<DataType>(cells[4]);
    var product = new MatMul("product", Number(1), Number(2), Number(3), LeftTransposed: true) { Type = type, OutputType = type };

    double predicted = MachinePresets.Load(cells[0]).Run(OperatorGraph.Of(product)).Time.Seconds * 1e3;
    double measured = double.Parse(cells[5], CultureInfo.InvariantCulture);
    Console.WriteLine(FormattableString.Invariant($"{cells[0]} {type}: measured {measured:F2} ms, predicted {predicted:F2} ms ({(predicted / measured) - 1:+0.0 %;-0.0 %})"));
}
