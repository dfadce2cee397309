using Systolic.Components;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Simulation;
using Systolic.Tests.Simulation;

namespace Systolic.Tests.Components.Dram;

/// <summary>Memories that a machine file cannot describe, but a program that uses the library can.</summary>
public class StreamMemoryTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 3)]
    public void A_core_without_a_channel_is_refused(int channels, int cores) =>
        Refusal(Core.Trn2 with { Cores = cores, Memory = Core.Trn2.Memory with { Channels = channels } })
            .Should().Be($"memory.channels: found {channels} of HBM3 for {cores} cores, expected at least one pseudo-channel for each core.");

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void A_memory_that_only_refreshes_is_refused(int refi) => Refusal(timing => timing with { Refi = refi }).Should().StartWith($"timing.refi: found {refi}, expected a whole number from ");

    [Fact]
    public void A_row_that_closes_before_it_can_be_read_is_refused() => Refusal(timing => timing with { Ras = 1 }).Should().StartWith("timing.ras: found 1, expected a whole number from ");

    [Fact]
    public void Bank_groups_that_cannot_fill_the_bus_are_refused() => Refusal(timing => timing with { CcdLong = 1000 }).Should().StartWith("HBM3: found timing.ccdLong 1000, expected at most ");

    private static string Refusal(Func<DramTiming, DramTiming> change)
    {
        DramStandard standard = Core.Trn2.Memory.Standard;
        return Refusal(Core.Trn2 with { Memory = Core.Trn2.Memory with { Standard = standard with { Timing = change(standard.Timing) } } });
    }

    private static string Refusal(Accelerator machine) =>
        FluentActions.Invoking(() => Simulator.Run(new KernelBuilder(Core.Trn2, "empty").Build(), machine)).Should().Throw<ArgumentException>().Which.Message;
}
