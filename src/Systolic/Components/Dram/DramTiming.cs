namespace Systolic.Components;

/// <summary>The timing table of a device, in ticks; names as in the JEDEC standards, without the t or n.</summary>
public sealed record DramTiming
{
    /// <summary>The data bus is busy with a burst.</summary>
    public required int Burst { get; init; }

    /// <summary>Read command to first data.</summary>
    public required int Cl { get; init; }

    /// <summary>Write command to first data.</summary>
    public required int Cwl { get; init; }

    /// <summary>Activate to read.</summary>
    public required int RcdRead { get; init; }

    /// <summary>Activate to write.</summary>
    public required int RcdWrite { get; init; }

    /// <summary>Precharge to activate.</summary>
    public required int Rp { get; init; }

    /// <summary>Precharge of all banks to activate.</summary>
    public required int RpAll { get; init; }

    /// <summary>Activate to precharge.</summary>
    public required int Ras { get; init; }

    /// <summary>Activate to activate of the same bank.</summary>
    public required int Rc { get; init; }

    /// <summary>Column command to column command of another bank group.</summary>
    public required int CcdShort { get; init; }

    /// <summary>Read to read of the same bank group.</summary>
    public required int CcdLong { get; init; }

    /// <summary>Write to write of the same bank group.</summary>
    public required int CcdLongWrite { get; init; }

    /// <summary>Read to read of another die.</summary>
    public required int CcdStack { get; init; }

    /// <summary>Write to write of another die; 0 where there is no such rule.</summary>
    public int CcdStackWrite { get; init; }

    /// <summary>Activate to activate of another bank group.</summary>
    public required int RrdShort { get; init; }

    /// <summary>Activate to activate of the same bank group.</summary>
    public required int RrdLong { get; init; }

    /// <summary>Window that holds at most four activates.</summary>
    public required int Faw { get; init; }

    /// <summary>Read command to write command.</summary>
    public required int ReadToWrite { get; init; }

    /// <summary>End of written data to read of another bank group.</summary>
    public required int WtrShort { get; init; }

    /// <summary>End of written data to read of the same bank group.</summary>
    public required int WtrLong { get; init; }

    /// <summary>End of written data to precharge.</summary>
    public required int Wr { get; init; }

    /// <summary>Read command to precharge.</summary>
    public required int Rtp { get; init; }

    /// <summary>Precharge to precharge; 0 where there is no such rule.</summary>
    public int Ppd { get; init; }

    /// <summary>Refresh of all banks.</summary>
    public required int Rfc { get; init; }

    /// <summary>Refresh of one bank.</summary>
    public required int RfcBank { get; init; }

    /// <summary>Refresh of one bank to activate of another.</summary>
    public int Rrefd { get; init; }

    /// <summary>Refresh of one bank to refresh of another; 0 where there is no such rule.</summary>
    public int RefreshBankSpacing { get; init; }

    /// <summary>Between two refreshes of all banks.</summary>
    public required int Refi { get; init; }

    /// <summary>Between two refreshes of one bank.</summary>
    public required int RefiBank { get; init; }

    /// <summary>Write command to precharge.</summary>
    public int WriteToPrecharge => Cwl + Burst + Wr;

    /// <summary>Read command to the end of its data.</summary>
    public int ReadLatency => Cl + Burst;
}
