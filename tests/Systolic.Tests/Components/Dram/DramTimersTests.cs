using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>The timers that are written out for speed, beside the readiness that follows from the rows of constraints alone.</summary>
public class DramTimersTests
{
    private static readonly DramCommand[] Commands =
        [DramCommand.Activate, DramCommand.Precharge, DramCommand.Read, DramCommand.Write, DramCommand.PrechargeAll, DramCommand.RefreshAll, DramCommand.RefreshBank];

    public static TheoryData<int> Standards { get; } = [.. Enumerable.Range(0, DramStandards.All.Length)];

    [Theory]
    [MemberData(nameof(Standards))]
    public void After_any_commands_each_bank_is_ready_for_each_command_from_the_tick_that_the_rows_say(int index)
    {
        DramStandard standard = DramStandards.All[index];
        int banks = standard.Organization.TotalBanks;
        for (int seed = 0; seed < 6; seed++)
        {
            (var random, var timers, var rows, long tick) = (new Random(seed), new DramTimers(standard), new DramReadiness(standard), 0L);
            for (int step = 0; step < 60; step++)
            {
                (DramCommand command, int bank) = (Commands[random.Next(Commands.Length)], random.Next(4) == 0 ? random.Next(banks) : random.Next(Math.Min(banks, 6)));
                tick = Math.Max(tick, At(timers, command, bank)) + random.Next(3);
                Issue(timers, command, bank, tick);
                rows.Issue(command, bank, tick);
                foreach (DramCommand next in Commands)
                {
                    for (int other = 0; other < banks; other++)
                    {
                        long ready = Math.Max(tick, At(timers, next, other));
                        rows.IsReady(next, other, ready).Should().BeTrue("{0} of bank {1} in tick {2}, after {3} of bank {4} in {5}", next, other, ready, command, bank, tick);
                        (ready > tick && rows.IsReady(next, other, ready - 1)).Should().BeFalse("{0} of bank {1} in tick {2}, after {3} of bank {4} in {5}", next, other, ready - 1, command, bank, tick);
                    }
                }

                SetsAgree(timers, standard, tick + random.Next(40));
            }
        }
    }

    [Fact]
    public void The_fifth_activate_waits_for_the_window_of_the_first()
    {
        // HBM2 of one bus: activates of other groups 4 ticks apart, at most four in 30.
        var timers = new DramTimers(DramStandards.Hbm2Legacy);
        long[] at = new long[6];
        for (int i = 0; i < at.Length; i++)
        {
            int bank = i % 4 * 4 + i / 4;
            at[i] = timers.ActivateAt(bank);
            timers.Activate(bank, at[i]);
        }

        at.Should().Equal(0, 4, 8, 12, 30, 34);
    }

    private static long At(DramTimers timers, DramCommand command, int bank) => command switch
    {
        DramCommand.Activate => timers.ActivateAt(bank),
        DramCommand.Read => timers.ReadAt(bank),
        DramCommand.Write => timers.WriteAt(bank),
        _ => timers.MaintenanceAt(command, bank),
    };

    private static void Issue(DramTimers timers, DramCommand command, int bank, long tick)
    {
        switch (command)
        {
            case DramCommand.Activate:
                timers.Activate(bank, tick);
                break;
            case DramCommand.Read:
                timers.Read(bank, tick);
                break;
            case DramCommand.Write:
                timers.Write(bank, tick);
                break;
            default:
                timers.Maintain(command, bank, tick);
                break;
        }
    }

    /// <summary>Banks on free buses are those whose bus has no later tick.</summary>
    private static void SetsAgree(DramTimers timers, DramStandard standard, long tick)
    {
        int each = standard.Organization.BanksPerPseudoChannel, banks = standard.Organization.TotalBanks;
        ulong all = banks == 64 ? ulong.MaxValue : (1UL << banks) - 1, some = all & 0x5A3C_96F0_5A3C_96F3;
        timers.MayRead(some, tick).Should().Be(Free(timers.BusRead));
        timers.MayWrite(some, tick).Should().Be(Free(timers.BusWrite));
        timers.MayActivate(some, tick).Should().Be(Free(timers.BusActivate));
        timers.MayPrecharge(some, tick).Should().Be(Free(timers.BusPrecharge));

        ulong Free(Func<int, long> from)
        {
            ulong free = 0;
            for (int bank = 0; bank < banks; bank++)
            {
                free |= from(bank / each) <= tick ? some & (1UL << bank) : 0;
            }

            return free;
        }
    }
}
