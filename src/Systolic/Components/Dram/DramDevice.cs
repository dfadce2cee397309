using System.Globalization;
using System.Numerics;

namespace Systolic.Components;

/// <summary>A memory: devices, channels, address mapping and the policy of its controllers.</summary>
public sealed record DramDevice
{
    private const int MaximumBanks = 64;
    private const int MaximumChannels = 1024;
    private const int MaximumQueue = 1 << 20;

    /// <summary>Checks and composes.</summary>
    /// <param name="standard">The device of a channel.</param>
    /// <param name="channels">Channels, a power of two.</param>
    /// <param name="mapping">As <see cref="DramMapping.Parse"/> takes it.</param>
    /// <param name="policy">Of every channel.</param>
    /// <exception cref="ArgumentException">Something is impossible; the message names it.</exception>
    public DramDevice(DramStandard standard, int channels, string mapping, DramPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(standard);
        ArgumentNullException.ThrowIfNull(policy);
        (Standard, Channels, Policy) = (standard, channels, policy);
        PowerOfTwo("channels", channels, MaximumChannels);
        Check(standard);
        CheckPolicy(policy);
        Mapping = DramMapping.Parse(mapping, standard, channels);
    }

    /// <summary>The device of a channel.</summary>
    public DramStandard Standard { get; }

    /// <summary>Channels, each with its own controller.</summary>
    public int Channels { get; }

    /// <summary>Where addresses are.</summary>
    public DramMapping Mapping { get; }

    /// <summary>How the controllers work.</summary>
    public DramPolicy Policy { get; }

    /// <summary>Bytes per second of all data buses.</summary>
    public double PeakBytesPerSecond => Channels * Standard.ChannelBytesPerSecond;

    /// <summary>Refuses a device that cannot be.</summary>
    /// <exception cref="ArgumentException">Organization or timing is impossible; the message names the field.</exception>
    internal static void Check(DramStandard standard)
    {
        CheckOrganization(standard.Organization);
        CheckTiming(standard);
    }

    private static void CheckOrganization(DramOrganization parts)
    {
        PowerOfTwo("organization.pseudoChannels", parts.PseudoChannels, MaximumBanks);
        PowerOfTwo("organization.stacks", parts.Stacks, MaximumBanks);
        PowerOfTwo("organization.bankGroups", parts.BankGroups, MaximumBanks);
        PowerOfTwo("organization.banks", parts.Banks, MaximumBanks);
        PowerOfTwo("organization.rows", parts.Rows, 1 << 30);
        PowerOfTwo("organization.rowBursts", parts.RowBursts, 1 << 16);
        PowerOfTwo("organization.burstBytes", parts.BurstBytes, 1 << 16);
        Between("organization: banks of a channel", parts.TotalBanks, 1, MaximumBanks);
    }

    private static void CheckTiming(DramStandard standard)
    {
        const int Longest = 1 << 28;
        DramTiming timing = standard.Timing;
        if (!(standard.TickPicoseconds > 0) || double.IsInfinity(standard.TickPicoseconds))
        {
            throw Refused("tickPicoseconds", standard.TickPicoseconds, "a time above 0");
        }

        Between("bus.activateTicks", standard.Bus.ActivateTicks, 1, timing.RrdShort);
        Between("bus.columnTicks", standard.Bus.ColumnTicks, 1, timing.Burst);
        Between("timing.burst", timing.Burst, 1, Longest);
        Between("timing.cl", timing.Cl, 1, Longest);
        Between("timing.cwl", timing.Cwl, 0, Longest);
        Between("timing.rcdRead", timing.RcdRead, standard.Bus.ColumnTicks, Longest);
        Between("timing.rcdWrite", timing.RcdWrite, standard.Bus.ColumnTicks, Longest);
        Between("timing.rp", timing.Rp, standard.Bus.ActivateTicks, Longest);
        Between("timing.rpAll", timing.RpAll, standard.Bus.ActivateTicks, Longest);
        Between("timing.ras", timing.Ras, Math.Max(timing.RcdRead, timing.RcdWrite), Longest);
        Between("timing.rc", timing.Rc, timing.Ras, Longest);
        Between("timing.ccdShort", timing.CcdShort, 1, Longest);
        Between("timing.ccdLong", timing.CcdLong, timing.CcdShort, Longest);
        Between("timing.ccdLongWrite", timing.CcdLongWrite, timing.CcdShort, Longest);
        Between("timing.ccdStack", timing.CcdStack, 1, Longest);
        Between("timing.ccdStackWrite", timing.CcdStackWrite, 0, Longest);
        Between("timing.rrdShort", timing.RrdShort, 1, Longest);
        Between("timing.rrdLong", timing.RrdLong, timing.RrdShort, Longest);
        Between("timing.faw", timing.Faw, timing.RrdShort, Longest);
        Between("timing.readToWrite", timing.ReadToWrite, 1, Longest);
        Between("timing.wtrShort", timing.WtrShort, 0, Longest);
        Between("timing.wtrLong", timing.WtrLong, timing.WtrShort, Longest);
        Between("timing.wr", timing.Wr, 0, Longest);
        Between("timing.rtp", timing.Rtp, 1, Longest);
        Between("timing.ppd", timing.Ppd, 0, Longest);
        Between("timing.rrefd", timing.Rrefd, 0, Longest);
        Between("timing.refreshBankSpacing", timing.RefreshBankSpacing, 0, Longest);
        Between("timing.rfc", timing.Rfc, 1, Longest);
        Between("timing.rfcBank", timing.RfcBank, 1, Longest);
        Between("timing.refi", timing.Refi, timing.Rfc + 1, Longest);
        Between("timing.refiBank", timing.RefiBank, 1, Longest);
    }

    private static void CheckPolicy(DramPolicy policy)
    {
        Between("policy.readQueue", policy.ReadQueue, 1, MaximumQueue);
        Between("policy.writeQueue", policy.WriteQueue, 1, MaximumQueue);
        Between("policy.bankQueue", policy.BankQueue, 1, MaximumQueue);
        Between("policy.idleWrites", policy.IdleWrites, 0, MaximumQueue);
        Between("policy.rowHitCap", policy.RowHitCap, 1, MaximumQueue);
        if (!(policy.HighWatermark is > 0 and <= 1))
        {
            throw Refused("policy.highWatermark", policy.HighWatermark, "a share above 0, at most 1");
        }

        if (!(policy.LowWatermark >= 0 && policy.LowWatermark <= policy.HighWatermark))
        {
            throw Refused("policy.lowWatermark", policy.LowWatermark, "a share from 0 to the high watermark");
        }
    }

    private static void Between(string field, int found, int minimum, int maximum)
    {
        if (found < minimum || found > maximum)
        {
            throw Refused(field, found, string.Create(CultureInfo.InvariantCulture, $"a whole number from {minimum} to {maximum}"));
        }
    }

    private static void PowerOfTwo(string field, int found, int maximum)
    {
        if (found < 1 || found > maximum || !BitOperations.IsPow2(found))
        {
            throw Refused(field, found, string.Create(CultureInfo.InvariantCulture, $"a power of two from 1 to {maximum}"));
        }
    }

    private static ArgumentException Refused(string field, double found, string expected) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{field}: found {found}, expected {expected}."));
}
