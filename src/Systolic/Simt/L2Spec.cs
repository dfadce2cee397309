using Systolic.Units;

namespace Systolic.Simt;

/// <summary>The cache shared by all multiprocessors.</summary>
/// <param name="Capacity">Bytes held.</param>
/// <param name="BytesPerCycle">Bytes read per SM clock cycle by all multiprocessors together, as measured.</param>
/// <param name="ResidencyMidpoint">Footprint, in capacities, of which half is found again when it is used a second time.</param>
/// <param name="ResidencySteepness">How sharply reuse falls around the midpoint: hit = 1 / (1 + (x / midpoint)^steepness).</param>
public sealed record L2Spec(Bytes Capacity, int BytesPerCycle, double ResidencyMidpoint, double ResidencySteepness)
{
    /// <summary>Share of a footprint still cached from the kernel before.</summary>
    internal double Resident(double footprint) =>
        1 / (1 + Math.Pow(footprint / Capacity.Value / ResidencyMidpoint, ResidencySteepness));
}
