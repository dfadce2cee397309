using Systolic.Units;

namespace Systolic.Simt;

/// <summary>The board's power cap and the three numbers that turn activity into power for it. Reports price energy by their own table.</summary>
/// <param name="Cap">Power the board may draw on average.</param>
/// <param name="Floor">Power at full clock without work.</param>
/// <param name="Active">Power of a running kernel's clocks and instruction supply at <paramref name="Reference"/>, beside the floor and the work counted.</param>
/// <param name="PerByte">Energy of one main-memory byte on its way to the registers.</param>
/// <param name="PerFlop">Energy of one fp16 tensor-core FLOP, all on-chip movement included, at <paramref name="Reference"/>.</param>
/// <param name="Reference">The clock at which <paramref name="PerFlop"/> holds.</param>
public sealed record PowerCapSpec(Power Cap, Power Floor, Power Active, Energy PerByte, Energy PerFlop, Frequency Reference);
