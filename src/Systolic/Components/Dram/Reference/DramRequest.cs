using System.Globalization;

namespace Systolic.Components;

/// <summary>A request in a stepped controller.</summary>
internal sealed class DramRequest(long address, int bank, int row, bool isWrite, long tag, long tick)
{
    /// <summary>Its address.</summary>
    public long Address => address;

    /// <summary>The bank of the channel.</summary>
    public int Bank => bank;

    /// <summary>The row of the bank.</summary>
    public int Row => row;

    /// <summary>A write.</summary>
    public bool IsWrite => isWrite;

    /// <summary>Comes back with the completion.</summary>
    public long Tag => tag;

    /// <summary>The tick of its acceptance.</summary>
    public long Accepted => tick;

    /// <summary>It counts among row hits, misses or conflicts already.</summary>
    public bool IsCounted { get; set; }

    /// <summary>The latest tick for the second half of its activate.</summary>
    public long Deadline { get; set; }

    /// <summary>The command that transfers its data.</summary>
    public DramCommand Access => IsWrite ? DramCommand.Write : DramCommand.Read;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(IsWrite ? "write" : "read")} of address {Address} (bank {Bank}, row {Row}), accepted in tick {Accepted}");
}
