using Systolic.Units;

namespace Systolic.Components;

/// <summary>What a product costs on an array: every cycle in exactly one phase, and what crosses each edge. Records of the two fidelities compare equal.</summary>
public sealed record TileCost
{
    /// <summary>Array-sized pieces of the product, one after another.</summary>
    public required long Folds { get; init; }

    /// <summary>Cycles in which nothing can enter because the stationary tile of the next fold is still shifting in.</summary>
    public required Cycles Load { get; init; }

    /// <summary>Cycles in which lane 0 takes an element before the first of them has reached the far corner: in each fold, or once where folds overlap.</summary>
    public required Cycles Fill { get; init; }

    /// <summary>The other cycles in which lane 0 takes an element.</summary>
    public required Cycles Steady { get; init; }

    /// <summary>Cycles in which nothing enters because earlier elements or results are still on their way out.</summary>
    public required Cycles Drain { get; init; }

    /// <summary>Elements of the operand that moves right, read at the left edge.</summary>
    public required long LeftReads { get; init; }

    /// <summary>Elements of the stationary operand (of B, output-stationary) read at the top edge.</summary>
    public required long TopReads { get; init; }

    /// <summary>Results, or partial sums of one fold along K, written at the bottom edge.</summary>
    public required long BottomWrites { get; init; }

    /// <summary>Cell-cycles that multiply two elements of the operands: M x K x N.</summary>
    public required long ActiveCellCycles { get; init; }

    /// <summary>Cell-cycles that pass: rows x columns x total.</summary>
    public required long CellCycles { get; init; }

    /// <summary>Cycles in which lane 0 takes an element.</summary>
    public Cycles Stream => Fill + Steady;

    /// <summary>All cycles, from the first element read to the last result written.</summary>
    public Cycles Total => Load + Stream + Drain;

    /// <summary>Active over all cell-cycles, 0 to 1.</summary>
    public double Utilization => (double)ActiveCellCycles / CellCycles;
}
