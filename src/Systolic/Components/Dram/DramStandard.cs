using System.Collections.Immutable;
using System.Globalization;

namespace Systolic.Components;

/// <summary>A kind of memory device: organisation, timing, command bus.</summary>
/// <param name="Name">The standard, such as "HBM2".</param>
/// <param name="Source">Where the table comes from.</param>
/// <param name="GigabitsPerPin">Data rate of a pin, Gb/s.</param>
/// <param name="TickPicoseconds">Length of a tick.</param>
/// <param name="Organization">One channel.</param>
/// <param name="Timing">In ticks.</param>
/// <param name="Bus">How commands reach it.</param>
public sealed record DramStandard(
    string Name, string Source, double GigabitsPerPin, double TickPicoseconds, DramOrganization Organization, DramTiming Timing, DramCommandBus Bus)
{
    private const double MaximumScaling = 10;

    /// <summary>The address fields from the least significant one up, where a row is contiguous.</summary>
    public string CoarseMapping { get; init; } = "co ch pc sid bg ba ro";

    /// <summary>The address fields from the least significant one up, where bursts rotate over channels, data buses and bank groups.</summary>
    public string FineMapping { get; init; } = "ch pc bg co ba sid ro";

    /// <summary>Refreshes of one bank come for all pseudo-channels together (HBM2E, HBM3) instead of in turn.</summary>
    public bool RefreshesPseudoChannelsTogether { get; init; }

    /// <summary>Banks can be refreshed one at a time while the others work (HBM, LPDDR).</summary>
    public bool RefreshesBanks { get; init; }

    /// <summary>The rows of constraints.</summary>
    public ImmutableArray<DramConstraint> Constraints => DramConstraints.Of(Timing, Bus);

    /// <summary>Bytes per second of a channel when its data buses are never idle.</summary>
    public double ChannelBytesPerSecond => Organization.PseudoChannels * Organization.BurstBytes / (Timing.Burst * TickPicoseconds * 1e-12);

    /// <summary>The same device at another data rate: times stay, so their ticks change, rounded up; what the standard counts in clocks stays.</summary>
    /// <param name="gigabitsPerPin">New data rate of a pin, Gb/s.</param>
    /// <remarks>The JEDEC families keep times in nanoseconds nearly constant over their speed grades; the derived table is an approximation.</remarks>
    /// <exception cref="ArgumentException">The rate is not from a tenth to ten times the present one.</exception>
    public DramStandard AtDataRate(double gigabitsPerPin)
    {
        double factor = gigabitsPerPin / GigabitsPerPin;
        if (!(factor is >= 1.0 / MaximumScaling and <= MaximumScaling))
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"data rate: found {gigabitsPerPin} Gb/s per pin, expected one from {GigabitsPerPin / MaximumScaling} to {GigabitsPerPin * MaximumScaling} for {Name}."));
        }

        int Scaled(int ticks) => (int)Math.Ceiling(ticks * factor - 1e-9);
        DramTiming t = Timing;
        return this with
        {
            GigabitsPerPin = gigabitsPerPin,
            TickPicoseconds = TickPicoseconds / factor,
            Timing = t with
            {
                Cl = Scaled(t.Cl),
                Cwl = Scaled(t.Cwl),
                RcdRead = Scaled(t.RcdRead),
                RcdWrite = Scaled(t.RcdWrite),
                Rp = Scaled(t.Rp),
                RpAll = Scaled(t.RpAll),
                Ras = Scaled(t.Ras),
                Rc = Scaled(t.Rc),
                RrdShort = Scaled(t.RrdShort),
                RrdLong = Scaled(t.RrdLong),
                Faw = Scaled(t.Faw),
                ReadToWrite = Scaled(t.Cl) - Scaled(t.Cwl) + t.ReadToWrite - t.Cl + t.Cwl,
                WtrShort = Scaled(t.WtrShort),
                WtrLong = Scaled(t.WtrLong),
                Wr = Scaled(t.Wr),
                Rtp = Scaled(t.Rtp),
                Rfc = Scaled(t.Rfc),
                RfcBank = Scaled(t.RfcBank),
                Rrefd = Scaled(t.Rrefd),
                RefreshBankSpacing = Scaled(t.RefreshBankSpacing),
                Refi = Scaled(t.Refi),
                RefiBank = Scaled(t.RefiBank),
            },
        };
    }
}
