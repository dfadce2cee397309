namespace Systolic.Components;

/// <summary>A request that is done.</summary>
/// <param name="Tag">As given with the request.</param>
/// <param name="Tick">The tick in which its end is signalled; the one before its acceptance where Ramulator merges it with a waiting write.</param>
/// <param name="Latency">From the tick of its acceptance, as the tool counts whose policy this is.</param>
/// <param name="IsWrite">A write.</param>
internal readonly record struct DramCompletion(long Tag, long Tick, long Latency, bool IsWrite);
