using System.Collections.Immutable;
using System.Globalization;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>The type of a tensor.</summary>
/// <param name="Dimensions">Extents; empty for a scalar.</param>
/// <param name="Element">Element type; null for integers, truth values and what is no number.</param>
internal readonly record struct StableHloType(ImmutableArray<long> Dimensions, DataType? Element)
{
    /// <summary>Reads a type such as tensor&lt;8x16xf32&gt;; null when an extent is not a number.</summary>
    public static StableHloType? Parse(string text)
    {
        string[] parts = text["tensor<".Length..^1].Split(',')[0].Split('x');
        var extents = ImmutableArray.CreateBuilder<long>(parts.Length);
        foreach (string part in parts.Take(parts.Length - 1))
        {
            if (!long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long extent))
            {
                return null;
            }

            extents.Add(extent);
        }

        return new(extents.ToImmutable(), parts[^1] switch
        {
            "f32" or "f64" => DataType.Fp32,
            "f16" => DataType.Fp16,
            "bf16" => DataType.Bf16,
            "f8E4M3FN" or "f8E4M3" or "f8E4M3FNUZ" or "f8E4M3B11FNUZ" => DataType.Fp8E4M3,
            "f8E5M2" or "f8E5M2FNUZ" => DataType.Fp8E5M2,
            _ => null,
        });
    }
}
