namespace Systolic.Validation;

/// <summary>What a row should read, or why it cannot be told.</summary>
/// <param name="Class">The class of operators whose mean error has a target.</param>
internal sealed record GpuPrediction(string Class)
{
    /// <summary>Time on the device, in seconds.</summary>
    public double? Seconds { get; init; }

    /// <summary>Bytes per second.</summary>
    public double? Rate { get; init; }

    /// <summary>Why there is no prediction.</summary>
    public string? Refusal { get; init; }

    /// <summary>No prediction.</summary>
    public static GpuPrediction Refuse(string reason) => new("") { Refusal = reason };
}
