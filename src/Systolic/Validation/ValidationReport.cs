using System.Collections.Immutable;

namespace Systolic.Validation;

/// <summary>A file of reference figures, scored.</summary>
/// <param name="Suite">The suite.</param>
/// <param name="Groups">By name.</param>
/// <param name="Skipped">What was not modelled, by reason.</param>
/// <param name="Rows">Every comparison and what is listed beside, in the order of the file.</param>
public sealed record ValidationReport(
    string Suite, ImmutableArray<ValidationGroup> Groups, ImmutableArray<ValidationSkip> Skipped, ImmutableArray<ValidationRow> Rows);
