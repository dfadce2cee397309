namespace Systolic.Simt;

/// <summary>A stretch in which compute and memory overlap in part, divided between the two for the cycle stack.</summary>
/// <param name="Total">How long it took.</param>
/// <param name="Compute">How long compute alone would take.</param>
/// <param name="Memory">How long memory alone would take.</param>
/// <remarks>The longer of the two keeps its whole time, the other gets what the overlap left exposed.</remarks>
internal readonly record struct JoinedTime(double Total, double Compute, double Memory)
{
    /// <summary>Time charged to memory.</summary>
    public double MemoryPart => Memory > Compute ? Memory : Total - Compute;

    /// <summary>Share of every compute second that is charged.</summary>
    public double ComputeScale => Memory > Compute ? (Total - Memory) / Compute : 1;
}
