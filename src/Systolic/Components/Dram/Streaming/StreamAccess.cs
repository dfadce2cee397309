namespace Systolic.Components;

/// <summary>Consecutive bursts that a streaming controller serves at once: they rotate over the bank groups of one row unit.</summary>
/// <param name="Unit">The same bank of every bank group; they are opened and closed together.</param>
/// <param name="Row">The row of all of them.</param>
/// <param name="FirstBurst">Position of the first burst; its remainder by the number of groups is its group.</param>
/// <param name="Bursts">Number of bursts.</param>
/// <param name="IsWrite">A write.</param>
internal readonly record struct StreamAccess(int Unit, int Row, int FirstBurst, int Bursts, bool IsWrite);
