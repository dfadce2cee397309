using System.Collections.Immutable;
using System.Text.Json;
using Systolic.Units;

namespace Systolic.Exploration;

/// <summary>Reads a sweep file; docs/sweep.schema.json describes it.</summary>
public static class SweepReader
{
    private static readonly string[] Methods = ["grid", "random", "latin-hypercube", "nsga2"];
    private static readonly string[] Scales = ["linear", "log"];

    /// <summary>Reads the JSON text of a sweep.</summary>
    /// <param name="json">The text.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <exception cref="InvalidDocumentException">All problems of the file, each with its path.</exception>
    public static Sweep Read(string json, string file)
    {
        ArgumentNullException.ThrowIfNull(json);
        JsonSection root = JsonSection.Parse(json, file);
        root.Text("$schema", "-");
        root.Text("description", "-");
        string machine = root.Text("machine");
        SweepWorkload workload = Workload(root.Section("workload"));
        DesignParameter[] parameters = [.. root.Sections("parameters").Select(Parameter).OfType<DesignParameter>()];
        ImmutableSortedDictionary<string, string> tied = Texts(root, "tied");
        SweepSearch search = root.HasOptional("search") ? Search(root.Section("search")) : SweepSearch.Grid;
        var goals = new SweepGoals { Constraints = root.Texts("constraints"), Metrics = Texts(root, "metrics") };
        goals = root.HasOptional("objectives") ? goals with { Objectives = root.Texts("objectives") } : goals;
        bool prune = root.Boolean("prune", false);
        root.RefuseUnknownKeys();
        root.Finish();
        try
        {
            return new Sweep(new DesignSpace(machine, workload, parameters, tied), search, goals) { Prune = prune };
        }
        catch (InvalidDocumentException refused)
        {
            throw new InvalidDocumentException(refused.Message.Split('\n').Select(line => $"{file}: {line}"));
        }
    }

    /// <summary>Reads a sweep file.</summary>
    /// <exception cref="InvalidDocumentException">It cannot be read, or all its problems.</exception>
    public static Sweep Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Read(DocumentText.Read(path), path);
    }

    private static SweepWorkload Workload(JsonSection section)
    {
        var workload = new SweepWorkload(section.Text("model"));
        workload = workload with
        {
            Phase = Word(section, "phase", SweepWorkload.Phases),
            Tokens = section.Integer("tokens", 1, SweepWorkload.LargestSize, workload.Tokens),
            Context = section.Integer("context", 1, SweepWorkload.LargestSize, workload.Context),
            Batch = section.Integer("batch", 1, SweepWorkload.LargestSize, workload.Batch),
            Layers = Word(section, "layers", SweepWorkload.LayerCounts),
        };
        section.RefuseUnknownKeys();
        return workload;
    }

    private static DesignParameter? Parameter(JsonSection section)
    {
        ImmutableArray<string> paths = section.HasOptional("path") ? [section.Text("path")] : section.Texts("paths");
        string name = paths.Length == 1 ? section.Text("name", paths[0]) : section.Text("name");
        ImmutableArray<DesignValue> values = Values(section, "values"), from = Values(section, "from"), to = Values(section, "to"), step = Values(section, "step");
        bool hasCount = section.HasOptional("count");
        int count = hasCount ? (int)section.Integer("count", 2, DesignParameter.MostValues) : 0;
        string scale = Word(section, "scale", Scales);
        section.RefuseUnknownKeys();
        try
        {
            DesignParameter? parameter = (values, from, to, step, hasCount) switch
            {
                ([_, ..], [], [], [], false) => new DesignParameter(name, values),
                ([], [var first], [var last], [], true) => scale == "log" ? DesignParameter.Logarithmic(name, first, last, count) : DesignParameter.Linear(name, first, last, count),
                ([], [var first], [var last], [var distance], false) => DesignParameter.Steps(name, first, last, distance),
                _ => null,
            };
            if (parameter is null)
            {
                section.Problem("", "found no range or list of values, expected \"values\"; or \"from\", \"to\" and \"count\"; or \"from\", \"to\" and \"step\"");
            }

            return parameter?.To(paths);
        }
        catch (ArgumentException refused)
        {
            section.Problem("", refused.Message.Split(" (Parameter ")[0]);
            return null;
        }
    }

    private static ImmutableArray<DesignValue> Values(JsonSection section, string key) =>
    [
        .. section.Scalars(key).Select(value => value.ValueKind switch
        {
            JsonValueKind.Number => value.GetDouble(),
            JsonValueKind.String => (DesignValue)value.GetString()!,
            _ => value.GetBoolean(),
        }),
    ];

    private static SweepSearch Search(JsonSection section)
    {
        string method = Word(section, "method", Methods);
        int seed = (int)section.Integer("seed", 0, int.MaxValue, 0);
        SweepSearch search = method switch
        {
            "random" => SweepSearch.Random(Count(section, "points"), seed),
            "latin-hypercube" => SweepSearch.LatinHypercube(Count(section, "points"), seed),
            "nsga2" => SweepSearch.Nsga2(Count(section, "evaluations"), (int)section.Integer("population", 4, 10_000, Nsga2Search.UsualPopulation), seed),
            _ => SweepSearch.Grid,
        };
        section.RefuseUnknownKeys();
        return search;
    }

    private static int Count(JsonSection section, string key) => (int)section.Integer(key, 1, 10_000_000);

    private static string Word(JsonSection section, string key, string[] words)
    {
        string found = section.Text(key, words[0]);
        if (!words.Contains(found))
        {
            section.Problem(key, $"found {UnitText.Quote(found)}, expected one of: {string.Join(", ", words)}");
        }

        return found;
    }

    private static ImmutableSortedDictionary<string, string> Texts(JsonSection root, string key)
    {
        var empty = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        if (!root.HasOptional(key))
        {
            return empty;
        }

        JsonSection section = root.Section(key);
        return empty.AddRange(section.Keys.Select(name => KeyValuePair.Create(name, section.Text(name))));
    }
}
