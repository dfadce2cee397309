using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Machines;

/// <summary>Placeholder until the machines land.</summary>
public static class MachinePresets
{
    /// <summary>None yet.</summary>
    public static ImmutableArray<string> Names { get; } = [];

    /// <summary>None yet.</summary>
    public static IMachine Load(string nameOrPath) => throw new InvalidDocumentException($"{nameOrPath}: found no such machine, expected a preset or a machine file");

    /// <summary>None yet.</summary>
    public static string Json(string name) => throw new InvalidDocumentException($"{name}: found no such machine, expected a preset");
}
