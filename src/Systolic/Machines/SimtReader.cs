using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Simt;
using Systolic.Units;

namespace Systolic.Machines;

/// <summary>Reads a SIMT machine from its JSON file.</summary>
public static class SimtReader
{
    /// <summary>The value of the file's "kind".</summary>
    internal const string Kind = "simt";

    private const int Most = 1 << 24;

    /// <summary>Reads a machine.</summary>
    /// <param name="json">The file's text.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <exception cref="InvalidDocumentException">Malformed JSON, an unknown or missing key, a number without its unit, an impossible value: all of them at once.</exception>
    public static SimtMachine Read(string json, string file)
    {
        (JsonSection root, SimtSpec spec) = ReadParts(json, file);
        foreach ((string path, string problem) in SimtRules.Problems(spec))
        {
            root.Problem(path, problem);
        }

        root.RequirePrices("energy.nodeNanometres", spec.Energy);
        root.Finish();
        return new SimtMachine(spec);
    }

    /// <summary>As <see cref="Read"/>, without asking whether the parts fit each other.</summary>
    internal static (JsonSection Root, SimtSpec Spec) ReadParts(string json, string file)
    {
        ArgumentNullException.ThrowIfNull(json);
        JsonSection root = JsonSection.Parse(json, file);
        string kind = root.Text("kind");
        if (kind.Length > 0 && kind != Kind)
        {
            root.Problem("kind", $"found \"{kind}\", expected \"{Kind}\"");
        }

        SimtSpec spec = ReadSpec(root);
        root.RefuseUnknownKeys();
        root.Finish();
        return (root, spec);
    }

    private static SimtSpec ReadSpec(JsonSection root)
    {
        JsonSection clock = root.Open("clock");
        Frequency boost = clock.Clock("boost");
        Frequency maximum = clock.Clock("maximum");
        clock.RefuseUnknownKeys();
        root.Text("source");
        PowerCapSpec power = ReadPower(root.Open("power"));
        JsonSection energy = root.Open("energy");
        Frequency energyClock = energy.Has("clock") ? energy.Clock("clock") : power.Reference;
        ImmutableArray<Assumption> assumptions = root.Assumptions();
        return new SimtSpec
        {
            Name = root.Text("name"),
            Multiprocessors = Count(root, "multiprocessors"),
            BoostClock = boost,
            MaximumClock = maximum,
            Multiprocessor = ReadMultiprocessor(root.Open("multiprocessor")),
            TensorCores = ReadTensorCores(root.Open("tensorCores")),
            L2 = ReadL2(root.Open("l2")),
            Memory = ReadMemory(root.Open("memory")),
            Launch = ReadLaunch(root.Open("launch")),
            StreamK = root.Boolean("streamK", false),
            Power = power,
            Energy = ReadEnergy(energy, power.Cap, assumptions),
            PricedClock = energyClock,
            Area = root.Has("area") ? ReadArea(root.Section("area")) : null,
            Links = root.Links(),
            Assumptions = assumptions,
        };
    }

    private static MultiprocessorSpec ReadMultiprocessor(JsonSection section)
    {
        var spec = new MultiprocessorSpec
        {
            SubCores = Count(section, "subCores"),
            Fp32Lanes = Count(section, "fp32Lanes"),
            IntegerLanes = Count(section, "integerLanes"),
            SpecialFunctionLanes = Count(section, "specialFunctionLanes"),
            Registers = Count(section, "registers"),
            MaximumWarps = Count(section, "maximumWarps"),
            MaximumCtas = Count(section, "maximumCtas"),
            SharedMemory = section.Size("sharedMemory"),
            SharedMemoryPerCta = section.Size("sharedMemoryPerCta"),
            L1Capacity = section.Size("l1Capacity"),
            L1LatencyCycles = Count(section, "l1LatencyCycles"),
            SharedBytesPerCycle = Count(section, "sharedBytesPerCycle"),
            PortBytesPerCycle = Count(section, "portBytesPerCycle"),
        };
        section.RefuseUnknownKeys();
        return spec;
    }

    private static TensorCoreSpec ReadTensorCores(JsonSection section)
    {
        JsonSection rates = section.Section("macsPerCycle");
        var macs = ImmutableDictionary.CreateBuilder<DataType, int>();
        foreach (string key in rates.Keys.ToArray())
        {
            if (TypeOf(rates, key) is { } type)
            {
                macs[type] = Count(rates, key);
            }
        }

        JsonSection substitutes = section.Section("runsAs");
        var runsAs = ImmutableDictionary.CreateBuilder<DataType, DataType>();
        foreach (string key in substitutes.Keys.ToArray())
        {
            if (TypeOf(substitutes, key) is { } type)
            {
                runsAs[type] = substitutes.Quantity(key, DataTypes.Parse);
            }
        }

        MatrixInstruction instruction = section.Quantity("instruction", ParseInstruction);
        section.RefuseUnknownKeys();
        return new TensorCoreSpec(instruction, macs.ToImmutable(), runsAs.ToImmutable());
    }

    private static L2Spec ReadL2(JsonSection section)
    {
        var spec = new L2Spec(
            section.Capacity("capacity"),
            Count(section, "bytesPerCycle"),
            Count(section, "latencyCycles"),
            Count(section, "farLatencyCycles"),
            section.Number("residencyMidpoint", 0.01, 10),
            section.Number("residencySteepness", 1, 100));
        section.RefuseUnknownKeys();
        return spec;
    }

    private static DeviceMemorySpec ReadMemory(JsonSection section)
    {
        var spec = new DeviceMemorySpec(
            section.Capacity("capacity"),
            section.Rate("peak"),
            section.Number("sustainedShare", 0.01, 1),
            Count(section, "latencyCycles"),
            (int)section.Integer("streamingCycles", 0, Most),
            section.Number("turnaround", 0, 0.9));
        section.RefuseUnknownKeys();
        return spec;
    }

    private static LaunchSpec ReadLaunch(JsonSection section)
    {
        var spec = new LaunchSpec(
            section.Quantity("mode", ParseMode),
            section.Time("graph"),
            section.Time("stream"));
        section.RefuseUnknownKeys();
        return spec;
    }

    private static PowerCapSpec ReadPower(JsonSection section)
    {
        var spec = new PowerCapSpec(
            section.Watts("cap"),
            section.Watts("floor"),
            section.Watts("active"),
            section.Quantity("perByte", Energy.Parse),
            section.Quantity("perFlop", Energy.Parse),
            section.Clock("reference"));
        section.RefuseUnknownKeys();
        return spec;
    }

    private static AreaBreakdown ReadArea(JsonSection section)
    {
        AreaBreakdown area = AreaBreakdown.Die(section.Number("dieSquareMillimetres", 1, 1e5), section.Text("source"));
        section.RefuseUnknownKeys();
        return area;
    }

    private static EnergyModel ReadEnergy(JsonSection section, Power cap, ImmutableArray<Assumption> assumptions)
    {
        EnergyModel model = section.EnergyModel("nodeNanometres", Kind) with { Cap = cap };
        section.RefuseUnknownKeys();
        return model.MarkAssumed("energy", assumptions);
    }

    private static int Count(JsonSection section, string key) => (int)section.Integer(key, 1, Most);

    private static DataType? TypeOf(JsonSection section, string key)
    {
        try
        {
            return DataTypes.Parse(key);
        }
        catch (FormatException unknown)
        {
            section.Problem(key, unknown.Message);
            return null;
        }
    }

    private static MatrixInstruction ParseInstruction(string text) => text switch
    {
        "hmma" => MatrixInstruction.Hmma,
        "mma.sync" => MatrixInstruction.MmaSync,
        "wgmma" => MatrixInstruction.Wgmma,
        _ => throw new FormatException($"found \"{text}\", expected hmma, mma.sync or wgmma"),
    };

    private static LaunchMode ParseMode(string text) => text switch
    {
        "graph" => LaunchMode.Graph,
        "stream" => LaunchMode.Stream,
        _ => throw new FormatException($"found \"{text}\", expected graph or stream"),
    };
}
