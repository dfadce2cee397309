using System.Collections.Immutable;

namespace Systolic.Validation;

/// <summary>Collects what a suite finds.</summary>
internal sealed class ValidationTally
{
    private readonly ImmutableArray<ValidationRow>.Builder _rows = ImmutableArray.CreateBuilder<ValidationRow>();
    private readonly Dictionary<string, int> _skipped = new(StringComparer.Ordinal);

    /// <summary>Adds a comparison.</summary>
    public void Add(ValidationRow row) => _rows.Add(row);

    /// <summary>Counts a row of the file that cannot be modelled.</summary>
    public void Skip(string reason) => _skipped[reason] = _skipped.GetValueOrDefault(reason) + 1;

    /// <summary>The statistics.</summary>
    public ValidationReport Result(string suite) => new(
        suite,
        [.. _rows.Where(row => !row.IsBeside).GroupBy(row => row.Group, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => ValidationGroup.Of(group.Key, [.. group]))],
        [.. _skipped.OrderBy(skip => skip.Key, StringComparer.Ordinal).Select(skip => new ValidationSkip(skip.Key, skip.Value))],
        _rows.ToImmutable());
}
