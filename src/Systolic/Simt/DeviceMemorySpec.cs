using Systolic.Units;

namespace Systolic.Simt;

/// <summary>Main memory of the GPU.</summary>
/// <param name="Capacity">Bytes held.</param>
/// <param name="Peak">Pin bandwidth.</param>
/// <param name="SustainedShare">Share of the pin bandwidth that a long pure read reaches.</param>
/// <param name="LatencyCycles">One dependent load that misses L2, in SM cycles.</param>
/// <param name="StreamingCycles">What the latency of a load grows by when the memory is streaming, in SM cycles.</param>
/// <param name="Turnaround">Share of the bandwidth lost to turning the bus around when as much is written as read.</param>
public sealed record DeviceMemorySpec(Bytes Capacity, Bandwidth Peak, double SustainedShare, int LatencyCycles, int StreamingCycles, double Turnaround)
{
    /// <summary>Seconds of a long mixed stream: losses grow with the product of the shares read and written.</summary>
    internal double Seconds(double read, double written)
    {
        double moved = read + written;
        return moved == 0 ? 0 : moved / (Sustained * (1 - (Turnaround * 4 * read * written / (moved * moved))));
    }

    /// <summary>Bytes per second of a long read.</summary>
    internal double Sustained => Peak.BytesPerSecond * SustainedShare;
}
