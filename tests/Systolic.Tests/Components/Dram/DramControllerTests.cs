using Systolic.Components;

namespace Systolic.Tests.Components;

public class DramControllerTests
{
    [Fact]
    public void A_full_queue_refuses_until_an_event_makes_room()
    {
        DramController memory = Memory();
        int accepted = 0;
        while (memory.TryEnqueue(accepted * 64L, false, accepted, 0))
        {
            accepted++;
        }

        accepted.Should().Be(32);
        memory.TryEnqueue(32 * 64, false, 32, 0).Should().BeFalse();

        // Tick 0 moves the first read into the queue of its bank.
        memory.NextEvent.Should().Be(0);
        memory.AdvanceTo(1);
        memory.TryEnqueue(32 * 64, false, 32, 1).Should().BeTrue();
    }

    [Fact]
    public void Completions_come_in_the_order_of_ticks_with_their_tags()
    {
        DramController memory = Memory();
        memory.TryEnqueue(0, false, 7, 0).Should().BeTrue();
        memory.TryEnqueue(64, true, 8, 0).Should().BeTrue();

        memory.AdvanceTo(31);
        memory.TryTake(out DramCompletion write).Should().BeTrue();
        memory.TryTake(out _).Should().BeFalse();
        memory.AdvanceTo(32);
        memory.TryTake(out DramCompletion read).Should().BeTrue();

        // A write is acknowledged in the next tick; a cold read takes 1 + 14 + 14 + 2.
        write.Should().Be(new DramCompletion(8, 1, 1, true));
        read.Should().Be(new DramCompletion(7, 31, 31, false));
        memory.Outstanding.Should().Be(0);
    }

    [Fact]
    public void A_read_of_a_waiting_write_needs_no_command()
    {
        DramController memory = Memory();
        memory.TryEnqueue(0, true, 1, 0).Should().BeTrue();
        memory.TryEnqueue(0, false, 2, 0).Should().BeTrue();

        memory.AdvanceTo(10);

        memory.Counts.Should().Be(new DramCounts { Merged = 1 });
        memory.TryTake(out _).Should().BeTrue();
        memory.TryTake(out DramCompletion read).Should().BeTrue();
        read.Should().Be(new DramCompletion(2, 1, 1, false));
    }

    [Fact]
    public void A_request_that_is_no_burst_or_outside_or_in_the_past_is_refused()
    {
        DramController memory = Memory();
        memory.AdvanceTo(5);

        Refused(() => memory.TryEnqueue(3, false, 0, 5)).Should().Contain("address: found 3, expected a multiple of the burst of 64 bytes");
        Refused(() => memory.TryEnqueue(1L << 40, false, 0, 5)).Should().Contain("address: found 1099511627776, expected one from 0 to ");
        Refused(() => memory.TryEnqueue(0, false, 0, 4)).Should().Contain("tick");
    }

    private static DramController Memory() => new(new DramDevice(DramStandards.Hbm2Legacy, 1, "fine", DramPolicy.Dramsim3));

    private static string Refused(Action act) => act.Should().Throw<ArgumentOutOfRangeException>().Which.Message;
}
