namespace Systolic.Accounting;

/// <summary>Everything that is counted because it costs energy. One count is one event or one byte, as the member says.</summary>
public enum ActivityKind
{
    /// <summary>One fp32 multiply-accumulate in a matrix unit.</summary>
    MacFp32,

    /// <summary>One tf32 multiply-accumulate, fp32 sum.</summary>
    MacTf32,

    /// <summary>One bf16 multiply-accumulate, fp32 sum.</summary>
    MacBf16,

    /// <summary>One fp16 multiply-accumulate, fp32 sum.</summary>
    MacFp16,

    /// <summary>One fp8 multiply-accumulate, fp32 sum.</summary>
    MacFp8,

    /// <summary>One int8 multiply-accumulate, int32 sum.</summary>
    MacInt8,

    /// <summary>One cell of a systolic array passing its operands on for one valid multiply-accumulate: registers and hop.</summary>
    PePipeline,

    /// <summary>One clocked cell of a systolic array for one column in which it has no valid operand.</summary>
    PeIdleCycle,

    /// <summary>One stationary element shifted into its cell.</summary>
    WeightLoad,

    /// <summary>One byte read from the software-managed scratchpad (SBUF).</summary>
    ScratchpadReadByte,

    /// <summary>One byte written to the software-managed scratchpad (SBUF).</summary>
    ScratchpadWriteByte,

    /// <summary>One byte read from the accumulator memory (PSUM).</summary>
    AccumulatorReadByte,

    /// <summary>One byte written to the accumulator memory (PSUM).</summary>
    AccumulatorWriteByte,

    /// <summary>One fp32 operation of one lane of a vector engine or one CUDA-core lane, arithmetic only.</summary>
    VectorOp,

    /// <summary>One exponential, root, logarithm or other table function of one lane.</summary>
    SpecialFunctionOp,

    /// <summary>Operand latches and sequencing of one lane operation in a wide vector engine.</summary>
    EngineLaneOverhead,

    /// <summary>Fetch, decode and dispatch of one engine instruction.</summary>
    EngineInstruction,

    /// <summary>One byte read from the cache that cores share: for a DMA engine, or to be written back.</summary>
    SharedCacheReadByte,

    /// <summary>One byte written to the cache that cores share: by a DMA engine, or fetched from main memory.</summary>
    SharedCacheWriteByte,

    /// <summary>One line looked up and found in the cache that cores share.</summary>
    SharedCacheHit,

    /// <summary>One line looked up and not found in the cache that cores share.</summary>
    SharedCacheMiss,

    /// <summary>One byte read from main memory, device, interface and controller.</summary>
    DramReadByte,

    /// <summary>One byte written to main memory, device, interface and controller.</summary>
    DramWriteByte,

    /// <summary>One byte carried between cores or chips.</summary>
    LinkByte,

    /// <summary>Fetch, decode, scheduling and operand delivery of one lane of one SIMT instruction.</summary>
    SimtLaneOverhead,

    /// <summary>Fetch, decode and issue of one warp-wide matrix instruction.</summary>
    SimtWarpIssue,

    /// <summary>Control and register operands of one multiply-accumulate in a tensor core.</summary>
    TensorCoreControl,

    /// <summary>One byte from shared memory or L1 to registers or tensor cores.</summary>
    SharedMemoryByte,

    /// <summary>One byte between L2 and a streaming multiprocessor, crossbar included.</summary>
    L2Byte,
}

/// <summary>Facts about each <see cref="ActivityKind"/>.</summary>
public static class ActivityKinds
{
    private static readonly string[] ComponentNames = CreateComponents();

    /// <summary>How many kinds there are.</summary>
    public static int Count => ComponentNames.Length;

    /// <summary>The component that spends the energy, as reports name it.</summary>
    public static string Component(this ActivityKind kind) => ComponentNames[(int)kind];

    private static string[] CreateComponents() =>
        [.. Enum.GetValues<ActivityKind>().Select(kind => kind switch
        {
            <= ActivityKind.MacInt8 => "matrix arithmetic",
            <= ActivityKind.WeightLoad => "systolic array",
            <= ActivityKind.ScratchpadWriteByte => "scratchpad",
            <= ActivityKind.AccumulatorWriteByte => "accumulator memory",
            <= ActivityKind.SpecialFunctionOp => "vector arithmetic",
            <= ActivityKind.EngineInstruction => "engine control",
            <= ActivityKind.SharedCacheMiss => "shared cache",
            <= ActivityKind.DramWriteByte => "main memory",
            ActivityKind.LinkByte => "links",
            <= ActivityKind.TensorCoreControl => "instruction and operand supply",
            ActivityKind.SharedMemoryByte => "shared memory",
            _ => "L2 cache",
        })];
}
