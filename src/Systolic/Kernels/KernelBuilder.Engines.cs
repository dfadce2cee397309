using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

public sealed partial class KernelBuilder
{
    private const int Eight = 8;
    private const int Square = 32;

    /// <summary>Stationary[k,m] x moving[k,n] into PSUM: m partitions of n fp32 columns, added to what is there when <paramref name="accumulate"/>.</summary>
    /// <remarks>
    /// K lies on the partitions of both operands. Where a cell takes several rows of K (fp8), each operand has as many blocks in its free dimension, k being partition + block x partitions.
    /// An operand of 8 bits may meet one of 16. A stationary operand whose elements lie too far apart for the full rate shifts in a column a cycle.
    /// Each result is a sum in fp32 over the partitions from the first on (and over the blocks of each), one rounding a step, which is then added to PSUM.
    /// </remarks>
    /// <param name="result">m partitions of n consecutive elements of a PSUM bank.</param>
    /// <param name="stationary">k partitions of m elements.</param>
    /// <param name="moving">k partitions of n elements.</param>
    /// <param name="accumulate">Add to PSUM instead of overwriting.</param>
    /// <param name="contraction">K; by default all rows of the operands.</param>
    /// <param name="tile">The part of the array that works on it, beside products on other parts; by default all of it.</param>
    public void MatMul(in TileView result, in TileView stationary, in TileView moving, bool accumulate, int? contraction = null, ArrayTile tile = default)
    {
        DataType type = Wider(stationary.Type, moving.Type);
        int m = result.Partitions, n = result.Free.Elements, blocks = stationary.Free.Elements / m;
        int k = contraction ?? stationary.Partitions * blocks;
        Require(k > 0 && k <= Machine.TensorEngine.ContractionRows(type), "K", k, Machine.TensorEngine.ContractionRows(type));
        Require(m > 0 && m <= Machine.TensorEngine.Columns, "stationary columns", m, Machine.TensorEngine.Columns);
        Require(n > 0 && n <= BankColumns, "moving columns", n, BankColumns);
        RequireInside(result, nameof(result));
        RequireInside(stationary, nameof(stationary));
        RequireInside(moving, nameof(moving));
        RequireProduct(result, stationary, moving, k, blocks);
        RequireOnTile(tile, result, stationary, k);
        Emit(StreamId.Tensor, new Instruction
        {
            Tile = tile,
            Opcode = Opcode.MatMul,
            Source = type,
            Destination = DataType.Fp32,
            Partitions = k,
            Columns = m,
            Free = n,
            Operands = Operands.DestinationInPsum | (accumulate ? Operands.Accumulate : Operands.None) | (IsStrided(stationary) ? Operands.Strided : Operands.None),
        }, new Operation { Target = result, First = stationary, Second = moving });
    }

    /// <summary>Transposes source[rows, columns] through the array into PSUM: columns partitions of rows elements, unchanged.</summary>
    /// <remarks>The data is the stationary operand and an identity of as many columns as the source has rows the moving one.</remarks>
    public void Transpose(in TileView result, in TileView source)
    {
        (int rows, int columns) = (source.Partitions, source.Free.Elements);
        Require(rows > 0 && rows <= Machine.TensorEngine.Rows, "rows to transpose", rows, Machine.TensorEngine.Rows);
        Require(columns > 0 && columns <= Machine.TensorEngine.Columns, "columns to transpose", columns, Machine.TensorEngine.Columns);
        RequireInside(result, nameof(result));
        RequireInside(source, nameof(source));
        if (result.Partitions != columns || result.Free.Elements != rows || result.Tile.Space != MemorySpace.Psum)
        {
            throw new ArgumentException(FormattableString.Invariant($"{_name}: a transpose of {rows} x {columns} leaves {columns} x {rows} in PSUM; found {result.Partitions} x {result.Elements} of {BufferOf(result)}."), nameof(result));
        }

        Emit(StreamId.Tensor, new Instruction
        {
            Opcode = Opcode.Transpose,
            Source = source.Type,
            Destination = source.Type,
            Partitions = rows,
            Columns = columns,
            Free = rows,
            Operands = Operands.DestinationInPsum,
        }, new Operation { Target = result, First = source });
    }

    /// <summary>Copies and casts on the vector or scalar engine; from PSUM this is an eviction.</summary>
    public void Copy(StreamId engine, in TileView target, in TileView source)
    {
        RequireEqual(source, target, nameof(source));
        Compute(engine, Opcode.Copy, new Operation { Target = target, First = source });
    }

    /// <summary>Fills with a constant.</summary>
    public void Memset(StreamId engine, in TileView target, float value) =>
        Compute(engine, Opcode.Memset, new Operation { Target = target, Constant = value });

    /// <summary>Two tensors element by element on the vector engine (or the general-purpose one).</summary>
    public void TensorTensor(StreamId engine, AluOperator op, in TileView target, in TileView first, in TileView second)
    {
        RequireEqual(first, target, nameof(first));
        RequireEqual(second, target, nameof(second));
        Compute(engine, Opcode.TensorTensor, new Operation { Target = target, First = first, Second = second, Operator = op });
    }

    /// <summary>source op scalar, and then op of a second scalar; a scalar is a constant or a value per partition.</summary>
    public void TensorScalar(StreamId engine, in TileView target, in TileView source, AluOperator op, in ScalarOperand scalar, AluOperator secondOp = AluOperator.Bypass, in ScalarOperand secondScalar = default)
    {
        RequireEqual(source, target, nameof(source));
        Compute(engine, Opcode.TensorScalar, new Operation
        {
            Target = target,
            First = source,
            Second = PerPartition(scalar, target),
            Third = PerPartition(secondScalar, target),
            Operator = op,
            SecondOperator = secondOp,
            Constant = scalar.Constant,
            SecondConstant = secondScalar.Constant,
        });
    }

    /// <summary>source op scalar, and the reduction of each partition's results, taken before they are rounded, in <paramref name="reduced"/>, on the vector engine.</summary>
    public void TensorScalarReduce(in TileView target, in TileView reduced, in TileView source, AluOperator op, in ScalarOperand scalar, AluOperator reduceOp)
    {
        RequireEqual(source, target, nameof(source));
        RequireElements(reduced, 1);
        RequireReachable(reduced, nameof(reduced));
        Compute(StreamId.Vector, Opcode.TensorScalarReduce, new Operation
        {
            Target = target,
            Reduced = reduced,
            First = source,
            Second = PerPartition(scalar, target),
            Operator = op,
            SecondOperator = reduceOp,
            Constant = scalar.Constant,
        });
    }

    /// <summary>Keeps element i where lower &lt;= start + i &lt; upper and puts the lowest fp32 elsewhere, and the largest of each partition in <paramref name="maximum"/>, on the vector engine.</summary>
    public void RangeSelect(in TileView target, in TileView maximum, in TileView source, int start, in ScalarOperand lower, in ScalarOperand upper)
    {
        RequireEqual(source, target, nameof(source));
        RequireElements(maximum, 1);
        RequireReachable(maximum, nameof(maximum));
        Compute(StreamId.Vector, Opcode.RangeSelect, new Operation
        {
            Target = target,
            Reduced = maximum,
            First = source,
            Second = PerPartition(lower, target),
            Third = PerPartition(upper, target),
            Constant = lower.Constant,
            SecondConstant = upper.Constant,
            Condition = new AffineCondition(start, 0, 1),
        });
    }

    /// <summary>(first op scalar) secondOp second on the vector engine.</summary>
    public void ScalarTensorTensor(in TileView target, in TileView first, AluOperator op, in ScalarOperand scalar, AluOperator secondOp, in TileView second)
    {
        RequireEqual(first, target, nameof(first));
        RequireEqual(second, target, nameof(second));
        Compute(StreamId.Vector, Opcode.ScalarTensorTensor, new Operation
        {
            Target = target,
            First = first,
            Second = second,
            Third = PerPartition(scalar, target),
            Operator = op,
            SecondOperator = secondOp,
            Constant = scalar.Constant,
        });
    }

    /// <summary>Reduction along the free dimension on the vector engine, in order: source elements / target elements of them to each element of <paramref name="target"/>.</summary>
    /// <param name="op">Add, Maximum or Minimum.</param>
    /// <param name="target">One element for each group.</param>
    /// <param name="source">The groups one after the other.</param>
    /// <param name="negate">Write the negative.</param>
    public void TensorReduce(AluOperator op, in TileView target, in TileView source, bool negate = false)
    {
        RequireGroups(target, source);
        Compute(StreamId.Vector, Opcode.TensorReduce, new Operation { Target = target, First = source, Operator = op, Constant = negate ? -1 : 1 });
    }

    /// <summary>Count, mean and sum of squared differences of the even and of the odd ones of up to 512 elements of each partition, six values, on the vector engine.</summary>
    public void BatchNormStats(in TileView target, in TileView source)
    {
        Require(source.Free.Elements <= MaximumStatsElements, "elements of one piece", source.Free.Elements, MaximumStatsElements);
        RequireElements(target, StatsPerPiece);
        Compute(StreamId.Vector, Opcode.BatchNormStats, new Operation { Target = target, First = source });
    }

    /// <summary>Combines the results of <see cref="BatchNormStats"/> into one mean and one variance per partition.</summary>
    public void BatchNormAggregate(in TileView target, in TileView source)
    {
        RequireElements(target, 2);
        Compute(StreamId.Vector, Opcode.BatchNormAggregate, new Operation { Target = target, First = source });
    }

    /// <summary>1 / x on the vector engine.</summary>
    public void Reciprocal(in TileView target, in TileView source)
    {
        RequireEqual(source, target, nameof(source));
        Compute(StreamId.Vector, Opcode.Reciprocal, new Operation { Target = target, First = source });
    }

    /// <summary>The eight largest values of each partition, largest first, on the vector engine.</summary>
    public void Max8(in TileView target, in TileView source) =>
        Compute(StreamId.Vector, Opcode.Max8, new Operation { Target = target, First = source });

    /// <summary>Where in each partition of <paramref name="source"/> each of eight values is found first, equal ones one after the other, on the vector engine.</summary>
    /// <param name="target">Eight positions for each partition; -1 where a value is not found.</param>
    /// <param name="values">Eight values for each partition.</param>
    /// <param name="source">Where to look.</param>
    public void FindIndex8(in TileView target, in TileView values, in TileView source)
    {
        RequireElements(target, Eight);
        RequireElements(values, Eight);
        Compute(StreamId.Vector, Opcode.FindIndex8, new Operation { Target = target, First = source, Second = values });
    }

    /// <summary>Copies each partition with the first occurrence of each of eight values replaced, on the vector engine; with <see cref="Max8"/> this gives the next eight largest values.</summary>
    public void MatchReplace8(in TileView target, in TileView values, in TileView source, float replacement)
    {
        RequireEqual(source, target, nameof(source));
        RequireElements(values, Eight);
        Compute(StreamId.Vector, Opcode.MatchReplace8, new Operation { Target = target, First = source, Second = values, Constant = replacement });
    }

    /// <summary>Recurrence along the free dimension on the vector engine: r[i] = (r[i-1] op first[i]) secondOp second[i], r[-1] being <paramref name="initial"/>.</summary>
    public void Scan(in TileView target, in TileView first, AluOperator op, in TileView second, AluOperator secondOp, in ScalarOperand initial = default)
    {
        RequireEqual(first, target, nameof(first));
        RequireEqual(second, target, nameof(second));
        Compute(StreamId.Vector, Opcode.Scan, new Operation
        {
            Target = target,
            First = first,
            Second = second,
            Third = PerPartition(initial, target),
            Operator = op,
            SecondOperator = secondOp,
            Constant = initial.Constant,
        });
    }

    /// <summary>Overwrites elements of <paramref name="target"/> where <paramref name="predicate"/> is not zero by those of <paramref name="source"/>, on the vector engine.</summary>
    public void Select(in TileView target, in TileView predicate, in TileView source)
    {
        RequireEqual(predicate, target, nameof(predicate));
        RequireEqual(source, target, nameof(source));
        Compute(StreamId.Vector, Opcode.Select, new Operation { Target = target, First = source, Second = predicate, Third = target });
    }

    /// <summary>Transposes each square of 32 x 32 elements on the vector engine.</summary>
    public void VectorTranspose(in TileView target, in TileView source)
    {
        RequireEqual(source, target, nameof(source));
        if (source.Partitions % Square != 0 || source.Free.Elements % Square != 0)
        {
            throw new ArgumentException(FormattableString.Invariant($"{_name}: found {source.Partitions} x {source.Elements} elements of {BufferOf(source)}, expected multiples of {Square}: the vector engine transposes squares of {Square}."), nameof(source));
        }

        Compute(StreamId.Vector, Opcode.VectorTranspose, new Operation { Target = target, First = source });
    }

    /// <summary>Base + partition x partition step + element x element step, on the general-purpose engine.</summary>
    public void Iota(in TileView target, AffineCondition numbers) =>
        Compute(StreamId.GpSimd, Opcode.Iota, new Operation { Target = target, Condition = numbers });

    /// <summary>Keeps an element where <paramref name="condition"/> holds at its position and puts <paramref name="fill"/> elsewhere, on the general-purpose engine.</summary>
    public void AffineSelect(in TileView target, in TileView source, AffineCondition condition, float fill)
    {
        RequireEqual(source, target, nameof(source));
        Compute(StreamId.GpSimd, Opcode.AffineSelect, new Operation { Target = target, First = source, Condition = condition, Constant = fill });
    }

    /// <summary>function(source x scale + bias) on the scalar engine; scale and bias are constants or values per partition.</summary>
    public void Activation(ActivationFunction function, in TileView target, in TileView source, in ScalarOperand bias = default, ScalarOperand? scale = null)
    {
        RequireEqual(source, target, nameof(source));
        Activate(Opcode.Activation, function, target, default, source, bias, scale ?? 1f);
    }

    /// <summary>As <see cref="Activation"/>, and the sum of each partition's results, taken before they are rounded, in <paramref name="sum"/>.</summary>
    public void ActivationReduce(ActivationFunction function, in TileView target, in TileView sum, in TileView source, in ScalarOperand bias = default, ScalarOperand? scale = null)
    {
        RequireEqual(source, target, nameof(source));
        RequireElements(sum, 1);
        RequireReachable(sum, nameof(sum));
        Activate(Opcode.ActivationReduce, function, target, sum, source, bias, scale ?? 1f);
    }

    private void Activate(Opcode opcode, ActivationFunction function, in TileView target, in TileView sum, in TileView source, in ScalarOperand bias, in ScalarOperand scale)
    {
        var operation = new Operation
        {
            Target = target,
            Reduced = sum,
            First = source,
            Second = PerPartition(bias, target),
            Third = PerPartition(scale, target),
            Constant = bias.Constant,
            SecondConstant = scale.Constant,
        };
        Emit(StreamId.Scalar, Engine(opcode, operation, SecondIn(default)) with { Function = function }, operation);
    }

    private void Compute(StreamId engine, Opcode opcode, in Operation operation) =>
        Emit(engine, Engine(opcode, operation, SecondIn(operation.Second)), operation);

    private static Operands SecondIn(in TileView second) => !second.IsNone && second.Tile.Space == MemorySpace.Psum ? Operands.SecondInPsum : Operands.None;

    private Instruction Engine(Opcode opcode, in Operation operation, Operands second)
    {
        RequireReachable(operation.Target, "target");
        Operands operands = second | (operation.Target.Tile.Space == MemorySpace.Psum ? Operands.DestinationInPsum : Operands.None);
        bool twoTensors = opcode is Opcode.TensorTensor or Opcode.ScalarTensorTensor or Opcode.Scan or Opcode.Select;
        DataType source = operation.Target.Type;
        if (!operation.First.IsNone)
        {
            RequireReachable(operation.First, "source");
            source = operation.First.Type;
            operands |= operation.First.Tile.Space == MemorySpace.Psum ? Operands.FirstInPsum : Operands.None;
        }

        if (twoTensors)
        {
            RequireReachable(operation.Second, "second source");
            operands |= Operands.TwoTensors;
            source = Wider(source, operation.Second.Type);
        }

        if (IsStrided(operation.Target) || IsStrided(operation.First) || (twoTensors && IsStrided(operation.Second)))
        {
            operands |= Operands.Strided;
        }

        return new Instruction
        {
            Opcode = opcode,
            Source = source,
            Destination = operation.Target.Type,
            Partitions = operation.Target.Partitions,
            Free = (operation.First.IsNone ? operation.Target : operation.First).Free.Elements,
            Operands = operands,
        };
    }

    private bool IsStrided(in TileView view) => !view.IsNone && view.Free.Inner > 1
        && Math.Abs((long)view.Free.InnerStride) * view.Type.ByteSize() > (view.Tile.Space == MemorySpace.Psum ? Machine.Psum : Machine.Sbuf).FullRateStride.Value;

    /// <summary>Of two tensors the one with more bytes an element decides how fast an engine reads.</summary>
    private static DataType Wider(DataType first, DataType second) => second.ByteSize() > first.ByteSize() ? second : first;

    private TileView PerPartition(in ScalarOperand scalar, in TileView target)
    {
        if (scalar.PerPartition is not { } view)
        {
            return default;
        }

        RequireElements(view, 1);
        RequireReachable(view, nameof(scalar));
        if (view.Partitions != target.Partitions)
        {
            throw new ArgumentException(FormattableString.Invariant($"{_name}: found scalars of {view.Partitions} partitions ({BufferOf(view)}), expected {target.Partitions}, as many as the target has."), nameof(scalar));
        }

        return view;
    }

    private void RequireElements(in TileView view, int elements)
    {
        if (view.Free.Elements != elements)
        {
            throw new ArgumentException(FormattableString.Invariant($"{_name}: found {view.Elements} elements per partition of {BufferOf(view)}, expected {elements}."), nameof(view));
        }
    }

    /// <summary>The rows and columns of a part of the array belong to the partitions beside them.</summary>
    private void RequireOnTile(ArrayTile tile, in TileView result, in TileView stationary, int k)
    {
        if (tile.IsWhole)
        {
            return;
        }

        int finest = ArrayTile.Quarters / Math.Min(tile.RowQuarters, tile.ColumnQuarters);
        Require(finest <= Machine.TensorEngine.Parts, "parts along a side of the array", finest, Machine.TensorEngine.Parts);
        int row = Machine.TensorEngine.Rows / ArrayTile.Quarters, column = Machine.TensorEngine.Columns / ArrayTile.Quarters;
        if (k > tile.RowQuarters * row || stationary.StartPartition != tile.FirstRow * row || result.Partitions > tile.ColumnQuarters * column || result.StartPartition != tile.FirstColumn * column)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"{_name}: found K = {k} from partition {stationary.StartPartition} and {result.Partitions} results from partition {result.StartPartition} on a part of {tile.RowQuarters * row} rows from {tile.FirstRow * row} and {tile.ColumnQuarters * column} columns from {tile.FirstColumn * column}; operands and results lie in the partitions of their part."), nameof(tile));
        }
    }

    private void RequireGroups(in TileView target, in TileView source)
    {
        if (source.Partitions != target.Partitions || source.Free.Elements % target.Free.Elements != 0)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"{_name}: {source.Partitions} x {source.Elements} elements of {BufferOf(source)} cannot be reduced to {target.Partitions} x {target.Elements} of {BufferOf(target)}: the partitions must be equal and the elements a multiple."), nameof(source));
        }
    }

    private void RequireProduct(in TileView result, in TileView stationary, in TileView moving, int k, int blocks)
    {
        int m = result.Partitions, n = result.Free.Elements;
        bool rows = stationary.Partitions == moving.Partitions && k > stationary.Partitions * (blocks - 1) && k <= stationary.Partitions * blocks;
        bool columns = stationary.Free.Elements == m * blocks && moving.Free.Elements == n * blocks;
        bool types = moving.Type == stationary.Type || (moving.Type.ByteSize() <= 2 && stationary.Type.ByteSize() <= 2);
        if (!rows || !columns || !types)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"{_name}: stationary {stationary.Partitions} x {stationary.Elements} {stationary.Type.Label()} and moving {moving.Partitions} x {moving.Elements} {moving.Type.Label()} do not give {m} x {n} with K = {k}."), nameof(stationary));
        }

        if (result.Tile.Space != MemorySpace.Psum || result.Type != DataType.Fp32 || !result.Free.IsRow)
        {
            throw new ArgumentException(FormattableString.Invariant($"{_name}: a product goes to consecutive fp32 elements of a PSUM bank; found {BufferOf(result)} of {result.Type.Label()} in {result.Tile.Space}."), nameof(result));
        }
    }
}
