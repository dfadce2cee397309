using System.Collections.Immutable;

namespace Systolic.Validation;

/// <summary>Collects what a suite finds.</summary>
internal sealed class ValidationTally
{
    private readonly ImmutableArray<ValidationRow>.Builder _rows = ImmutableArray.CreateBuilder<ValidationRow>();
    private readonly Dictionary<string, int> _skipped = new(StringComparer.Ordinal);

    private readonly List<(string Class, double? Percent)> _targets = [];

    /// <summary>Adds a comparison.</summary>
    public void Add(ValidationRow row) => _rows.Add(row);

    /// <summary>Counts a row of the file that cannot be modelled.</summary>
    public void Skip(string reason) => _skipped[reason] = _skipped.GetValueOrDefault(reason) + 1;

    /// <summary>Reports the rows of a class together, beside the mean error that is aimed at; null where none is.</summary>
    public void Target(string name, double? percent) => _targets.Add((name, percent));

    /// <summary>The statistics.</summary>
    public ValidationReport Result(string suite) => new(
        suite,
        [.. _rows.Where(row => !row.IsBeside).GroupBy(row => row.Group, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => ValidationGroup.Of(group.Key, [.. group]))],
        [.. _skipped.OrderBy(skip => skip.Key, StringComparer.Ordinal).Select(skip => new ValidationSkip(skip.Key, skip.Value))],
        _rows.ToImmutable())
    {
        Classes = [.. _targets.Select(target => (target, Rows: _rows.Where(row => row.Class == target.Class).ToImmutableArray())).Where(found => found.Rows.Length > 0)
            .Select(found => new ValidationClass(ValidationGroup.Of(found.target.Class, found.Rows), found.target.Percent))],
    };
}
