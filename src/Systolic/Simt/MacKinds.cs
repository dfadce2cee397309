using Systolic.Accounting;
using Systolic.Numerics;

namespace Systolic.Simt;

/// <summary>Which activity one multiply-accumulate of a type is.</summary>
internal static class MacKinds
{
    public static ActivityKind Of(DataType type) => type switch
    {
        DataType.Fp32 => ActivityKind.MacFp32,
        DataType.Tf32 => ActivityKind.MacTf32,
        DataType.Bf16 => ActivityKind.MacBf16,
        DataType.Fp16 => ActivityKind.MacFp16,
        DataType.Int8 => ActivityKind.MacInt8,
        _ => ActivityKind.MacFp8,
    };
}
