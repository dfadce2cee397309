namespace Systolic.Programs;

/// <summary>A wait for a stream's completion semaphore, which counts that stream's finished instructions.</summary>
/// <param name="Stream">Whose semaphore.</param>
/// <param name="AtLeast">The count to wait for.</param>
public readonly record struct SemaphoreWait(StreamId Stream, int AtLeast);
