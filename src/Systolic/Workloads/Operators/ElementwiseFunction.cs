namespace Systolic.Workloads;

/// <summary>Functions applied element by element.</summary>
public enum ElementwiseFunction
{
    /// <summary>a + b: residuals, positions, sums of gradients.</summary>
    Add,

    /// <summary>a * b.</summary>
    Multiply,

    /// <summary>max(a, 0).</summary>
    Relu,

    /// <summary>Gaussian error linear unit.</summary>
    Gelu,

    /// <summary>a * sigmoid(a).</summary>
    Silu,

    /// <summary>Hyperbolic tangent.</summary>
    Tanh,

    /// <summary>relu(a) * b.</summary>
    GatedRelu,

    /// <summary>gelu(a) * b.</summary>
    GatedGelu,

    /// <summary>silu(a) * b.</summary>
    GatedSilu,
}
