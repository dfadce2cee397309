#:package Systolic@0.1.0
// A kernel against the public builder: relu(A^T B) for K = 256, timed and executed on values.
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;

Accelerator core = MachinePresets.Accelerator("trn2-core");
var kernel = new KernelBuilder(core, "relu of a product", values: true);
MemoryTensor a = kernel.Input("a", 256, 128, DataType.Bf16), b = kernel.Input("b", 256, 512, DataType.Bf16); // [K, M], [K, N]
MemoryTensor y = kernel.Output("y", 128, 512, DataType.Bf16);
TileBuffer stationary = kernel.Sbuf("a", 128, DataType.Bf16, copies: 2), moving = kernel.Sbuf("b", 512, DataType.Bf16, copies: 2);
Tile sum = kernel.Psum("sum", 1)[0], result = kernel.Sbuf("y", 512, DataType.Bf16)[0];
for (int k = 0; k < 2; k++)
{
    kernel.Load(StreamId.QueueWeights, stationary[k], a.Part(128 * k, 128));
    kernel.Load(StreamId.QueueActivations, moving[k], b.Part(128 * k, 128));
    kernel.MatMul(sum, stationary[k], moving[k], accumulate: k > 0);
}

kernel.Activation(ActivationFunction.Relu, result, sum);
kernel.Store(StreamId.QueueStores, y.Part(0, 128), result);
var program = kernel.Build();

CoreRun run = Simulator.Run(program, core);
Matrix left = Matrix.From(256, 128, (k, m) => ((k + m) % 5) - 1), right = Matrix.From(256, 512, (k, n) => ((k * n) % 3));
Matrix values = Interpreter.Run(program, new Dictionary<string, Matrix> { ["a"] = left, ["b"] = right })["y"];

foreach (CycleComponent component in Enum.GetValues<CycleComponent>().Where(component => run.Stack[component] > SimTime.Zero))
{
    Console.WriteLine($"{CycleStack.Label(component),-18} {run.Stack[component]}");
}

Console.WriteLine($"{"in all",-18} {run.Time}");
Console.WriteLine($"y[3, 5] = {values[3, 5]}, by hand {Math.Max(0, Enumerable.Range(0, 256).Sum(k => left[k, 3] * right[k, 5]))}");
