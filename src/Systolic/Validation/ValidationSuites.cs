using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>The suites that compare predictions with a file of reference or measured figures.</summary>
public static class ValidationSuites
{
    private static readonly ImmutableArray<IValidationSuite> All = [new ScaleSimSuite(), new DramSuite(), new TrainiumSuite(), new TpuSuite(), new GpuSuite(), new PowerSuite()];

    /// <summary>Names of the suites.</summary>
    public static ImmutableArray<string> Names { get; } = [.. All.Select(suite => suite.Name)];

    /// <summary>Scores a file.</summary>
    /// <param name="suite">One of <see cref="Names"/>.</param>
    /// <param name="file">Path of a CSV file with the suite's columns.</param>
    /// <param name="cancellation">Stops between rows.</param>
    /// <exception cref="ArgumentException">There is no such suite.</exception>
    /// <exception cref="InvalidDocumentException">The file is not one of that suite; the message lists every problem with its line.</exception>
    public static ValidationReport Run(string suite, string file, CancellationToken cancellation = default)
    {
        IValidationSuite found = All.FirstOrDefault(candidate => candidate.Name == suite)
            ?? throw new ArgumentException($"Found the suite {UnitText.Quote(suite)}, expected one of: {string.Join(", ", Names)}.", nameof(suite));
        return Score(found, DocumentText.Read(file), file, cancellation);
    }

    /// <summary>Scores a text.</summary>
    internal static ValidationReport Score(IValidationSuite suite, string csv, string file, CancellationToken cancellation = default)
    {
        var tally = new ValidationTally();
        suite.Score(csv, file, tally, cancellation);
        return tally.Result(suite.Name);
    }
}
