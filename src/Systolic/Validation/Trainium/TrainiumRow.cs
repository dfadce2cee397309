using System.Collections.Immutable;
using System.Globalization;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>A published measurement of a kernel on a Trainium chip.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="Device">The device in words, such as "Trn2 (NeuronCore-v3)".</param>
/// <param name="Cores">Cores that share the work; 0 where the file does not say.</param>
/// <param name="Workload">The kernel in words.</param>
/// <param name="Shapes">Sizes and options in words, such as "M=4096 K=8192".</param>
/// <param name="Type">Element types in words.</param>
/// <param name="Metric">What was measured.</param>
/// <param name="Value">The figure.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Notes">Remarks of the source.</param>
internal sealed record TrainiumRow(string Id, string Device, int Cores, string Workload, string Shapes, string Type, string Metric, double Value, string Unit, string Notes)
{
    private static readonly ImmutableArray<(string Unit, double Femtoseconds)> TimeUnits = [("ns", 1e6), ("us", 1e9), ("ms", 1e12), ("s", 1e15)];

    private readonly Dictionary<string, string> _sizes = Shapes.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(word => word.Split('=', 2)).Where(pair => pair.Length == 2).GroupBy(pair => pair[0]).ToDictionary(pair => pair.Key, pair => pair.First()[1]);

    /// <summary>The chip: "inf2", "trn1", "trn2" or "trn3".</summary>
    public string Chip => Device.Split(' ')[0] is var first && first == "Inferentia2" ? "inf2" : first.ToLowerInvariant();

    /// <summary>The device is an instance, not a core: collectives and host are part of the figure.</summary>
    public bool IsWholeModel => !Device.Contains("NeuronCore", StringComparison.Ordinal);

    /// <summary>The figure bounds what was measured from above: a kernel at or below it satisfies it.</summary>
    public bool IsUpperBound => Metric.Contains("upper bound", StringComparison.Ordinal) || Metric.Contains("threshold", StringComparison.Ordinal) || Metric.Contains("extra-credit", StringComparison.Ordinal);

    /// <summary>The whole number behind "<paramref name="name"/>=" among the shapes, or <paramref name="otherwise"/>.</summary>
    public int Size(string name, int otherwise) => TrySize(name) ?? otherwise;

    /// <summary>The whole number behind "<paramref name="name"/>=" among the shapes.</summary>
    /// <exception cref="FormatException">There is none.</exception>
    public int Size(string name) => TrySize(name) ?? throw new FormatException($"{Id}: found the shapes \"{Shapes}\", expected {name}= with a whole number.");

    /// <summary>The text behind "<paramref name="name"/>=" among the shapes; null where it is missing.</summary>
    public string? Text(string name) => _sizes.GetValueOrDefault(name);

    /// <summary>The element type that the row begins its types with, or <paramref name="otherwise"/>.</summary>
    public DataType ElementType(DataType otherwise) => Type.Split(' ', '/')[0] switch { "fp32" => DataType.Fp32, "bf16" => DataType.Bf16, "fp16" => DataType.Fp16, _ => otherwise };

    /// <summary>A duration in the unit of the row; null when that is not a unit of time.</summary>
    public double? InUnit(SimTime time)
    {
        double scale = TimeUnits.FirstOrDefault(unit => unit.Unit == Unit).Femtoseconds;
        return scale == 0 ? null : time.Value / scale;
    }

    private int? TrySize(string name) =>
        _sizes.TryGetValue(name, out string? text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int size) ? size : null;
}
