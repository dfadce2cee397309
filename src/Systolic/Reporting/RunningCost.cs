using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>What a chip and its energy cost, in any currency.</summary>
/// <param name="PerChipHour">Price of a chip for an hour; 0 without one.</param>
/// <param name="PerKilowattHour">Price of energy; 0 without one.</param>
public sealed record RunningCost(double PerChipHour, double PerKilowattHour)
{
    /// <summary>The cost of one chip that works so long on so much energy.</summary>
    public double Of(SimTime time, Energy energy) => Of(time.Seconds / 3600, energy.Joules / 3.6e6);

    /// <summary>The cost of chip hours and kilowatt hours.</summary>
    public double Of(double chipHours, double kilowattHours) => (PerChipHour * chipHours) + (PerKilowattHour * kilowattHours);
}
