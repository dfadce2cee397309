using Systolic.Units;

namespace Systolic.Simt;

/// <summary>How kernels are handed to the GPU.</summary>
public enum LaunchMode
{
    /// <summary>Recorded once as a CUDA graph and replayed.</summary>
    Graph,

    /// <summary>Queued one by one on a stream.</summary>
    Stream,
}

/// <summary>What a kernel costs to start behind another.</summary>
/// <param name="Mode">Which of the two costs every kernel pays.</param>
/// <param name="Graph">From kernel to kernel inside a CUDA graph.</param>
/// <param name="Stream">From kernel to kernel queued on a stream.</param>
public sealed record LaunchSpec(LaunchMode Mode, SimTime Graph, SimTime Stream)
{
    /// <summary>The cost in force.</summary>
    public SimTime Cost => Mode == LaunchMode.Graph ? Graph : Stream;
}
