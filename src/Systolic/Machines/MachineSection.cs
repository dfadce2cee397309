using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Machines;

/// <summary>What the machine files of both kinds have in common.</summary>
internal static class MachineSection
{
    /// <summary>The object at <paramref name="key"/>, which must name its source.</summary>
    public static JsonSection Open(this JsonSection root, string key)
    {
        JsonSection section = root.Section(key);
        section.Text("source");
        return section;
    }

    /// <summary>The list of assumed parameters.</summary>
    public static ImmutableArray<Assumption> Assumptions(this JsonSection root) => [.. root.Sections("assumed").Select(Assumption)];

    /// <summary>Node and powers. The memory's background must not exceed the idle power that contains it.</summary>
    public static EnergyModel EnergyModel(this JsonSection section, string nodeKey, string machineClass)
    {
        Power idle = section.Watts("idle"), background = section.Has("memoryBackground") ? section.Watts("memoryBackground") : Power.Zero;
        if (background > idle)
        {
            section.Problem("memoryBackground", $"found {background}, expected at most idle, {idle}, of which it is a part");
        }

        return new EnergyModel((int)section.Integer(nodeKey, 1, 1000), machineClass, idle, section.Watts("active"))
        {
            MemoryBackground = background,
            Gating = section.Has("gating") ? Gating(section.Open("gating")) : null,
        };
    }

    /// <summary>Marks the powers that the file's list calls assumed.</summary>
    public static EnergyModel MarkAssumed(this EnergyModel model, string section, ImmutableArray<Assumption> assumptions) => model with
    {
        IdleIsAssumed = assumptions.Any(assumption => assumption.Parameter == section + ".idle"),
        ActiveIsAssumed = assumptions.Any(assumption => assumption.Parameter == section + ".active"),
    };

    /// <summary>Links to other chips, from the innermost level; null without any.</summary>
    public static LinkFabric? Links(this JsonSection root)
    {
        if (!root.HasOptional("links"))
        {
            return null;
        }

        JsonSection section = root.Open("links");
        ImmutableArray<LinkLevel> levels = [.. section.Sections("levels").Select(Level)];
        section.RefuseUnknownKeys();
        if (levels.IsEmpty || levels.Zip(levels.Skip(1)).Any(pair => pair.First.Chips >= pair.Second.Chips))
        {
            section.Problem("levels", $"found levels of {string.Join(", ", levels.Select(level => level.Chips))} chips, expected at least one, each with more chips than the one before");
        }

        return new LinkFabric(levels);
    }

    private static LinkLevel Level(JsonSection section)
    {
        int links = (int)section.Integer("links", 1, 1024);
        var level = new LinkLevel
        {
            Name = section.Text("name"),
            Topology = section.Quantity("topology", Topology),
            Chips = (int)section.Integer("chips", 2, 1 << 24),
            Links = links,
            Rings = (int)section.Integer("rings", 1, Math.Max(1, links), Math.Max(1, links)),
            Bandwidth = section.Rate("bandwidth"),
            Latency = section.Time("latency"),
            SustainedShare = section.Number("sustainedShare", 0.01, 1, 1),
            Short = section.HasOptional("shortMessages") ? Short(section.Section("shortMessages")) : null,
        };
        section.RefuseUnknownKeys();
        return level;
    }

    private static ShortMessages Short(JsonSection section)
    {
        var messages = new ShortMessages(section.Time("latency"), section.Number("sustainedShare", 0.001, 1));
        section.RefuseUnknownKeys();
        return messages;
    }

    private static LinkTopology Topology(string text) => text switch
    {
        "ring" => LinkTopology.Ring,
        "torus" => LinkTopology.Torus,
        "switch" => LinkTopology.Switch,
        _ => throw new FormatException($"found \"{text}\", expected ring, torus or switch"),
    };

    private static EngineGating Gating(JsonSection section)
    {
        var gating = new EngineGating(section.Number("clockShare", 0, 1), section.Number("powerShare", 0, 1));
        section.RefuseUnknownKeys();
        return gating;
    }

    private static Assumption Assumption(JsonSection item)
    {
        var assumption = new Assumption(item.Text("parameter"), item.Text("reason"));
        item.RefuseUnknownKeys();
        return assumption;
    }
}
