using CsCheck;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Simulation;

/// <summary>The event-driven simulator against the one that asks every stream in every step.</summary>
public class LockstepSimulatorTests
{
    private static readonly ThrottleSpec Throttle = new(0.5, SimTime.FromMicroseconds(3));

    private static readonly Accelerator[] Machines =
    [
        Core.Trn1, Core.Trn2, Core.Trn3, Core.Trn2 with { Cores = 2 }, Core.Trn2 with { TensorEngine = Core.Trn2.TensorEngine with { Throttle = Throttle } },
    ];

    [Fact]
    public void Every_instruction_of_random_programs_starts_and_completes_at_the_same_time() =>
        Gen.Select(RandomPrograms.All, Gen.Int[0, Machines.Length - 1], Gen.Enum<DescriptorSource>()).Sample(
            (steps, machine, source) => Compare(RandomPrograms.Write(steps, Machines[machine], descriptors: source), Machines[machine]),
            iter: 300);

    [Theory]
    [InlineData("trn1-core")]
    [InlineData("trn2-core")]
    [InlineData("trn3-core")]
    public void So_does_every_instruction_of_every_kernel(string name)
    {
        Accelerator machine = Machines.First(candidate => candidate.Name == name);
        Programs.Program[] programs = [.. OperatorCoverageTests.Instances.Where(op => op is not Collective).SelectMany(op => KernelLibrary.Lower(op, machine).Passes).Select(pass => pass.Program)];

        programs.Should().HaveCountGreaterThan(20);
        programs.Should().OnlyContain(program => Compare(program, machine));
    }

    [Fact]
    public void The_step_does_not_change_the_result()
    {
        Programs.Program program = KernelLibrary.Lower(new MatMul("product", 256, 256, 1024), Core.Trn2).Passes.First().Program;
        CoreRun fine = LockstepSimulator.RunWithTimes(program, Core.Trn2, SimTime.FromNanoseconds(0.3)).Run, coarse = LockstepSimulator.RunWithTimes(program, Core.Trn2, SimTime.FromMicroseconds(7)).Run;

        fine.Time.Should().Be(coarse.Time).And.Be(Simulator.RunWithTimes(program, Core.Trn2).Run.Time);
        fine.Counts.Should().BeEquivalentTo(coarse.Counts);
    }

    [Fact]
    public void A_program_that_waits_for_ever_is_refused_by_both()
    {
        Instruction[][] streams = [.. Enumerable.Range(0, Streams.Count).Select(_ => Array.Empty<Instruction>())];
        streams[(int)StreamId.Vector] = [new Instruction { Opcode = Opcode.Memset, Partitions = 1, Free = 1, Target = -1, Reduced = -1, First = -1, Second = -1, Third = -1, Memory = -1, WaitCount = 1 }];
        var program = new Programs.Program("endless", streams, [new SemaphoreWait(StreamId.Scalar, 1)], []);

        foreach (Action run in new Action[] { () => Simulator.Run(program, Core.Trn2), () => LockstepSimulator.Run(program, Core.Trn2) })
        {
            run.Should().Throw<InvalidOperationException>().WithMessage("endless: stream vector is stuck at instruction 0 (Memset), waiting for 1 completions of scalar.");
        }
    }

    [Fact]
    public void A_step_of_no_time_and_a_cancelled_run_are_refused()
    {
        Programs.Program program = RandomPrograms.Write([new(8, 0, 0, 0, 100)], Core.Trn2);

        FluentActions.Invoking(() => LockstepSimulator.Run(program, Core.Trn2, SimTime.Zero)).Should().Throw<ArgumentOutOfRangeException>().WithParameterName("step");
        FluentActions.Invoking(() => LockstepSimulator.Run(program, Core.Trn2, cancellation: new CancellationToken(true))).Should().Throw<OperationCanceledException>();
        FluentActions.Invoking(() => Simulator.Run(program, Core.Trn2, cancellation: new CancellationToken(true))).Should().Throw<OperationCanceledException>();
    }

    private static bool Compare(Programs.Program program, Accelerator machine)
    {
        (CoreRun fast, StreamState[] events) = Simulator.RunWithTimes(program, machine);
        (CoreRun slow, StreamState[] steps) = LockstepSimulator.RunWithTimes(program, machine);
        return fast.Time == slow.Time && events.Zip(steps).All(pair => pair.First.Start.AsSpan().SequenceEqual(pair.Second.Start)
            && pair.First.Free.AsSpan().SequenceEqual(pair.Second.Free) && pair.First.Done.AsSpan().SequenceEqual(pair.Second.Done));
    }
}
