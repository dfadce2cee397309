using Systolic.Units;

namespace Systolic.Simt;

/// <summary>The cache shared by all multiprocessors.</summary>
/// <param name="Capacity">Bytes held.</param>
/// <param name="BytesPerCycle">Bytes read per SM clock cycle by all multiprocessors together, as measured.</param>
/// <param name="LatencyCycles">One dependent load that finds its line in the partition at hand, in SM cycles.</param>
/// <param name="FarLatencyCycles">One that finds it in the other partition; the same where there is one partition.</param>
/// <param name="ResidencyMidpoint">Footprint, in capacities, of which half is found again when it is used a second time.</param>
/// <param name="ResidencySteepness">How sharply reuse falls around the midpoint: hit = 1 / (1 + (x / midpoint)^steepness).</param>
public sealed record L2Spec(Bytes Capacity, int BytesPerCycle, int LatencyCycles, int FarLatencyCycles, double ResidencyMidpoint, double ResidencySteepness)
{
    /// <summary>A load that any multiprocessor's write left in one of the partitions.</summary>
    internal double MeanLatencyCycles => 0.5 * (LatencyCycles + FarLatencyCycles);

    /// <summary>What a partition holds when lines of the other one that all multiprocessors read are kept twice.</summary>
    internal double SharedCapacity => Capacity.Value * (FarLatencyCycles > LatencyCycles ? 2.0 / 3 : 1);

    /// <summary>Share of a footprint still cached from the kernel before.</summary>
    internal double Resident(double footprint) => Hits(footprint / Capacity.Value, ResidencyMidpoint, ResidencySteepness);

    /// <summary>Share of a footprint that a cache finds again: half at the midpoint, falling around it as the steepness says.</summary>
    internal static double Hits(double footprint, double midpoint, double steepness) => 1 / (1 + Math.Pow(footprint / midpoint, steepness));
}
