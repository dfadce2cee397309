namespace Systolic.Components;

/// <summary>The banks of a pseudo-channel that a streaming controller opens together: the same bank of as few groups as keep the data bus busy in turn.</summary>
internal sealed class StreamUnits
{
    private readonly int _sets;
    private readonly int _perStack;

    /// <exception cref="ArgumentException">Not even all groups keep the bus busy.</exception>
    public StreamUnits(DramStandard standard)
    {
        (DramOrganization parts, DramTiming timing) = (standard.Organization, standard.Timing);
        int spacing = Math.Max(timing.Burst, timing.CcdShort), sameGroup = Math.Max(timing.CcdLong, timing.CcdLongWrite);
        Groups = 1;
        while (Groups * spacing < sameGroup || parts.BankGroups % Groups != 0)
        {
            if (++Groups > parts.BankGroups)
            {
                throw new ArgumentException($"{standard.Name}: found timing.ccdLong {sameGroup}, expected at most {parts.BankGroups * spacing}, the time of a burst from each bank group; such a device cannot be streamed from.");
            }
        }

        _sets = parts.BankGroups / Groups;
        _perStack = parts.Banks * _sets;
        Count = parts.Stacks * _perStack;
        RowBursts = Groups * parts.RowBursts;
        RowBytes = RowBursts * parts.BurstBytes;
    }

    /// <summary>Groups, and so banks, of a unit.</summary>
    public int Groups { get; }

    /// <summary>Units of a pseudo-channel.</summary>
    public int Count { get; }

    /// <summary>Bursts that a unit holds open; the last one closes the row.</summary>
    public int RowBursts { get; }

    /// <summary>Bytes that a unit holds open.</summary>
    public int RowBytes { get; }

    /// <summary>The first group of a unit; the others follow.</summary>
    public int FirstGroup(int unit) => unit % _sets * Groups;

    /// <summary>The die of a unit.</summary>
    public int Stack(int unit) => unit / _perStack;
}
