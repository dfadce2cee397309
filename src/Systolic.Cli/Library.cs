using System.Collections.Immutable;
using Systolic.Machines;
using Systolic.Workloads;

namespace Systolic.Cli;

/// <summary>Where commands find machines and models.</summary>
internal sealed record Library
{
    /// <summary>The presets of the Systolic package, and files.</summary>
    public static Library Shipped { get; } = new()
    {
        MachineNames = [.. MachinePresets.Names],
        LoadMachine = MachinePresets.Load,
        MachineJson = MachinePresets.Json,
        ModelNames = [.. ModelPresets.Names],
        LoadModel = ModelPresets.Load,
        ModelJson = ModelPresets.Json,
    };

    /// <summary>Names of the machine presets.</summary>
    public required ImmutableArray<string> MachineNames { get; init; }

    /// <summary>A machine by preset name or path.</summary>
    public required Func<string, IMachine> LoadMachine { get; init; }

    /// <summary>The file of a machine preset.</summary>
    public required Func<string, string> MachineJson { get; init; }

    /// <summary>Names of the model presets.</summary>
    public required ImmutableArray<string> ModelNames { get; init; }

    /// <summary>A model by preset name or path.</summary>
    public required Func<string, ModelShape> LoadModel { get; init; }

    /// <summary>The file of a model preset.</summary>
    public required Func<string, string> ModelJson { get; init; }
}
