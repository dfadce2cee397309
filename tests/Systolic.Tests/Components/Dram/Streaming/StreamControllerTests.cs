using CsCheck;
using Systolic.Components;

namespace Systolic.Tests.Components.Dram;

public class StreamControllerTests
{
    private static readonly DramStandard[] Standards = [DramStandards.Hbm2, DramStandards.Hbm2E, DramStandards.Hbm3, DramStandards.Ddr4, DramStandards.Ddr5, DramStandards.Lpddr4, DramStandards.Lpddr5];

    private static readonly Gen<(int Standard, int LookAhead, int Writes, DramRefresh Refresh, (StreamAccess Access, long Tick)[] Arrivals)> Streams =
        from standard in Gen.Int[0, Standards.Length - 1]
        from lookAhead in Gen.Int[1, 12]
        from writes in Gen.Int[4, 24]
        from refresh in Gen.Enum<DramRefresh>()
        from units in Gen.Int[1, 8]
        from rows in Gen.Int[1, 3]
        from gap in Gen.Frequency((4, Gen.Int[0, 40]), (1, Gen.Int[100, 3000]))
        from accesses in Gen.Select(Gen.Int[0, 7], Gen.Int[0, 2], Gen.Int[0, 15], Gen.Int[1, 16], Gen.Int[0, 3], Gen.Int[0, 100]).Array[1, 120]
        select (standard, lookAhead, writes, refresh, Arrive(accesses, units, rows, gap, Standards[standard]));

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
    public void A_long_read_uses_the_bus_all_the_time_but_for_refreshes()
    {
        DramStandard standard = DramStandards.Hbm3;
        var controller = new StreamController(standard, 16, 32);
        const int Accesses = 100_000;
        long end = 0;
        for (int i = 0; i < Accesses; i++)
        {
            end = controller.Read(new StreamAccess(i / 8 % 8, i / 64 % 1000, 0, 16, false), 0);
        }

        double share = (double)Accesses * 16 * standard.Timing.Burst / end;
        double refresh = 1 - ((double)standard.Timing.Rfc / standard.Timing.Refi);
        share.Should().BeInRange(refresh - 0.03, refresh, "what is lost beside the refresh is closing and opening rows around it");
    }

    [Fact]
    public void Refreshes_of_single_banks_hide_behind_a_long_read_of_all()
    {
        DramStandard standard = DramStandards.Hbm3;
        var controller = new StreamController(standard, 16, 32, refresh: DramRefresh.PerBank);
        int units = new StreamUnits(standard).Count, rowAccesses = new StreamUnits(standard).RowBursts / 16;
        const int Accesses = 100_000;
        long end = 0;
        for (int i = 0; i < Accesses; i++)
        {
            end = controller.Read(new StreamAccess(i / rowAccesses % units, i / rowAccesses / units, i % rowAccesses * 16, 16, false), 0);
        }

        ((double)Accesses * 16 * standard.Timing.Burst / end).Should().BeGreaterThan(0.96, "of all banks at once they leave 0.91");
        controller.Counts.RefreshesAll.Should().Be(0);
        controller.Counts.RefreshesBank.Should().BeCloseTo(end / standard.Timing.RefiBank, 100, "every bank once an interval");
    }

    [Fact]
    public void Every_completion_is_that_of_the_stepped_rules() => Streams.Sample(
        stream =>
        {
            DramStandard standard = Standards[stream.Standard];
            var stepped = new SteppedStream(standard, stream.LookAhead, stream.Writes, stream.Refresh);
            stepped.Run(stream.Arrivals);
            var controller = new StreamController(standard, stream.LookAhead, stream.Writes, refresh: stream.Refresh);
            int writes = 0;
            for (int i = 0; i < stream.Arrivals.Length; i++)
            {
                (StreamAccess access, long tick) = stream.Arrivals[i];
                if (access.IsWrite)
                {
                    // The buffer has a place when the write that many before has been written.
                    long freed = writes < stream.Writes ? tick : stepped.Written[writes - stream.Writes];
                    controller.Write(access, tick).Should().Be(Math.Max(tick, freed), "of write {0} of {1}", writes++, standard.Name);
                }
                else
                {
                    controller.Read(access, tick).Should().Be(stepped.Reads[i], "of read {0} of {1}", i, standard.Name);
                }
            }

            controller.Counts.RefreshesAll.Should().BeCloseTo(stepped.Refreshes, 1);
        },
        iter: 300);

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
