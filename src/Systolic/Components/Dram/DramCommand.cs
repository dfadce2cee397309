namespace Systolic.Components;

/// <summary>What a memory controller sends to a device.</summary>
public enum DramCommand
{
    /// <summary>Opens a row (the first half of it where a standard splits the command).</summary>
    Activate,

    /// <summary>Closes the row of a bank.</summary>
    Precharge,

    /// <summary>Closes all rows of a pseudo-channel.</summary>
    PrechargeAll,

    /// <summary>Reads a burst.</summary>
    Read,

    /// <summary>Writes a burst.</summary>
    Write,

    /// <summary>Refreshes all banks of a pseudo-channel.</summary>
    RefreshAll,

    /// <summary>Refreshes one bank.</summary>
    RefreshBank,
}

/// <summary>The part of a channel in which a <see cref="DramConstraint"/> holds.</summary>
public enum DramScope
{
    /// <summary>All that shares the command bus.</summary>
    Channel,

    /// <summary>All that shares the data bus.</summary>
    PseudoChannel,

    /// <summary>The banks of a die in the stack.</summary>
    Stack,

    /// <summary>The other dies of the pseudo-channel.</summary>
    OtherStacks,

    /// <summary>The banks of a group.</summary>
    BankGroup,

    /// <summary>One bank.</summary>
    Bank,
}
