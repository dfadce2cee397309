namespace Systolic.Kernels;

/// <summary>The unit of work of a windowed product: this much of both operands is converted, multiplied and added up together.</summary>
/// <param name="Rows">Rows of the result; a multiple of 64, or all of fewer than 128.</param>
/// <param name="Columns">Columns of the result, a multiple of the array's.</param>
/// <param name="Contraction">Part of K, a multiple of the array's rows.</param>
/// <param name="DividesRows">The cores divide the rows of the result, and each converts all of the right operand; otherwise the columns, and each converts all of the left.</param>
internal readonly record struct WindowedTile(int Rows, int Columns, int Contraction, bool DividesRows);
