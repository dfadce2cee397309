using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Tests.Accounting;

public sealed class WaitTests
{
    [Theory]
    [InlineData(WaitCause.Semaphore, "semaphore", true)]
    [InlineData(WaitCause.Queue, "queue", true)]
    [InlineData(WaitCause.DmaIssue, "dma issue", true)]
    [InlineData(WaitCause.MemoryLatency, "memory latency", true)]
    [InlineData(WaitCause.MemoryBandwidth, "memory bandwidth", true)]
    [InlineData(WaitCause.Exchange, "exchange", true)]
    [InlineData(WaitCause.DescriptorBlock, "descriptor block", false)]
    [InlineData(WaitCause.Array, "array", false)]
    [InlineData(WaitCause.ScratchpadPort, "scratchpad port", false)]
    [InlineData(WaitCause.AccumulatorBank, "PSUM bank", false)]
    [InlineData(WaitCause.FunctionTable, "function table", false)]
    public void A_cause_is_named_and_a_semaphore_ends_it_or_not(WaitCause cause, string label, bool signal)
    {
        var wait = new Wait(cause, new SimTime(5));

        wait.Reason.Should().Be(label);
        wait.IsSignal.Should().Be(signal);
        (wait.Track, wait.Name).Should().Be(("", ""));
    }

    [Fact]
    public void The_reason_names_what_was_waited_for() =>
        new Wait(WaitCause.MemoryBandwidth, new SimTime(5)) { Track = "dma weights", Name = "Load", Index = 3 }.Reason.Should().Be("dma weights Load #3, memory bandwidth");
}
