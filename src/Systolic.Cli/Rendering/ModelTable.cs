using Spectre.Console;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Cli.Rendering;

/// <summary>The table of `systolic model list`.</summary>
internal static class ModelTable
{
    /// <summary>Draws a line per model.</summary>
    public static void Show(IAnsiConsole console, IEnumerable<ModelShape> models)
    {
        var table = new TextTable(new("model", true), new("parameters"), new("layers"), new("hidden"), new("heads"), new("vocabulary"), new("type"));
        foreach (ModelShape model in models)
        {
            table.Add(
                model.Name, Text.Short(model.Parameters), Text.Count(model.Layers), Text.Count(model.Hidden),
                FormattableString.Invariant($"{model.QueryHeads}/{model.KvHeads}"), Text.Count(model.Vocabulary), model.Type.Label());
        }

        table.Draw(console);
    }
}
