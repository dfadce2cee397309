namespace Systolic.Components;

/// <summary>What the array does between two folds (array-sized pieces) of a product.</summary>
public enum FoldOverlap
{
    /// <summary>A fold starts when the one before has left the array; one register per cell holds the stationary operand. SCALE-Sim's rule.</summary>
    None,

    /// <summary>
    /// A fold follows the one before through the array; a second register per cell takes the next stationary tile meanwhile. A fold then takes as
    /// long as its stream, and not less than Rows cycles: those that a tile takes to shift in, or a column of finished outputs to shift out.
    /// </summary>
    BackgroundLoad,
}
