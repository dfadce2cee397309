namespace Systolic.Numerics;

/// <summary>How one element is stored and multiplied.</summary>
public enum DataType : byte
{
    /// <summary>IEEE binary32.</summary>
    Fp32,

    /// <summary>8-bit exponent, 10-bit fraction, stored in 32 bits.</summary>
    Tf32,

    /// <summary>8-bit exponent, 7-bit fraction.</summary>
    Bf16,

    /// <summary>IEEE binary16.</summary>
    Fp16,

    /// <summary>OCP 8-bit float, 4-bit exponent, 3-bit fraction, no infinity.</summary>
    Fp8E4M3,

    /// <summary>OCP 8-bit float, 5-bit exponent, 2-bit fraction.</summary>
    Fp8E5M2,

    /// <summary>8-bit two's complement integer.</summary>
    Int8,

    /// <summary>32-bit two's complement integer: indices and integer sums.</summary>
    Int32,
}

/// <summary>Facts about each <see cref="DataType"/>.</summary>
public static class DataTypes
{
    /// <summary>Stored bytes per element.</summary>
    public static int ByteSize(this DataType type) => type switch
    {
        DataType.Fp32 or DataType.Tf32 or DataType.Int32 => 4,
        DataType.Bf16 or DataType.Fp16 => 2,
        _ => 1,
    };

    /// <summary>The lower-case name used in files and reports, such as "bf16".</summary>
    public static string Label(this DataType type) => type switch
    {
        DataType.Fp8E4M3 => "fp8e4m3",
        DataType.Fp8E5M2 => "fp8e5m2",
        _ => type.ToString().ToLowerInvariant(),
    };

    /// <summary>Reads a name as written by <see cref="Label"/>, or as Hugging Face files write it ("bfloat16").</summary>
    /// <exception cref="FormatException">The name is unknown.</exception>
    public static DataType Parse(string name) => name switch
    {
        "fp32" or "float32" => DataType.Fp32,
        "tf32" => DataType.Tf32,
        "bf16" or "bfloat16" => DataType.Bf16,
        "fp16" or "float16" => DataType.Fp16,
        "fp8" or "fp8e4m3" or "float8_e4m3fn" => DataType.Fp8E4M3,
        "fp8e5m2" or "float8_e5m2" => DataType.Fp8E5M2,
        "int8" => DataType.Int8,
        "int32" => DataType.Int32,
        _ => throw new FormatException($"found \"{name}\", expected a data type: fp32, tf32, bf16, fp16, fp8e4m3, fp8e5m2, int8 or int32"),
    };
}
