using System.Globalization;
using Systolic.Numerics;

namespace Systolic.Components;

/// <summary>The systolic array register by register and cycle by cycle, on real values: the reference fidelity.</summary>
/// <remarks>
/// Operands are rounded to the element type, products are added to fp32 sums (int32 for int8) with one rounding each, in order of K within a fold; partial
/// sums of folds along K are added in order. Unused cells add 0 x 0. Definitions, timing and speed: docs/array.md.
/// </remarks>
public static class RegisterArray
{
    /// <summary>O = A x B.</summary>
    /// <param name="array">The array.</param>
    /// <param name="a">M x K.</param>
    /// <param name="b">K x N.</param>
    /// <param name="type">Element type that both operands are rounded to; any but int32.</param>
    /// <exception cref="ArgumentException">The extents of A and B do not match, or the type is int32.</exception>
    public static ArrayProduct Multiply(ArraySpec array, Matrix a, Matrix b, DataType type)
    {
        var observer = default(NoObserver);
        return Multiply(array, a, b, type, ref observer);
    }

    /// <summary>O = A x B, looked at in every cycle.</summary>
    /// <inheritdoc cref="Multiply(ArraySpec, Matrix, Matrix, DataType)"/>
    public static ArrayProduct Multiply<TObserver>(ArraySpec array, Matrix a, Matrix b, DataType type, ref TObserver observer)
        where TObserver : struct, IArrayObserver
    {
        ArgumentNullException.ThrowIfNull(array);
        return array.Dataflow switch
        {
            Dataflow.WeightStationary => Multiply<WeightStationary, TObserver>(array, a, b, type, ref observer),
            Dataflow.OutputStationary => Multiply<OutputStationary, TObserver>(array, a, b, type, ref observer),
            _ => Multiply<InputStationary, TObserver>(array, a, b, type, ref observer),
        };
    }

    /// <summary>O = A x B under another dataflow than that of <paramref name="array"/>.</summary>
    /// <inheritdoc cref="Multiply(ArraySpec, Matrix, Matrix, DataType)"/>
    /// <exception cref="ArgumentException">Also where what a dataflow lays on an edge has not the extents that it names.</exception>
    public static ArrayProduct Multiply<TDataflow>(ArraySpec array, Matrix a, Matrix b, DataType type)
        where TDataflow : struct, IDataflow
    {
        var observer = default(NoObserver);
        return Multiply<TDataflow, NoObserver>(array, a, b, type, ref observer);
    }

    /// <summary>O = A x B under another dataflow than that of <paramref name="array"/>, looked at in every cycle.</summary>
    /// <inheritdoc cref="Multiply(ArraySpec, Matrix, Matrix, DataType)"/>
    public static ArrayProduct Multiply<TDataflow, TObserver>(ArraySpec array, Matrix a, Matrix b, DataType type, ref TObserver observer)
        where TDataflow : struct, IDataflow
        where TObserver : struct, IArrayObserver
    {
        ArgumentNullException.ThrowIfNull(array);
        TileShape shape = ShapeOf(a, b);
        (Matrix left, Matrix right) = (a.Rounded(type), b.Rounded(type));
        return type switch
        {
            DataType.Int32 => throw new ArgumentException("found int32 operands, expected int8 or a floating-point type: cells multiply at most fp32", nameof(type)),
            DataType.Int8 => ArrayMachine<int, Int32Cell, TDataflow>.Run(array, shape, left, right, ref observer),
            _ => ArrayMachine<float, Fp32Cell, TDataflow>.Run(array, shape, left, right, ref observer),
        };
    }

    /// <summary>Steps a product of zeros and counts what happens.</summary>
    public static TileCost Measure(ArraySpec array, TileShape shape)
    {
        var observer = default(CostObserver);
        Multiply(array, new Matrix(shape.M, shape.K), new Matrix(shape.K, shape.N), DataType.Fp32, ref observer);
        return observer.Cost;
    }

    /// <summary>The same under another dataflow than that of <paramref name="array"/>.</summary>
    public static TileCost Measure<TDataflow>(ArraySpec array, TileShape shape)
        where TDataflow : struct, IDataflow
    {
        var observer = default(CostObserver);
        Multiply<TDataflow, CostObserver>(array, new Matrix(shape.M, shape.K), new Matrix(shape.K, shape.N), DataType.Fp32, ref observer);
        return observer.Cost;
    }

    private static TileShape ShapeOf(Matrix a, Matrix b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return a.Columns == b.Rows
            ? new TileShape(a.Rows, a.Columns, b.Columns)
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"found A of {a.Rows}x{a.Columns} and B of {b.Rows}x{b.Columns}, expected as many rows of B as columns of A"), nameof(b));
    }
}
