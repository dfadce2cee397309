using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>Instructions of the vector, scalar and general-purpose engines, partition by partition.</summary>
internal sealed class ElementUnit(TileMemory tiles)
{
    private const int Square = 32;

    private readonly float[][] _buffers = [[], [], []];

    /// <summary>Executes one instruction.</summary>
    public void Execute(in Instruction op, in Operation operation)
    {
        tiles.Touch(operation.Target.Tile);
        if (op.Opcode == Opcode.VectorTranspose)
        {
            TransposeSquares(operation);
            return;
        }

        for (int partition = 0; partition < operation.Target.Partitions; partition++)
        {
            Span<float> result = Buffer(0, operation.Target.Free.Elements);
            Compute(op, operation, partition, result);
            tiles.Write(operation.Target, partition, result);
        }
    }

    private void Compute(in Instruction op, in Operation operation, int partition, Span<float> result)
    {
        switch (op.Opcode)
        {
            case Opcode.Memset:
                result.Fill(operation.Constant);
                break;
            case Opcode.Copy:
                First(operation, partition).CopyTo(result);
                break;
            case Opcode.TensorTensor:
                Alu.Apply(operation.Operator, First(operation, partition), Second(operation, partition), result);
                break;
            case Opcode.TensorScalar:
                Alu.Apply(operation.Operator, First(operation, partition), Scalar(operation.Second, operation.Constant, partition), result);
                Alu.Apply(operation.SecondOperator, result, Scalar(operation.Third, operation.SecondConstant, partition), result);
                break;
            case Opcode.TensorScalarReduce:
                Alu.Apply(operation.Operator, First(operation, partition), Scalar(operation.Second, operation.Constant, partition), result);
                WriteReduced(operation, partition, Alu.Reduce(operation.SecondOperator, result));
                break;
            case Opcode.RangeSelect:
                SelectRange(operation, First(operation, partition), partition, result);
                WriteReduced(operation, partition, Alu.Reduce(AluOperator.Maximum, result));
                break;
            case Opcode.ScalarTensorTensor:
                Alu.Apply(operation.Operator, First(operation, partition), Scalar(operation.Third, operation.Constant, partition), result);
                Alu.Apply(operation.SecondOperator, result, Second(operation, partition), result);
                break;
            case Opcode.TensorReduce:
                Reduce(operation, First(operation, partition), result);
                break;
            case Opcode.Reciprocal:
                First(operation, partition).CopyTo(result);
                foreach (ref float value in result)
                {
                    value = 1 / value;
                }

                break;
            case Opcode.BatchNormStats:
                Moments.Measure(First(operation, partition), result);
                break;
            case Opcode.BatchNormAggregate:
                Moments.Combine(First(operation, partition), result);
                break;
            case Opcode.Scan:
                Scan(operation, partition, result);
                break;
            case Opcode.Select:
                Choose(operation, partition, result);
                break;
            case Opcode.FindIndex8:
                Find(First(operation, partition), Second(operation, partition), result);
                break;
            case Opcode.MatchReplace8:
                First(operation, partition).CopyTo(result);
                Replace(result, Second(operation, partition), operation.Constant);
                break;
            case Opcode.Max8:
                Largest(First(operation, partition), result);
                break;
            case Opcode.Iota:
                for (int i = 0; i < result.Length; i++)
                {
                    result[i] = Number(operation.Condition, partition, i);
                }

                break;
            case Opcode.AffineSelect:
                Select(operation, First(operation, partition), partition, result);
                break;
            case Opcode.Activation or Opcode.ActivationReduce:
                Activate(op, operation, partition, result);
                break;
            default:
                throw new NotSupportedException($"{op.Opcode} is timed only");
        }
    }

    private void TransposeSquares(in Operation operation)
    {
        (TileView source, int width) = (operation.First, operation.First.Free.Elements);
        var squares = new float[source.Partitions][];
        for (int partition = 0; partition < squares.Length; partition++)
        {
            squares[partition] = First(operation, partition).ToArray();
        }

        for (int partition = 0; partition < squares.Length; partition++)
        {
            (int block, int within) = (partition / Square * Square, partition % Square);
            Span<float> row = Buffer(0, width);
            for (int i = 0; i < width; i++)
            {
                row[i] = squares[block + (i % Square)][(i / Square * Square) + within];
            }

            tiles.Write(operation.Target, partition, row);
        }
    }

    private void Activate(in Instruction op, in Operation operation, int partition, Span<float> result)
    {
        float bias = Scalar(operation.Second, operation.Constant, partition), scale = Scalar(operation.Third, operation.SecondConstant, partition);
        ReadOnlySpan<float> source = First(operation, partition);
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = ActivationTable.Evaluate(op.Function, (source[i] * scale) + bias);
        }

        if (op.Opcode == Opcode.ActivationReduce)
        {
            WriteReduced(operation, partition, Alu.Sum(result));
        }
    }

    private void WriteReduced(in Operation operation, int partition, float value)
    {
        tiles.Touch(operation.Reduced.Tile);
        Span<float> reduced = Buffer(2, 1);
        reduced[0] = value;
        tiles.Write(operation.Reduced, partition, reduced);
    }

    private void SelectRange(in Operation operation, ReadOnlySpan<float> source, int partition, Span<float> result)
    {
        float lower = Scalar(operation.Second, operation.Constant, partition), upper = Scalar(operation.Third, operation.SecondConstant, partition);
        for (int i = 0; i < result.Length; i++)
        {
            int position = operation.Condition.Base + i;
            result[i] = position >= lower && position < upper ? source[i] : float.MinValue;
        }
    }

    private static void Reduce(in Operation operation, ReadOnlySpan<float> source, Span<float> result)
    {
        int group = source.Length / result.Length;
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = operation.Constant * Alu.Reduce(operation.Operator, source.Slice(i * group, group));
        }
    }

    private static void Select(in Operation operation, ReadOnlySpan<float> source, int partition, Span<float> result)
    {
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = Number(operation.Condition, partition, i) >= 0 ? source[i] : operation.Constant;
        }
    }

    private static long Number(AffineCondition numbers, int partition, int element) =>
        numbers.Base + ((long)partition * numbers.PartitionStep) + ((long)element * numbers.ElementStep);

    private void Scan(in Operation operation, int partition, Span<float> result)
    {
        ReadOnlySpan<float> first = First(operation, partition), second = Second(operation, partition);
        float last = Scalar(operation.Third, operation.Constant, partition);
        for (int i = 0; i < result.Length; i++)
        {
            last = Alu.Apply(operation.SecondOperator, Alu.Apply(operation.Operator, last, first[i]), second[i]);
            result[i] = last;
        }
    }

    private void Choose(in Operation operation, int partition, Span<float> result)
    {
        ReadOnlySpan<float> source = First(operation, partition), predicate = Second(operation, partition);
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = predicate[i] != 0 ? source[i] : tiles.Element(operation.Target, partition, i);
        }
    }

    private static void Largest(ReadOnlySpan<float> source, Span<float> result)
    {
        float[] sorted = source.ToArray();
        Array.Sort(sorted);
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = i < sorted.Length ? sorted[^(i + 1)] : float.NegativeInfinity;
        }
    }

    private static void Find(ReadOnlySpan<float> source, ReadOnlySpan<float> values, Span<float> result)
    {
        for (int i = 0; i < result.Length; i++)
        {
            // Behind the equal value before; nowhere if that one was not found.
            int from = values[..i].LastIndexOf(values[i]) is var before and >= 0 ? (result[before] < 0 ? source.Length : (int)result[before] + 1) : 0;
            int found = source[from..].IndexOf(values[i]);
            result[i] = found < 0 ? -1 : from + found;
        }
    }

    private static void Replace(Span<float> row, ReadOnlySpan<float> values, float replacement)
    {
        foreach (float value in values)
        {
            if (row.IndexOf(value) is var at and >= 0)
            {
                row[at] = replacement;
            }
        }
    }

    private ReadOnlySpan<float> First(in Operation operation, int partition) => tiles.Read(operation.First, partition, Buffer(1, operation.First.Free.Elements));

    private ReadOnlySpan<float> Second(in Operation operation, int partition) => tiles.Read(operation.Second, partition, Buffer(2, operation.Second.Free.Elements));

    private float Scalar(in TileView perPartition, float constant, int partition) => perPartition.IsNone ? constant : tiles.ReadOne(perPartition, partition);

    private Span<float> Buffer(int number, int elements)
    {
        if (_buffers[number].Length < elements)
        {
            _buffers[number] = new float[elements];
        }

        return _buffers[number].AsSpan(0, elements);
    }
}
