using System.Collections.Immutable;

namespace Systolic.Validation;

/// <summary>Classes of readings whose mean absolute error has a target.</summary>
internal static class GpuClasses
{
    public const string AmpereProducts = "products, tensor cores, A100";
    public const string HopperProducts = "products, tensor cores, H100 and H200";
    public const string VoltaProducts = "products, tensor cores, V100 and T4";
    public const string LaneProducts = "products, CUDA cores";
    public const string HostProducts = "products, host clock";
    public const string CrowdProducts = "products, crowd-sourced";
    public const string PackedProducts = "products, int8 on CUDA cores";
    public const string Attention = "attention";
    public const string UnfusedAttention = "attention without fusion";
    public const string OtherAttention = "attention of other kernels";
    public const string Rows = "softmax, norms, elementwise";
    public const string Streams = "memory reads and copies";
    public const string Latency = "memory latency";
    public const string Exchanges = "all-reduce";
    public const string Models = "layers and models";

    /// <summary>Targets in percent; classes without one are reported beside.</summary>
    public static ImmutableArray<(string Class, double? Percent)> Targets { get; } =
    [
        (AmpereProducts, 5), (HopperProducts, 7), (VoltaProducts, 10), (LaneProducts, 8), (Attention, 8), (Rows, 10), (Streams, 6), (Models, 8),
        (HostProducts, null), (CrowdProducts, null), (PackedProducts, null), (OtherAttention, null), (UnfusedAttention, null), (Latency, null), (Exchanges, null),
    ];
}
