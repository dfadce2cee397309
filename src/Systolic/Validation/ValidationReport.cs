using System.Collections.Immutable;

namespace Systolic.Validation;

/// <summary>A file of reference figures, scored.</summary>
/// <param name="Suite">The suite.</param>
/// <param name="Groups">By name.</param>
/// <param name="Skipped">What was not modelled, by reason.</param>
/// <param name="Rows">Every comparison and what is listed beside, in the order of the file.</param>
public sealed record ValidationReport(
    string Suite, ImmutableArray<ValidationGroup> Groups, ImmutableArray<ValidationSkip> Skipped, ImmutableArray<ValidationRow> Rows)
{
    /// <summary>Classes of rows across groups, of suites that have targets for them; empty for the others.</summary>
    public ImmutableArray<ValidationClass> Classes { get; init; } = [];

    /// <summary>The groups whose name begins with <paramref name="prefix"/>, and their rows.</summary>
    public ValidationReport Only(string prefix) => this with
    {
        Groups = [.. Groups.Where(group => group.Name.StartsWith(prefix, StringComparison.Ordinal))],
        Rows = [.. Rows.Where(row => row.Group.StartsWith(prefix, StringComparison.Ordinal))],
        Classes = [],
    };
}
