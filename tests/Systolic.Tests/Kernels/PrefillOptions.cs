using CsCheck;
using Systolic.Kernels;
using Systolic.Numerics;

namespace Systolic.Tests.Kernels;

/// <summary>Prefill attention with random options: masks, prior keys, sinks, layouts, types.</summary>
internal static class PrefillOptions
{
    public static readonly Gen<PrefillAttention> Random =
        from kvHeads in Gen.Int[1, 2]
        from sharing in Gen.Int[1, 2]
        from queries in Gen.Int[1, 400]
        from more in Gen.Int[0, 900]
        from dimension in OneOf(16, 64, 127, 128)
        from prior in OneOf(0, 1, 100, 700)
        from causal in Gen.Bool
        from window in OneOf(0, 0, 1, 100, 128, 200, 600)
        from flags in Gen.Bool.Array[5]
        from type in OneOf(DataType.Bf16, DataType.Fp16, DataType.Fp32)
        select new PrefillAttention
        {
            Heads = kvHeads * sharing,
            KvHeads = kvHeads,
            Queries = queries,
            Keys = queries + more,
            HeadDim = dimension,
            PriorKeys = prior,
            Causal = causal || window > 0 || flags[0],
            Window = window,
            QueriesAnywhere = flags[0],
            Sink = flags[1],
            QueriesByToken = flags[2],
            KeysByToken = flags[3],
            OutputByToken = flags[4],
            Type = type,
        };

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
