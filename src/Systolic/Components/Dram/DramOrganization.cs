namespace Systolic.Components;

/// <summary>The parts of one channel.</summary>
/// <param name="PseudoChannels">Data buses behind the command bus.</param>
/// <param name="Stacks">Dies (stack ids) that share a data bus.</param>
/// <param name="BankGroups">Bank groups of a die.</param>
/// <param name="Banks">Banks of a group.</param>
/// <param name="Rows">Rows of a bank.</param>
/// <param name="RowBursts">Bursts of a row.</param>
/// <param name="BurstBytes">Bytes of a burst.</param>
public sealed record DramOrganization(int PseudoChannels, int Stacks, int BankGroups, int Banks, int Rows, int RowBursts, int BurstBytes)
{
    /// <summary>Banks behind a data bus.</summary>
    public int BanksPerPseudoChannel => Stacks * BankGroups * Banks;

    /// <summary>Banks of the channel.</summary>
    public int TotalBanks => PseudoChannels * BanksPerPseudoChannel;

    /// <summary>Bytes of the channel.</summary>
    public long CapacityBytes => (long)TotalBanks * Rows * RowBursts * BurstBytes;
}
