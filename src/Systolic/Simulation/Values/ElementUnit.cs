using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>Instructions of the vector, scalar and general-purpose engines, partition by partition.</summary>
internal sealed class ElementUnit(TileMemory tiles)
{
    private readonly float[][] _buffers = [[], [], []];

    /// <summary>Executes one instruction.</summary>
    public void Execute(in Instruction op, in Operation operation)
    {
        tiles.Touch(operation.Target.Tile);
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
            tiles.Touch(operation.Reduced.Tile);
            Span<float> sum = Buffer(2, 1);
            sum[0] = Alu.Sum(result);
            tiles.Write(operation.Reduced, partition, sum);
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
        AffineCondition condition = operation.Condition;
        long start = condition.Base + ((long)partition * condition.PartitionStep);
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = start + ((long)i * condition.ElementStep) >= 0 ? source[i] : operation.Constant;
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
