using System.Collections.Immutable;
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

    private static Assumption Assumption(JsonSection item)
    {
        var assumption = new Assumption(item.Text("parameter"), item.Text("reason"));
        item.RefuseUnknownKeys();
        return assumption;
    }
}
