using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>What the register-level array computed.</summary>
/// <param name="Output">M x N sums, fp32; int32 sums are rounded to fp32 at the end.</param>
/// <param name="Cycles">Cycles that were stepped, from the first element read to the last result written.</param>
public sealed record ArrayProduct(Matrix Output, Cycles Cycles);
