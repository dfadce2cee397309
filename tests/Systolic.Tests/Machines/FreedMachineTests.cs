using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Tests.Workloads;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Machines;

public sealed class FreedMachineTests
{
    private static readonly OperatorGraph Layer = Presets.Graph("gpt2", "layer prefill", batch: 1, tokens: 256);

    public static TheoryData<string> Systolic => ["trn1", "trn2", "trn3-core"];

    [Theory]
    [MemberData(nameof(Systolic))]
    public void Of_a_free_part_next_to_nothing_is_left_on_the_critical_path(string name)
    {
        IMachine machine = MachinePresets.Load(name);
        IReadOnlyDictionary<MachinePart, IMachine> freed = FreedMachine.Each(machine);
        RunReport now = Run(machine);
        foreach (MachinePart part in (MachinePart[])[MachinePart.MatrixUnit, MachinePart.VectorUnit, MachinePart.ScalarUnit, MachinePart.GeneralEngine, MachinePart.TransferLatency, MachinePart.Launch])
        {
            OnPath(Run(freed[part]), part).Should().BeLessThanOrEqualTo(0.01 * OnPath(now, part), part.Label());
        }
    }

    // A free part changes the order in which queues are served, so a run may be a little slower, and where transfers met others, a little faster than the bound.
    [Theory]
    [MemberData(nameof(Systolic))]
    public void A_run_with_a_free_part_lies_between_its_bound_and_the_run_as_it_is(string name)
    {
        IMachine machine = MachinePresets.Load(name);
        RunReport now = Run(machine);
        var explanation = Explanation.Of(now, FreedMachine.Each(machine).ToDictionary(pair => pair.Key, pair => Run(pair.Value)));

        explanation.WhatIfs.Should().NotBeEmpty();
        explanation.WhatIfs.Should().OnlyContain(found => found.Time.Seconds >= 0.98 * found.Bound.Seconds && found.Time.Seconds <= 1.05 * now.Time.Seconds);
    }

    [Fact]
    public void The_same_programs_run_when_a_part_is_free()
    {
        IMachine machine = MachinePresets.Load("trn2-core");
        RunReport now = Run(machine);
        foreach ((MachinePart part, IMachine free) in FreedMachine.Each(machine))
        {
            RunReport then = Run(free);

            then.Operators.Select(op => op.Run.Mapping).Should().Equal(now.Operators.Select(op => op.Run.Mapping));
            then.Counts.Macs.Should().Be(now.Counts.Macs);
            then.Counts.DramBytes.Should().Be(now.Counts.DramBytes, part.Label());
        }
    }

    [Fact]
    public void A_free_launch_takes_the_launch_away()
    {
        IMachine machine = MachinePresets.Load("trn1-core");

        Run(FreedMachine.Each(machine)[MachinePart.Launch]).Time.Should().Be(Run(machine).Time - Run(machine).CycleStack[CycleComponent.Launch]);
    }

    [Theory]
    [InlineData("v100")]
    [InlineData("a100-80gb")]
    [InlineData("h100")]
    public void A_gpu_with_a_free_part_is_never_slower(string name)
    {
        IMachine machine = MachinePresets.Load(name);
        SimTime now = Run(machine).Time;

        // 2 %: warps that come earlier may take another order.
        FreedMachine.Each(machine).Should().OnlyContain(pair => Run(pair.Value).Time.Seconds <= now.Seconds * 1.02);
        Run(FreedMachine.Each(machine)[MachinePart.Launch]).Time.Should().BeLessThan(now);
    }

    [Fact]
    public void Parts_that_a_machine_lacks_are_not_freed()
    {
        FreedMachine.Each(MachinePresets.Load("h100")).Keys.Should().NotContain([MachinePart.DmaEngines, MachinePart.Signals, MachinePart.Links, MachinePart.GeneralEngine]);
        FreedMachine.Each(MachinePresets.Load("trn2-core")).Keys.Should().NotContain([MachinePart.Links, MachinePart.Cache]).And.Contain(MachinePart.DmaEngines);
        FreedMachine.Each(MachinePresets.Load("trn2")).Keys.Should().Contain(MachinePart.Links);
    }

    private static RunReport Run(IMachine machine) => machine.Run(Layer, cancellation: TestContext.Current.CancellationToken);

    private static double OnPath(RunReport report, MachinePart part) => part.Components().ToArray().Sum(component => report.CycleStack[component].Seconds);
}
