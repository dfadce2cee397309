using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Workloads;

namespace Systolic.Tests.Machines;

/// <summary>The SIMT presets as they are embedded in the library.</summary>
internal static class SimtPresets
{
    public static readonly string[] Names = ["v100", "a100-40gb", "a100-80gb", "h100", "h200", "t4", "l4"];

    private static readonly Dictionary<string, SimtMachine> Machines = Names.ToDictionary(name => name, name => SimtReader.Read(Json(name), name + ".json"));

    public static SimtMachine Load(string name) => Machines[name];

    /// <summary>One operator on a preset.</summary>
    public static OperatorRun Run(string name, Operator op) => Load(name).Run(OperatorGraph.Of(op)).Trace.Operators[0];

    public static string Json(string name)
    {
        using Stream stream = typeof(SimtReader).Assembly.GetManifestResourceStream($"Machines/{name}.json")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
