using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Systolic.Hardware;
using Systolic.Machines;
using Systolic.Simt;
using Systolic.Units;

namespace Systolic.Tests.Docs;

/// <summary>docs/machine-format.md lists the keys that the readers know, with what they expect: asked of the readers by files with one mistake each.</summary>
public sealed partial class MachineFormatTests
{
    private const string Page = "docs/machine-format.md";
    private const string Wrong = "?";

    /// <summary>Keys whose property has another name.</summary>
    private static readonly Dictionary<string, string> Properties = new()
    {
        ["assumed"] = "Assumptions",
        ["boost"] = "BoostClock",
        ["maximum"] = "MaximumClock",
        ["neverTogether"] = "Exclusions",
        ["node"] = "NodeNanometres",
        ["power"] = "Energy",
    };

    /// <summary>Keys without a property.</summary>
    private static readonly Dictionary<string, string> Meanings = new()
    {
        ["kind"] = "Which reader the file is for.",
        ["description"] = "A line about the machine.",
        ["source"] = "Where the values come from.",
        ["clock"] = "Clocks; in `energy`, the one at which the energy rows hold.",
        ["neverTogetherWhenFast"] = "As neverTogether, only while the vector engine takes several elements a cycle.",
        ["dieSquareMillimetres"] = "Published area of the die.",
    };

    /// <summary>What no shipped machine has.</summary>
    private const string Optional = """
        {
          "kind": "systolic",
          "tensorEngine": { "throttle": { "source": "", "initialShare": 0.5, "ramp": "10 us" } },
          "sharedCache": { "source": "", "capacity": "64 MiB", "line": "256 B", "ways": 16, "banks": 32, "bandwidth": "6 TB/s", "latency": "150 ns" },
          "power": { "gating": { "source": "", "clockShare": 0.5, "powerShare": 0.5 } }
        }
        """;

    private const string OptionalSimt = """{ "kind": "simt", "streamK": true }""";

    private static readonly Dictionary<string, XElement> Documentation =
        XDocument.Load(Path.ChangeExtension(typeof(Bytes).Assembly.Location, "xml")).Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Index();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [Theory]
    [InlineData("systolic", "trn2", typeof(Accelerator))]
    [InlineData("simt", "h100", typeof(SimtSpec))]
    public void The_page_lists_the_keys_of_the_reader(string kind, string example, Type specification)
    {
        JsonObject whole = Whole(kind, example);
        string expected = "| key | value | such as | meaning |\n| -- | -- | -- | -- |\n"
            + string.Concat(Rows(whole, whole, "", specification).Select(row => row + "\n"));

        Pages.MustBe(Page, kind, expected);
    }

    /// <summary>A file with every key that any shipped machine of the kind has, with the values of the example where it has them.</summary>
    private static JsonObject Whole(string kind, string example)
    {
        JsonObject whole = Parse(MachinePresets.Json(example));
        foreach (JsonObject other in MachinePresets.Names.Select(MachinePresets.Json).Concat([Pages.Read("docs/samples/unified-buffer.json"), Optional, OptionalSimt]).Select(Parse))
        {
            if ((string)other["kind"]! == kind)
            {
                Merge(whole, other);
            }
        }

        return whole;
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private static void Merge(JsonObject target, JsonObject other)
    {
        foreach ((string key, JsonNode? value) in other)
        {
            if (!target.ContainsKey(key))
            {
                target[key] = value!.DeepClone();
            }
            else if (value is JsonObject section)
            {
                Merge(target[key]!.AsObject(), section);
            }
            else if (value is JsonArray { Count: > 0 } list && list[0] is JsonObject first)
            {
                Merge(target[key]![0]!.AsObject(), first);
            }
        }
    }

    private static IEnumerable<string> Rows(JsonObject whole, JsonObject section, string prefix, Type? type)
    {
        bool byType = prefix is "tensorCores.macsPerCycle." or "tensorCores.runsAs.";
        IEnumerable<string> keys = byType ? section.Select(pair => pair.Key).Take(1) : section.Select(pair => pair.Key).Union(Known(whole, prefix));
        foreach (string key in keys.Where(key => prefix.Length == 0 || key != "source"))
        {
            string path = prefix + key;
            PropertyInfo? property = Property(type, key) ?? Property(type, Properties.GetValueOrDefault(key, key));
            JsonNode? value = section[key];
            string optional = Problem(whole, path, null) is null ? "optional; " : "";
            string shown = byType ? $"{prefix}TYPE" : Index().Replace(path, "[]");
            string such = value is null or JsonObject || value is JsonArray { Count: > 0 } array && array[0] is JsonObject ? "" : $"`{value.ToJsonString()}`";
            yield return $"| `{shown}` | {optional}{Expected(whole, path)} | {such.Replace("|", "\\|")} | {(byType ? "By type of element." : property is null ? Meanings.GetValueOrDefault(key, "") : Meaning(property))} |";

            JsonObject? inner = value as JsonObject ?? (value as JsonArray)?.FirstOrDefault() as JsonObject;
            if (inner is not null)
            {
                foreach (string row in Rows(whole, inner, path + (value is JsonArray ? "[0]." : "."), property is null ? type : ElementType(property.PropertyType)))
                {
                    yield return row;
                }
            }
        }
    }

    /// <summary>The keys that the reader names when it meets an unknown one.</summary>
    private static string[] Known(JsonObject whole, string prefix) =>
        Problem(whole, prefix + Wrong, JsonValue.Create(0))!.Split("expected one of: ")[1].Split(", ");

    private static string Expected(JsonObject whole, string path)
    {
        string? problem = Problem(whole, path, JsonValue.Create(Wrong)) ?? Problem(whole, path, JsonValue.Create(0.5));
        return problem is null ? "a text" : problem.Split("expected ")[1];
    }

    /// <summary>What the reader says of a key when its value is replaced, or taken out; null when it accepts that.</summary>
    private static string? Problem(JsonObject whole, string path, JsonNode? replacement)
    {
        JsonObject changed = whole.DeepClone().AsObject();
        string[] steps = path.Split('.');
        JsonObject section = steps.SkipLast(1).Aggregate(changed, (node, step) => step.EndsWith("[0]", StringComparison.Ordinal) ? node[step[..^3]]![0]!.AsObject() : node[step]!.AsObject());
        if (replacement is null)
        {
            section.Remove(steps[^1]);
        }
        else
        {
            section[steps[^1]] = replacement;
        }

        try
        {
            _ = (string?)whole["kind"] == "simt" ? (object)SimtReader.Read(changed.ToJsonString(), "file") : AcceleratorReader.Read(changed.ToJsonString(), "file");
            return null;
        }
        catch (InvalidDocumentException wrong)
        {
            return wrong.Message.Split('\n').FirstOrDefault(line => line.StartsWith($"file: {path}: ", StringComparison.Ordinal));
        }
    }

    private static PropertyInfo? Property(Type? type, string name) => type?.GetProperty(name, BindingFlags.IgnoreCase | BindingFlags.Public | BindingFlags.Instance);

    private static Type ElementType(Type type) => type.IsGenericType ? type.GetGenericArguments()[0] : type;

    /// <summary>The summary of a property, or of the record's parameter behind it.</summary>
    private static string Meaning(PropertyInfo property)
    {
        XElement? text = Documentation.GetValueOrDefault($"P:{property.DeclaringType!.FullName}.{property.Name}")?.Element("summary")
            ?? Documentation.GetValueOrDefault($"T:{property.DeclaringType.FullName}")?.Elements("param").FirstOrDefault(param => param.Attribute("name")!.Value == property.Name);
        return text is null ? "" : Space().Replace(string.Concat(text.Nodes().Select(node => node is XElement link ? link.Attribute("cref")?.Value.Split('.')[^1] ?? link.Value : node.ToString())), " ").Trim().Replace("|", "\\|");
    }
}
