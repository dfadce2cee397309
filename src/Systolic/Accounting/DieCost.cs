namespace Systolic.Accounting;

/// <summary>Cost of a good die: Hennessy and Patterson, Computer Architecture, 6th edition, section 1.6.</summary>
/// <param name="WaferPrice">Price of a processed wafer, in any currency.</param>
/// <param name="DefectsPerSquareCentimetre">Defect density; the book gives 0.016 to 0.047 for a 28 nm and 0.012 to 0.016 for a 16 nm process in 2017, per cm2.</param>
/// <param name="ProcessComplexity">N of the Bose-Einstein yield; the book gives 7.5 to 9.5 for 28 nm and 10 to 14 for 16 nm.</param>
/// <param name="WaferDiameter">mm.</param>
public sealed record DieCost(double WaferPrice, double DefectsPerSquareCentimetre, double ProcessComplexity = 12, double WaferDiameter = 300)
{
    /// <summary>Whole dies on a wafer: the wafer's area over the die's, less those that its edge cuts.</summary>
    public double DiesPerWafer(double squareMillimetres) =>
        Math.Floor((Math.PI * WaferDiameter * WaferDiameter / (4 * squareMillimetres)) - (Math.PI * WaferDiameter / Math.Sqrt(2 * squareMillimetres)));

    /// <summary>Share of good dies, 1 / (1 + defects per area x area)^N.</summary>
    public double Yield(double squareMillimetres) => Math.Pow(1 + (DefectsPerSquareCentimetre * squareMillimetres / 100), -ProcessComplexity);

    /// <summary>Wafer price over good dies; test and package are left out.</summary>
    public double PerGoodDie(double squareMillimetres) => WaferPrice / (DiesPerWafer(squareMillimetres) * Yield(squareMillimetres));
}
