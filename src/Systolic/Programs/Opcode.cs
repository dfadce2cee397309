namespace Systolic.Programs;

/// <summary>What an instruction does, in the vocabulary of the public kernel interface (NKI).</summary>
public enum Opcode : byte
{
    /// <summary>stationary[K,M] x moving[K,N] into PSUM, overwriting or accumulating.</summary>
    MatMul,

    /// <summary>Transpose through the array: data stationary, identity moving, result in PSUM.</summary>
    Transpose,

    /// <summary>Copy with optional cast.</summary>
    Copy,

    /// <summary>Fill with a constant.</summary>
    Memset,

    /// <summary>Two tensors element by element.</summary>
    TensorTensor,

    /// <summary>A tensor with one or two scalars (or a value per partition).</summary>
    TensorScalar,

    /// <summary>(tensor op scalar) op tensor.</summary>
    ScalarTensorTensor,

    /// <summary>Reduction along the free dimension.</summary>
    TensorReduce,

    /// <summary>Mean and variance pieces of up to 512 elements.</summary>
    BatchNormStats,

    /// <summary>Combines the pieces.</summary>
    BatchNormAggregate,

    /// <summary>1 / x on the vector engine.</summary>
    Reciprocal,

    /// <summary>Function table lookup: exp, gelu, silu, square, root, copy with scale.</summary>
    Activation,

    /// <summary>Activation that also accumulates along the free dimension.</summary>
    ActivationReduce,

    /// <summary>The eight largest values of each row.</summary>
    Max8,

    /// <summary>Positions of given values in each row.</summary>
    FindIndex8,

    /// <summary>Replaces the first occurrence of each of eight values.</summary>
    MatchReplace8,

    /// <summary>Recurrence along the free dimension: each result takes the one before.</summary>
    Scan,

    /// <summary>One of two tensors, element by element, as a predicate says.</summary>
    Select,

    /// <summary>A tensor with a scalar that is also reduced along the free dimension.</summary>
    TensorScalarReduce,

    /// <summary>Keeps the elements whose index lies within bounds of its partition, and reduces them.</summary>
    RangeSelect,

    /// <summary>Transposes squares of 32 x 32 elements.</summary>
    VectorTranspose,

    /// <summary>Numbers that grow with partition and element.</summary>
    Iota,

    /// <summary>Positions or masks generated from indices.</summary>
    AffineSelect,

    /// <summary>Main memory to scratchpad.</summary>
    Load,

    /// <summary>Main memory to scratchpad, transposed element by element on the way.</summary>
    LoadTransposed,

    /// <summary>Scratchpad to main memory.</summary>
    Store,

    /// <summary>Main memory to main memory.</summary>
    MemoryCopy,

    /// <summary>Main memory to scratchpad at addresses computed at run time.</summary>
    Gather,

    /// <summary>Scratchpad to main memory at addresses computed at run time.</summary>
    Scatter,

    /// <summary>Scratchpad to scratchpad.</summary>
    LocalCopy,

    /// <summary>Scratchpad to scratchpad, transposed element by element.</summary>
    LocalTranspose,

    /// <summary>Signal all cores and wait for their signals.</summary>
    Barrier,

    /// <summary>Main memory to main memory, several tensors added on the way.</summary>
    MemorySum,
}

/// <summary>What transfers do with main memory.</summary>
internal static class Opcodes
{
    /// <summary>It reads main memory.</summary>
    public static bool ReadsMemory(this Opcode opcode) => opcode is Opcode.Load or Opcode.LoadTransposed or Opcode.Gather or Opcode.MemoryCopy or Opcode.MemorySum;

    /// <summary>It writes main memory.</summary>
    public static bool WritesMemory(this Opcode opcode) => opcode is Opcode.Store or Opcode.Scatter or Opcode.MemoryCopy or Opcode.MemorySum;

    /// <summary>It reads and writes main memory.</summary>
    public static bool StaysInMemory(this Opcode opcode) => opcode is Opcode.MemoryCopy or Opcode.MemorySum;

    /// <summary>Its addresses are computed at run time.</summary>
    public static bool IsDynamic(this Opcode opcode) => opcode is Opcode.Gather or Opcode.Scatter;
}

/// <summary>The function of an <see cref="Opcode.Activation"/>; changing it reloads the engine's table.</summary>
public enum ActivationFunction : byte
{
    /// <summary>Copy or scale: in every table.</summary>
    Identity,

    /// <summary>Square: in every table.</summary>
    Square,

    /// <summary>Exponential.</summary>
    Exp,

    /// <summary>Reciprocal square root.</summary>
    Rsqrt,

    /// <summary>Gaussian error linear unit.</summary>
    Gelu,

    /// <summary>Sigmoid linear unit.</summary>
    Silu,

    /// <summary>Hyperbolic tangent.</summary>
    Tanh,

    /// <summary>Rectifier.</summary>
    Relu,

    /// <summary>Natural logarithm.</summary>
    Log,

    /// <summary>Derivative of the Gaussian error linear unit.</summary>
    GeluDerivative,

    /// <summary>Derivative of the sigmoid linear unit.</summary>
    SiluDerivative,

    /// <summary>Square root.</summary>
    Sqrt,
}
