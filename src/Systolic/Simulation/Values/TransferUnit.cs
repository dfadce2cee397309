using System.Numerics.Tensors;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>Moves values between main memory and tiles, as <c>KernelBuilder</c> defines its transfers.</summary>
internal sealed class TransferUnit(Program program, TileMemory tiles, MainMemory memory)
{
    /// <summary>Index of a row that is not scattered.</summary>
    private const float Skipped = -1;

    private float[] _row = [];

    /// <summary>Executes one transfer.</summary>
    public void Execute(in Instruction op, in Operation operation)
    {
        if (!operation.Target.IsNone)
        {
            tiles.Touch(operation.Target.Tile);
        }

        if (op.Opcode == Opcode.LocalCopy)
        {
            for (int row = 0; row < operation.First.Partitions; row++)
            {
                tiles.Place(operation.Target, row, tiles.Read(operation.First, row, Row(operation.First.Free.Elements)));
            }

            return;
        }

        if (op.Opcode == Opcode.LocalTranspose)
        {
            for (int row = 0; row < operation.First.Partitions; row++)
            {
                ReadOnlySpan<float> values = tiles.Read(operation.First, row, Row(operation.First.Free.Elements));
                PlaceColumn(operation.Target, row, operation.First.Partitions, values);
            }

            return;
        }

        MemoryView view = program.MemoryOf(op) ?? throw new NotSupportedException("its place in main memory is not said");
        switch (op.Opcode)
        {
            case Opcode.Load:
                Load(operation.Target, view);
                break;
            case Opcode.LoadTransposed:
                for (int row = 0; row < view.Pattern.AllRows; row++)
                {
                    PlaceColumn(operation.Target, row, view.Pattern.AllRows, Read(view, row));
                }

                break;
            case Opcode.Store:
                Store(view, operation.First);
                break;
            case Opcode.MemoryCopy:
                MemoryView target = program.MemoryTargetOf(op)!.Value;
                for (int row = 0; row < view.Pattern.AllRows; row++)
                {
                    Write(target, row, Read(view, row));
                }

                break;
            case Opcode.MemorySum:
                Add(op, program.MemoryTargetOf(op)!.Value);
                break;
            case Opcode.Gather:
                for (int partition = 0; partition < operation.Target.Partitions; partition++)
                {
                    tiles.Place(operation.Target, partition, ReadAs(operation.Target, view, RowNamed(operation.Second, partition, view)));
                }

                break;
            default:
                for (int partition = 0; partition < operation.First.Partitions; partition++)
                {
                    if (tiles.ReadOne(operation.Second, partition) == Skipped)
                    {
                        continue;
                    }

                    Write(view, RowNamed(operation.Second, partition, view), tiles.Read(operation.First, partition, Row(view.Pattern.RowElements)));
                }

                break;
        }
    }

    /// <summary>Adds from the first source to the last and rounds once.</summary>
    private void Add(in Instruction op, in MemoryView target)
    {
        var sum = new float[target.Pattern.RowElements];
        for (int row = 0; row < target.Pattern.AllRows; row++)
        {
            sum.AsSpan().Clear();
            for (int source = 0; source < op.Sources; source++)
            {
                TensorPrimitives.Add(sum, Read(program.MemoryOf(op, source)!.Value, row), sum);
            }

            Rounding.Round(sum, sum, target.Tensor.Type);
            Write(target, row, sum);
        }
    }

    private void Load(in TileView target, in MemoryView view)
    {
        int width = view.Pattern.RowElements;
        for (int row = 0; row < view.Pattern.AllRows; row++)
        {
            (int wrap, int partition) = Math.DivRem(row, target.Partitions);
            ReadOnlySpan<float> values = ReadAs(target, view, row);
            if (width == target.Free.Elements)
            {
                tiles.Place(target, partition, values);
            }
            else
            {
                PlaceSome(target, partition, wrap * width, values);
            }
        }
    }

    private void Store(in MemoryView view, in TileView source)
    {
        int width = view.Pattern.RowElements;
        for (int row = 0; row < view.Pattern.AllRows; row++)
        {
            (int wrap, int partition) = Math.DivRem(row, source.Partitions);
            Write(view, row, width == source.Free.Elements ? tiles.Read(source, partition, Row(width)) : ReadSome(source, partition, wrap * width, width));
        }
    }

    /// <summary>Feature f to partition f mod P, in block f div P, at the row's place.</summary>
    private void PlaceColumn(in TileView target, int row, int rows, ReadOnlySpan<float> features)
    {
        for (int f = 0; f < features.Length; f++)
        {
            (int block, int partition) = Math.DivRem(f, target.Partitions);
            tiles.Partition(target, partition)[target.Offset + target.Free[(block * rows) + row]] = features[f];
        }
    }

    private void PlaceSome(in TileView target, int partition, int first, ReadOnlySpan<float> values)
    {
        Span<float> all = tiles.Partition(target, partition);
        for (int i = 0; i < values.Length; i++)
        {
            all[target.Offset + target.Free[first + i]] = values[i];
        }
    }

    private Span<float> ReadSome(in TileView source, int partition, int first, int count)
    {
        Span<float> values = Row(count);
        ReadOnlySpan<float> all = tiles.Partition(source, partition);
        for (int i = 0; i < count; i++)
        {
            values[i] = all[source.Offset + source.Free[first + i]];
        }

        return Unwritten.In(values) ? throw new UnwrittenException(tiles.Describe(source, partition)) : values;
    }

    private int RowNamed(in TileView indices, int partition, in MemoryView view)
    {
        float index = tiles.ReadOne(indices, partition);
        return index >= 0 && index < view.Pattern.AllRows && index == MathF.Truncate(index)
            ? (int)index
            : throw new InvalidOperationException(FormattableString.Invariant($"{program.Name}: {tiles.Describe(indices, partition)} holds index {index}, expected a row of {view.Tensor.Name}: 0 to {view.Pattern.AllRows - 1}."));
    }

    /// <summary>A row in the type of a tile.</summary>
    private ReadOnlySpan<float> ReadAs(in TileView target, in MemoryView view, int row)
    {
        ReadOnlySpan<float> values = Read(view, row);
        if (view.Tensor.Type == target.Type)
        {
            return values;
        }

        Span<float> converted = Row(values.Length);
        Rounding.Round(values, converted, target.Type);
        return converted;
    }

    private ReadOnlySpan<float> Read(in MemoryView view, int row)
    {
        ReadOnlySpan<float> all = memory[view.Tensor];
        long start = view.Offset + view.Pattern.RowOffset(row);
        ReadOnlySpan<float> values = all.Slice((int)start, view.Pattern.Elements);
        if (view.Pattern.Blocks > 1)
        {
            values = Gather(all, view, start);
        }

        return view.Tensor.Role != MemoryRole.Input && Unwritten.In(values) ? throw new UnwrittenException(FormattableString.Invariant($"element {start} or after of {view.Tensor.Name} in main memory")) : values;
    }

    private Span<float> Gather(ReadOnlySpan<float> all, scoped in MemoryView view, long start)
    {
        Span<float> values = Row(view.Pattern.RowElements);
        for (int block = 0; block < view.Pattern.Blocks; block++)
        {
            all.Slice((int)(start + (block * view.Pattern.BlockStride)), view.Pattern.Elements).CopyTo(values[(block * view.Pattern.Elements)..]);
        }

        return values;
    }

    private void Write(in MemoryView view, int row, ReadOnlySpan<float> values)
    {
        Span<float> all = memory[view.Tensor];
        long start = view.Offset + view.Pattern.RowOffset(row);
        for (int block = 0; block < view.Pattern.Blocks; block++)
        {
            values.Slice(block * view.Pattern.Elements, view.Pattern.Elements).CopyTo(all[(int)(start + (block * view.Pattern.BlockStride))..]);
        }
    }

    private Span<float> Row(int elements)
    {
        if (_row.Length < elements)
        {
            _row = new float[elements];
        }

        return _row.AsSpan(0, elements);
    }
}
