using System.Collections.Immutable;
using System.Text;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>A named amount in the unit of its list.</summary>
/// <param name="Name">What it is an amount of.</param>
/// <param name="Value">Seconds, joules or bytes.</param>
public readonly record struct Amount(string Name, double Value);

/// <summary>An operator of a run that was written as JSON; amounts are of all its executions.</summary>
/// <param name="Name">Its name, with its section; a second one of the name has " #2" behind it.</param>
/// <param name="Seconds">Its time.</param>
/// <param name="Joules">Its energy.</param>
/// <param name="Stack">Seconds by component of the cycle stack.</param>
public sealed record OperatorSummary(string Name, double Seconds, double Joules, ImmutableArray<Amount> Stack);

/// <summary>What the JSON of a run says of its time, energy and traffic: enough to hold it against another.</summary>
public sealed record RunSummary
{
    /// <summary>The machine's name.</summary>
    public required string Machine { get; init; }

    /// <summary>The workload's name.</summary>
    public required string Model { get; init; }

    /// <summary>The workload's phase.</summary>
    public required string Phase { get; init; }

    /// <summary>Duration.</summary>
    public required double Seconds { get; init; }

    /// <summary>Energy.</summary>
    public required double Joules { get; init; }

    /// <summary>The operators in execution order, then what belongs to none.</summary>
    public required ImmutableArray<OperatorSummary> Operators { get; init; }

    /// <summary>Seconds by component of the cycle stack.</summary>
    public required ImmutableArray<Amount> Stack { get; init; }

    /// <summary>Joules by component.</summary>
    public required ImmutableArray<Amount> Energy { get; init; }

    /// <summary>Busy seconds by engine, summed over its instances.</summary>
    public required ImmutableArray<Amount> Engines { get; init; }

    /// <summary>Bytes moved by memory level.</summary>
    public required ImmutableArray<Amount> Levels { get; init; }

    /// <summary>Model, phase and machine.</summary>
    public string Title => $"{Model}, {Phase}: {Machine}";

    /// <summary>The runs of a file that <see cref="JsonReportWriter"/> wrote: two of a comparison, else one.</summary>
    /// <exception cref="InvalidDocumentException">It cannot be read, or is no such file; the message lists all problems with their paths.</exception>
    public static ImmutableArray<RunSummary> Load(string file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return Read(DocumentText.Read(file), file);
    }

    /// <summary>The runs of a text that <see cref="JsonReportWriter"/> wrote.</summary>
    /// <param name="json">The text, at most 4 Mi characters.</param>
    /// <param name="file">Its name in messages.</param>
    /// <exception cref="InvalidDocumentException">It is no such text.</exception>
    public static ImmutableArray<RunSummary> Read(string json, string file)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(file);
        return RunSummaryReader.Read(JsonSection.Parse(json, file));
    }

    /// <summary>What the JSON of <paramref name="report"/> would say.</summary>
    public static RunSummary Of(RunReport report)
    {
        using var json = new MemoryStream();
        JsonReportWriter.Write(json, report);
        return Read(Encoding.UTF8.GetString(json.ToArray()), "report")[0];
    }
}
