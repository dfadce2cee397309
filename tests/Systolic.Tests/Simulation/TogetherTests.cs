using Systolic.Accounting;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Simulation;

/// <summary>Cores that meet at barriers.</summary>
public sealed class TogetherTests
{
    private static readonly long Exchange = Core.Trn2.Synchronization.ExchangeLatency.Value;

    // Two memsets of 128 x 960 bf16 on VectorE, then a barrier, then two more: alone a core takes 2 memsets, a signal, the exchange, a signal, 2 memsets.
    // Beside a core with five memsets before its barrier, it waits for that one.
    [Fact]
    public void A_barrier_starts_when_the_last_core_has_reached_it()
    {
        Program shorter = Write(before: 2, after: 2), longer = Write(before: 5, after: 1);
        long alone = Simulator.Run(shorter, Core.Trn2, cancellation: TestContext.Current.CancellationToken).Time.Value, most = Simulator.Run(longer, Core.Trn2, cancellation: TestContext.Current.CancellationToken).Time.Value;
        long memset = Simulator.Run(Write(before: 3, after: 2), Core.Trn2, cancellation: TestContext.Current.CancellationToken).Time.Value - alone;
        CoresRun together = Simulator.RunTogether([shorter, longer], Core.Trn2, false, TestContext.Current.CancellationToken);

        long total = together.Stacks.Sum(stack => stack.Total.Value);
        memset.Should().BePositive();
        total.Should().BeCloseTo(most + memset, 2_000_000, "within two clock edges");
        together.Stacks[0][CycleComponent.Collective].Value.Should().Be(Exchange, "waiting for the other core is that core's work, on the path");
        together.Stacks[0][CycleComponent.Vector].Value.Should().BeCloseTo(7 * memset, 2_000_000, "five memsets there, two here");
    }

    [Fact]
    public void Equal_cores_together_are_one_alone()
    {
        Program program = Write(before: 3, after: 2);
        CoreRun alone = Simulator.Run(program, Core.Trn2, cancellation: TestContext.Current.CancellationToken);
        CoresRun together = Simulator.RunTogether([program, program], Core.Trn2, false, TestContext.Current.CancellationToken);

        together.Stacks.Sum(stack => stack.Total.Value).Should().Be(alone.Time.Value);
        together.Cores.Should().OnlyContain(core => core[0].Counts.Equals(alone.Counts));
    }

    [Fact]
    public void A_core_without_a_barrier_that_another_waits_at_is_refused()
    {
        var kernel = new KernelBuilder(Core.Trn2, "without");
        kernel.Memset(StreamId.Vector, kernel.Sbuf("tile", 960, DataType.Bf16)[0], 0);
        Action run = () => Simulator.RunTogether([Write(1, 1), kernel.Build()], Core.Trn2, false, CancellationToken.None);
        run.Should().Throw<InvalidOperationException>().WithMessage("without: another core waits at barrier 1, which this one never reaches.");
    }

    private static Program Write(int before, int after)
    {
        var kernel = new KernelBuilder(Core.Trn2, "barrier");
        Tile tile = kernel.Sbuf("tile", 960, DataType.Bf16)[0];
        for (int i = 0; i < before; i++)
        {
            kernel.Memset(StreamId.Vector, tile, 0);
        }

        kernel.Barrier(tile);
        for (int i = 0; i < after; i++)
        {
            kernel.Memset(StreamId.Vector, tile, 0);
        }

        return kernel.Build();
    }
}
