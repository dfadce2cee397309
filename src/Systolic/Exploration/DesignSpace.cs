using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Systolic.Machines;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Exploration;

/// <summary>Machines and workloads that differ in a few parameters: every combination of their values is a <see cref="DesignPoint"/>.</summary>
public sealed class DesignSpace
{
    private const string MachinePath = "machine";
    private const string WorkloadPrefix = "workload.";
    private const string SbufSize = "sbuf.partitionSize";
    private const long LargestSize = 1L << 53;

    private readonly ImmutableArray<(string Path, Expression Value)> _tied;
    private readonly ConcurrentDictionary<string, string> _machines = new();
    private readonly ConcurrentDictionary<string, ModelShape> _models = new();
    private readonly ConcurrentDictionary<SweepWorkload, OperatorGraph> _graphs = new();

    /// <summary>A space around a machine and a workload.</summary>
    /// <param name="machine">A preset, or a machine file.</param>
    /// <param name="workload">What runs.</param>
    /// <param name="parameters">What varies. Every path and value is tried on the machine alone.</param>
    /// <param name="tied">Paths whose value follows from the parameters by an expression of their names, such as "sbuf / array"; written in the unit of the machine file.</param>
    /// <exception cref="InvalidDocumentException">A path or value that cannot be; the message names each, and what is legal.</exception>
    public DesignSpace(string machine, SweepWorkload workload, IEnumerable<DesignParameter> parameters, IReadOnlyDictionary<string, string>? tied = null)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(parameters);
        (MachineName, Workload, Parameters) = (machine, workload, [.. parameters]);
        var problems = new List<string>();
        string[] names = [.. Parameters.Select(parameter => parameter.Name)];
        problems.AddRange(names.GroupBy(name => name).Where(same => same.Count() > 1).Select(same => $"parameters: found \"{same.Key}\" {same.Count()} times, expected once"));
        problems.AddRange(names.Where(SweepFigures.Names.Contains).Select(name => $"parameters: found the name \"{name}\", which is that of a figure; give it another name and its path"));
        var ties = ImmutableArray.CreateBuilder<(string, Expression)>();
        foreach ((string path, string text) in (tied ?? ImmutableDictionary<string, string>.Empty).OrderBy(tie => tie.Key, StringComparer.Ordinal))
        {
            Try(problems, $"tied.{path}", () => ties.Add((path, Expression.Parse(text, names))));
        }

        _tied = ties.ToImmutable();
        Try(problems, "parameters", () => Size = Parameters.Aggregate(1L, (size, parameter) => Math.Min(checked(size * parameter.Values.Length), LargestSize) is var product && product < LargestSize
            ? product : throw new FormatException(FormattableString.Invariant($"found more than {LargestSize} points, expected fewer values"))));
        foreach (DesignParameter parameter in Parameters)
        {
            Check(parameter, problems);
        }

        foreach ((string path, _) in _tied)
        {
            problems.AddRange(Bases.Where(name => Node(JsonNode.Parse(Text(name))!, path) is null).Select(name => $"tied.{path}: found no such value in {name}, expected a path of its machine file, such as tensorEngine.rows"));
        }

        problems.AddRange(Parameters.SelectMany(parameter => parameter.Paths).Concat(_tied.Select(tie => tie.Path)).GroupBy(path => path).Where(same => same.Count() > 1)
            .Select(same => $"{same.Key}: found {same.Count()} parameters or tied values for this path, expected one"));
        if (problems.Count > 0)
        {
            throw new InvalidDocumentException(problems);
        }
    }

    /// <summary>The machine that is varied.</summary>
    public string MachineName { get; }

    /// <summary>The workload that is varied.</summary>
    public SweepWorkload Workload { get; }

    /// <summary>What varies.</summary>
    public ImmutableArray<DesignParameter> Parameters { get; }

    /// <summary>Points of the full grid.</summary>
    public long Size { get; private set; }

    /// <summary>The point at a place of the grid.</summary>
    public DesignPoint this[long number] => number >= 0 && number < Size
        ? new(this, number)
        : throw new ArgumentOutOfRangeException(nameof(number), FormattableString.Invariant($"Found point {number}, expected 0 to {Size - 1}."));

    private IEnumerable<string> Bases => Parameters.Where(parameter => parameter.Paths.Contains(MachinePath)).SelectMany(parameter => parameter.Values.Select(value => value.Text)).DefaultIfEmpty(MachineName);

    /// <summary>The index of each parameter's value.</summary>
    internal int[] Indices(long number)
    {
        int[] indices = new int[Parameters.Length];
        for (int i = indices.Length - 1; i >= 0; i--)
        {
            (number, long index) = Math.DivRem(number, Parameters[i].Values.Length);
            indices[i] = (int)index;
        }

        return indices;
    }

    /// <summary>The point with these indices.</summary>
    internal long NumberOf(ReadOnlySpan<int> indices)
    {
        long number = 0;
        for (int i = 0; i < indices.Length; i++)
        {
            number = (number * Parameters[i].Values.Length) + indices[i];
        }

        return number;
    }

    /// <summary>The first of the points that differ from this one only in the size of SBUF, which share simulations.</summary>
    internal long GroupOf(long number)
    {
        int[] indices = Indices(number);
        for (int i = 0; i < indices.Length; i++)
        {
            string name = Parameters[i].Name;
            indices[i] = Parameters[i].Paths.Concat(_tied.Where(tie => tie.Value.Names.Contains(name)).Select(tie => tie.Path)).All(path => path == SbufSize) ? 0 : indices[i];
        }

        return NumberOf(indices);
    }

    /// <summary>The machine file of a point and its workload.</summary>
    internal (string Name, string Json, SweepWorkload Workload) Compose(DesignPoint point)
    {
        ImmutableArray<DesignValue> values = point.Values;
        string name = MachineName;
        SweepWorkload workload = Workload;
        for (int i = 0; i < values.Length; i++)
        {
            foreach (string path in Parameters[i].Paths)
            {
                name = path == MachinePath ? values[i].Text : name;
                workload = path.StartsWith(WorkloadPrefix, StringComparison.Ordinal) ? workload.With(path[WorkloadPrefix.Length..], values[i].Text) : workload;
            }
        }

        JsonNode root = JsonNode.Parse(Text(name))!;
        for (int i = 0; i < values.Length; i++)
        {
            foreach (string path in Parameters[i].Paths.Where(IsOfMachineFile))
            {
                Set(root, path, values[i]);
            }
        }

        foreach ((string path, Expression value) in _tied)
        {
            Set(root, path, DesignValue.Of(value.Value(Named), UnitOf(root, path)));
        }

        return (name, root.ToJsonString(), workload);

        double Named(string parameter) => values[Parameters.IndexOf(Parameters.First(one => one.Name == parameter))].Number;
    }

    /// <summary>The operators of a workload, built once.</summary>
    internal OperatorGraph Graph(SweepWorkload workload) => _graphs.GetOrAdd(workload, one => one.Build(_models.GetOrAdd(one.Model, ModelPresets.Load)));

    /// <summary>A hash of all that decides the figures of a point: the machines and models, what varies, and this build of the library.</summary>
    internal string Fingerprint()
    {
        var text = new StringBuilder().AppendLine(Assembly.GetExecutingAssembly().ManifestModule.ModuleVersionId.ToString()).AppendLine(Workload.ToString());
        foreach (string name in Bases)
        {
            text.AppendLine(Text(name));
        }

        foreach (DesignParameter parameter in Parameters)
        {
            text.AppendLine($"{parameter.Name}: {string.Join(", ", parameter.Values)} -> {string.Join(", ", parameter.Paths)}");
        }

        foreach ((string path, Expression value) in _tied)
        {
            text.AppendLine($"{path}: {value.Text}");
        }

        foreach (string model in Parameters.Where(parameter => parameter.Paths.Contains(WorkloadPrefix + "model")).SelectMany(parameter => parameter.Values.Select(value => value.Text)).Append(Workload.Model).Where(File.Exists))
        {
            text.AppendLine(DocumentText.Read(model));
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static bool IsOfMachineFile(string path) => path != MachinePath && !path.StartsWith(WorkloadPrefix, StringComparison.Ordinal);

    private string Text(string machine) => _machines.GetOrAdd(machine, MachinePresets.Text);

    /// <summary>Tries every value of a parameter alone. What only fits together with other parameters is left to the points.</summary>
    private void Check(DesignParameter parameter, List<string> problems)
    {
        foreach (string path in parameter.Paths.Where(path => path.StartsWith(WorkloadPrefix, StringComparison.Ordinal)))
        {
            foreach (DesignValue value in parameter.Values)
            {
                Try(problems, path, () => _models.GetOrAdd(Workload.With(path[WorkloadPrefix.Length..], value.Text).Model, ModelPresets.Load));
            }
        }

        string[] paths = [.. parameter.Paths.Where(IsOfMachineFile)];
        foreach (string name in Bases)
        {
            foreach (DesignValue value in parameter.Values)
            {
                Try(problems, null, () =>
                {
                    JsonNode root = JsonNode.Parse(Text(name))!;
                    foreach (string path in paths)
                    {
                        Set(root, path, value);
                    }

                    try
                    {
                        MachinePresets.CheckParts(root.ToJsonString(), name);
                    }
                    catch (InvalidDocumentException refused)
                    {
                        problems.AddRange(refused.Message.Split('\n').Where(line => paths.Any(path => IsAbout(line[(name.Length + 2)..], path)) && !problems.Contains(line)));
                    }
                });
            }
        }
    }

    /// <summary>A problem is about a path when it names it, or an unknown key on the way to it.</summary>
    private static bool IsAbout(string problem, string path) => problem[..problem.IndexOf(": ", StringComparison.Ordinal)] is var about
        && (about == path || (path.StartsWith(about + ".", StringComparison.Ordinal) && problem.Contains("unknown key", StringComparison.Ordinal)));

    private static void Try(List<string> problems, string? path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception refused) when (refused is FormatException or InvalidDocumentException or OverflowException)
        {
            string message = path is null ? refused.Message : $"{path}: {refused.Message}";
            if (!problems.Contains(message))
            {
                problems.Add(message);
            }
        }
    }

    private static string UnitOf(JsonNode root, string path) => Node(root, path) is JsonValue value && value.TryGetValue(out string? text) ? Measure.Read(text)?.Unit ?? "" : "";

    private static JsonNode? Node(JsonNode root, string path)
    {
        JsonNode? node = root;
        foreach (object step in Steps(path))
        {
            node = (node, step) switch
            {
                (JsonObject members, string key) => members[key],
                (JsonArray items, int index) when index < items.Count => items[index],
                _ => null,
            };
        }

        return node;
    }

    private static void Set(JsonNode root, string path, DesignValue value)
    {
        object[] steps = Steps(path);
        JsonNode node = root;
        for (int i = 0; i < steps.Length - 1; i++)
        {
            if (node is JsonObject members && steps[i] is string key && members[key] is null && steps[i + 1] is string)
            {
                // The reader names it as an unknown key, or what it still lacks.
                members[key] = new JsonObject();
            }

            node = Node(node, Step(steps[i])) ?? throw NoSuchPlace(path);
        }

        switch (node, steps[^1])
        {
            case (JsonObject members, string key):
                members[key] = value.ToJson();
                break;
            case (JsonArray items, int index) when index < items.Count:
                items[index] = value.ToJson();
                break;
            default:
                throw NoSuchPlace(path);
        }
    }

    private static FormatException NoSuchPlace(string path) => new($"{path}: found no such value in the machine file, expected a path such as tensorEngine.rows or links.levels[0].bandwidth");

    private static string Step(object step) => step is int index ? FormattableString.Invariant($"[{index}]") : (string)step;

    /// <summary>Keys and indices of "links.levels[0].bandwidth".</summary>
    private static object[] Steps(string path) =>
    [
        .. path.Replace("[", ".[", StringComparison.Ordinal).Split('.', StringSplitOptions.RemoveEmptyEntries)
            .Select(step => step is ['[', .. var digits, ']'] && int.TryParse(digits, out int index) && index >= 0 ? (object)index : step),
    ];
}
