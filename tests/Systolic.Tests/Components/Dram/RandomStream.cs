using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>Requests that provoke trouble, from a seed: few rows and banks, repeated bursts, mixed directions, bursts and pauses.</summary>
internal sealed class RandomStream(int seed, RandomStream.Shape shape)
{
    /// <summary>How the requests are drawn.</summary>
    /// <param name="Name">For messages.</param>
    /// <param name="Writes">Share of writes.</param>
    /// <param name="Spread">Different bursts.</param>
    /// <param name="Stride">Bytes between them in bursts.</param>
    /// <param name="Pause">Share of requests after a pause.</param>
    /// <param name="LongestPause">Ticks.</param>
    public sealed record Shape(string Name, double Writes, int Spread, int Stride, double Pause, int LongestPause);

    public static Shape[] Shapes { get; } =
    [
        new("dense reads", 0, 1 << 14, 1, 0, 1),
        new("few bursts again and again", 0.5, 24, 1, 0.3, 4),
        new("one bank, few rows", 0.4, 6, 1 << 10, 0.5, 40),
        new("mixed and scattered", 0.5, 1 << 18, 1, 0.2, 8),
        new("writes with pauses across refreshes", 0.9, 1 << 12, 3, 0.1, 3000),
        new("sparse reads", 0.1, 1 << 16, 5, 1, 120),
    ];

    /// <summary>Address, direction and ticks since the one before.</summary>
    public IEnumerable<(long Address, bool IsWrite, int Gap)> Take(DramDevice device, int count)
    {
        var random = new Random(seed);
        int burst = device.Standard.Organization.BurstBytes;
        for (int i = 0; i < count; i++)
        {
            long address = random.Next(shape.Spread) * (long)shape.Stride % device.Mapping.Bursts * burst;
            bool isWrite = random.NextDouble() < shape.Writes;
            yield return (address, isWrite, random.NextDouble() < shape.Pause ? random.Next(shape.LongestPause + 1) : 0);
        }
    }

    public override string ToString() => $"seed {seed}, {shape.Name}";
}
