using Systolic.Units;

namespace Systolic.Components;

/// <summary>An array that was idle starts below its rate, so that the supply follows (Trainium2 and 3; profiler guide, Neuron 2.32: near half, full after about 3 us of work).</summary>
/// <param name="InitialShare">Share of the rate after a pause.</param>
/// <param name="Ramp">Time of work after which the rate is full, and of idling after which it is the initial one.</param>
public sealed record ThrottleSpec(double InitialShare, SimTime Ramp);
