using System.Collections.Immutable;
using Systolic.Machines;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Exploration;

/// <summary>One machine and workload of a <see cref="DesignSpace"/>.</summary>
/// <param name="Space">The space.</param>
/// <param name="Number">Its place in the grid, from 0; the last parameter changes fastest.</param>
public sealed record DesignPoint(DesignSpace Space, long Number)
{
    /// <summary>The value of each parameter.</summary>
    public ImmutableArray<DesignValue> Values => [.. Space.Indices(Number).Select((index, i) => Space.Parameters[i].Values[index])];

    /// <summary>The machine, newly read.</summary>
    /// <exception cref="InvalidDocumentException">The values do not make a machine; every problem names its path.</exception>
    public IMachine Machine()
    {
        (string name, string json, _) = Space.Compose(this);
        return MachinePresets.Read(json, name);
    }

    /// <summary>The workload.</summary>
    /// <exception cref="ArgumentException">The model refuses a size.</exception>
    public OperatorGraph Workload() => Space.Graph(Space.Compose(this).Workload);

    /// <summary>Name and value of each parameter.</summary>
    public override string ToString() => string.Join(", ", Values.Select((value, i) => $"{Space.Parameters[i].Name} {value}"));
}
