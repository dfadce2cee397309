#:package Systolic@0.1.0
// One token of a 70-billion-parameter model for each of 32 sequences: two stages of eight chips that share every operator.
using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

var plan = new ParallelPlan { Tensor = 8, Pipeline = 2, MicroBatches = 2 };
OperatorGraph microBatch = TransformerModel.Decode(ModelShapes.Llama3_70B, batch: 16, context: 2048);
RunReport step = new Cluster(MachinePresets.Trn2, plan).Run(microBatch);

Console.WriteLine($"{plan.Chips} chips: {step.Time} a step, {step.TokensPerSecond:N0} tokens/s, {step.Power}");
Console.WriteLine($"{step.Trace.Parallel!.Exchanges.Length} exchanges; the longest:");
foreach (ExchangeRun exchange in step.Trace.Parallel.Exchanges.OrderByDescending(exchange => exchange.Time).Take(3))
{
    Console.WriteLine($"  {exchange.Name}: {exchange.Time}, exposed {exchange.Exposed}");
}
