namespace Systolic.Programs;

/// <summary>The instruction streams of a core: one per engine and one per DMA queue. Each runs in order; only semaphores order them among each other.</summary>
public enum StreamId : byte
{
    /// <summary>The systolic array's sequencer (TensorE).</summary>
    Tensor,

    /// <summary>The vector engine (VectorE): two-operand arithmetic and reductions.</summary>
    Vector,

    /// <summary>The scalar engine (ScalarE): one-operand functions.</summary>
    Scalar,

    /// <summary>The general-purpose SIMD engine (GpSimdE).</summary>
    GpSimd,

    /// <summary>DMA queue for operands that change least often, such as weights: nothing that an operator before computes, for it would hold up what is behind it.</summary>
    QueueWeights,

    /// <summary>DMA queue for activations.</summary>
    QueueActivations,

    /// <summary>DMA queue for small operands: parameters, statistics, indices.</summary>
    QueueSmall,

    /// <summary>DMA queue for results.</summary>
    QueueStores,

    /// <summary>DMA queue for transposes and copies within the core.</summary>
    QueueLocal,

    /// <summary>Exchange of signals with other cores.</summary>
    Exchange,
}

/// <summary>Facts about each <see cref="StreamId"/>.</summary>
public static class Streams
{
    /// <summary>How many streams a core has.</summary>
    public const int Count = (int)StreamId.Exchange + 1;

    /// <summary>The stream feeds the DMA engines.</summary>
    public static bool IsQueue(this StreamId stream) => stream is >= StreamId.QueueWeights and <= StreamId.QueueLocal;

    /// <summary>The name in traces and reports.</summary>
    public static string Label(this StreamId stream) => Labels[(int)stream];

    /// <summary>The stream of that name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    internal static StreamId Of(string label) => Array.IndexOf(Labels, label) is var index and >= 0 ? (StreamId)index : throw new ArgumentOutOfRangeException(nameof(label), label, "Not a stream.");

    private static readonly string[] Labels =
        ["tensor", "vector", "scalar", "gpsimd", "dma weights", "dma activations", "dma small", "dma stores", "dma local", "exchange"];
}
