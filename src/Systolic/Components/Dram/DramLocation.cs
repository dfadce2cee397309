namespace Systolic.Components;

/// <summary>Where a burst is.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Bank">The bank of the channel, counted over pseudo-channels, dies, groups and banks, the last fastest.</param>
/// <param name="Row">The row of the bank.</param>
/// <param name="Column">The burst of the row.</param>
public readonly record struct DramLocation(int Channel, int Bank, int Row, int Column);
