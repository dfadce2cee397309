#:package Systolic@0.1.0
// What training the compute-optimal model of 1e21 operations takes on a Trainium2 chip.
using Systolic.Exploration;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

ComputeOptimal plan = ComputeOptimal.ForFlops(1e21, ScalingApproach.ParametricLoss);
RunReport step = MachinePresets.Trn2.Run(TrainingCost.StepOf(plan.Parameters), new() { IgnoreCapacity = true });
TrainingCost cost = TrainingCost.From(step, plan);

Console.WriteLine($"{plan.Parameters / 1e9:F2} G parameters, {plan.Tokens / 1e9:F1} G tokens");
Console.WriteLine($"MFU of a step {step.Mfu:P1}; {cost.ChipHours:N0} chip hours, {cost.Days(chips: 64):F1} days on 64 chips, {cost.MegawattHours:F1} MWh");
