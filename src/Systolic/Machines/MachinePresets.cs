using System.Collections.Immutable;
using System.Reflection;
using Systolic.Hardware;
using Systolic.Units;

namespace Systolic.Machines;

/// <summary>The machines that ship with the package, each a JSON file in the format that users write.</summary>
public static class MachinePresets
{
    private const string Prefix = "Machines/";
    private const string Suffix = ".json";
    private static readonly Assembly Package = typeof(MachinePresets).Assembly;

    /// <summary>Names of the presets, sorted.</summary>
    public static ImmutableArray<string> Names { get; } =
        [.. Package.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..^Suffix.Length])
            .Order(StringComparer.Ordinal)];

    /// <summary>The JSON of preset <paramref name="name"/>: a file to start from.</summary>
    /// <exception cref="InvalidDocumentException">There is no such preset.</exception>
    public static string Json(string name)
    {
        using System.IO.Stream? stream = Package.GetManifestResourceStream(Prefix + name + Suffix);
        if (stream is null)
        {
            throw new InvalidDocumentException($"machine: found \"{name}\", expected one of: {string.Join(", ", Names)}");
        }

        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>The hardware configuration of systolic preset <paramref name="name"/>, to vary with <c>with</c>.</summary>
    /// <exception cref="InvalidDocumentException">There is no such preset, or it is no systolic machine.</exception>
    public static Accelerator Accelerator(string name) => AcceleratorReader.Read(Json(name), name + Suffix);
}
