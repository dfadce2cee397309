using CsCheck;
using Systolic.Components;

namespace Systolic.Tests.Components.Dram;

public class StreamControllerTests
{
    private static readonly DramStandard[] Standards = [DramStandards.Hbm2, DramStandards.Hbm2E, DramStandards.Hbm3, DramStandards.Ddr4, DramStandards.Ddr5, DramStandards.Lpddr4, DramStandards.Lpddr5];

    // With refreshes eight times as often as well, so that they meet each other and are put off to the limit.
    private static readonly DramStandard[] Refreshed = [.. Standards, .. Standards.Select(standard => standard with { Timing = standard.Timing with { Refi = standard.Timing.Refi / 8 } })];

    private static readonly Gen<(int Standard, int LookAhead, int Writes, (StreamAccess Access, long Tick)[] Arrivals)> Streams =
        from standard in Gen.Int[0, Refreshed.Length - 1]
        from lookAhead in Gen.Int[1, 12]
        from writes in Gen.Int[4, 24]
        from units in Gen.Int[1, 8]
        from rows in Gen.Int[1, 3]
        from gap in Gen.Frequency((4, Gen.Int[0, 40]), (1, Gen.Int[100, 3000]))
        from accesses in Gen.Select(Gen.Int[0, 7], Gen.Int[0, 2], Gen.Int[0, 15], Gen.Int[1, 16], Gen.Int[0, 3], Gen.Int[0, 100]).Array[1, 120]
        select (standard, lookAhead, writes, Arrive(accesses, units, rows, gap, Refreshed[standard]));

    /// <summary>HBM2: two groups, since twice 2 ticks cover CCDL = 4. Activate at 0 and 4; read 14 after each: 14, 18; the other fourteen bursts 2 apart: 20 to 46; 16 more to the end of the data.</summary>
    [Fact]
    public void A_cold_read_opens_a_row_in_two_groups()
    {
        var controller = new StreamController(DramStandards.Hbm2, 4, 8);

        controller.Read(new StreamAccess(0, 0, 0, 16, false), 0).Should().Be(46 + 14 + 2);
        controller.Read(new StreamAccess(0, 0, 0, 16, false), 0).Should().Be(46 + 32 + 14 + 2, "sixteen bursts of two ticks follow without a gap");
        controller.Counts.Should().Be(new DramCounts { Activates = 2, Reads = 32, RowMisses = 1, RowHits = 1 });
    }

    [Fact]
    public void A_long_read_uses_the_bus_all_the_time_but_for_refreshes_of_all_banks()
    {
        ShareOfBus(DramStandards.Hbm3).Should().BeInRange(0.99, 1, "single banks are refreshed behind the stream");
        DramStandard all = DramStandards.Hbm3 with { RefreshesBanks = false };
        double refresh = 1 - ((double)all.Timing.Rfc / all.Timing.Refi);
        ShareOfBus(all).Should().BeInRange(refresh - 0.03, refresh, "what is lost beside the refresh is closing and opening rows around it");
    }

    /// <summary>Sixteen units, refreshes due from 780 ticks on, 780 apart: the sixteenth of a round at 12,480, one interval of refreshes of all banks.</summary>
    [Fact]
    public void Every_unit_is_refreshed_once_in_a_round()
    {
        DramStandard standard = DramStandards.Hbm3;
        var controller = new StreamController(standard, 16, 32);
        for (int round = 1; round <= 3; round++)
        {
            controller.Read(new StreamAccess(round % 2, 0, 0, 1, false), (long)round * standard.Timing.Refi);
            controller.Counts.RefreshesBank.Should().Be(round * standard.Organization.BanksPerPseudoChannel);
        }
    }

    [Fact]
    public void Every_completion_is_that_of_the_stepped_rules() => Streams.Sample(
        stream => EqualsStepped(Refreshed[stream.Standard], stream.LookAhead, stream.Writes, stream.Arrivals), iter: 300);

    /// <summary>All accesses wait for one unit, so its refresh is put off until it is eight intervals late; then a pause of some rounds.</summary>
    [Fact]
    public void A_refresh_that_every_access_keeps_away_comes_when_it_is_overdue()
    {
        foreach (DramStandard standard in Refreshed)
        {
            int busy = 16 * standard.Timing.Refi / standard.Timing.Rc;
            long pause = 40L * standard.Timing.Refi;
            EqualsStepped(standard, 4, 8, [.. Enumerable.Range(0, busy + 8).Select(i => (new StreamAccess(0, i % 2, 0, 4, false), i < busy ? 0 : pause))]);
        }
    }

    /// <summary>Whole rows of four accesses, in all units in turn.</summary>
    private static double ShareOfBus(DramStandard standard)
    {
        const int Accesses = 100_000;
        var controller = new StreamController(standard, 16, 32);
        long end = 0;
        for (int i = 0; i < Accesses; i++)
        {
            end = controller.Read(new StreamAccess(i / 4 % controller.Units.Count, i / 64 % 1000, i % 4 * 16, 16, false), 0);
        }

        return (double)Accesses * 16 * standard.Timing.Burst / end;
    }

    private static void EqualsStepped(DramStandard standard, int lookAhead, int writeBuffer, (StreamAccess Access, long Tick)[] arrivals)
    {
        var stepped = new SteppedStream(standard, lookAhead, writeBuffer);
        stepped.Run(arrivals);
        var controller = new StreamController(standard, lookAhead, writeBuffer);
        int writes = 0;
        for (int i = 0; i < arrivals.Length; i++)
        {
            (StreamAccess access, long tick) = arrivals[i];
            if (access.IsWrite)
            {
                // The buffer has a place when the write that many before has been written.
                long freed = writes < writeBuffer ? tick : stepped.Written[writes - writeBuffer];
                controller.Write(access, tick).Should().Be(Math.Max(tick, freed), "of write {0} of {1}", writes++, standard.Name);
            }
            else
            {
                controller.Read(access, tick).Should().Be(stepped.Reads[i], "of read {0} of {1}", i, standard.Name);
            }
        }

        (controller.Counts.RefreshesAll + (controller.Counts.RefreshesBank / controller.Units.Groups)).Should().Be(stepped.Refreshes);
    }

    private static (StreamAccess, long)[] Arrive((int Unit, int Row, int First, int Bursts, int Write, int Wait)[] accesses, int units, int rows, int gap, DramStandard standard)
    {
        long tick = 0;
        var arrivals = new (StreamAccess, long)[accesses.Length];
        for (int i = 0; i < accesses.Length; i++)
        {
            (int unit, int row, int first, int bursts, int write, int wait) = accesses[i];
            tick += (long)gap * wait / 100;
            arrivals[i] = (new StreamAccess(unit % units % new StreamUnits(standard).Count, row % rows, first, bursts, write == 0), tick);
        }

        return arrivals;
    }
}
