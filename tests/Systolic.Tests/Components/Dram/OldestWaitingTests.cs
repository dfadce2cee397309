using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>The request that a message names when nothing can be served any more.</summary>
public class OldestWaitingTests
{
    [Theory]
    [InlineData(DramFidelity.Fast)]
    [InlineData(DramFidelity.Reference)]
    public void Bank_queues_name_the_oldest_read_wherever_it_waits(DramFidelity fidelity)
    {
        IDramChannel channel = Channel(DramPolicy.Dramsim3, fidelity);
        channel.OldestWaiting.Should().BeNull();

        channel.TryEnqueue(640, 3, 1, true, 0, 0).Should().BeTrue();
        channel.OldestWaiting.Should().BeNull("a write is answered at once");
        channel.TryEnqueue(128, 2, 5, false, 1, 0).Should().BeTrue();
        channel.Execute(0);
        channel.TryEnqueue(64, 1, 7, false, 2, 1).Should().BeTrue();
        channel.OldestWaiting.Should().Be("read of address 128 (bank 2, row 5), accepted in tick 0", "it waits in the queue of its bank");
        for (long tick = 1; tick < 16; tick++)
        {
            channel.Execute(tick);
        }

        // Activated in tick 1, read in tick 15.
        channel.OldestWaiting.Should().Be("read of address 64 (bank 1, row 7), accepted in tick 1");
    }

    [Theory]
    [InlineData(DramFidelity.Fast)]
    [InlineData(DramFidelity.Reference)]
    public void First_ready_names_the_oldest_request_of_either_kind(DramFidelity fidelity)
    {
        IDramChannel channel = Channel(DramPolicy.Ramulator2, fidelity);
        channel.OldestWaiting.Should().BeNull();

        channel.TryEnqueue(64, 1, 7, false, 1, 2).Should().BeTrue();
        channel.OldestWaiting.Should().Be("read of address 64 (bank 1, row 7), accepted in tick 2");
        channel.TryEnqueue(128, 2, 5, true, 2, 1).Should().BeTrue();
        channel.OldestWaiting.Should().Be("write of address 128 (bank 2, row 5), accepted in tick 1");
    }

    private static IDramChannel Channel(DramPolicy policy, DramFidelity fidelity) => DramChannels.Create(new DramDevice(DramStandards.Hbm2Legacy, 1, "fine", policy), fidelity)[0];
}
