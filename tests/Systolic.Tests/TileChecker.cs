using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests;

/// <summary>Names the first instruction of a program that reads, writes or moves more than its tile holds.</summary>
internal static class TileChecker
{
    public static string? Find(Program program, Accelerator machine)
    {
        TileBuffer[] buffers = [.. program.Buffers.SelectMany(buffer => Enumerable.Repeat(buffer, buffer.Copies))];
        var bounds = new Dictionary<FreePattern, (int Lowest, int Highest)>();
        for (StreamId stream = 0; (int)stream < Streams.Count; stream++)
        {
            for (int index = 0; index < program[stream].Length; index++)
            {
                Instruction op = program[stream][index];
                if (program.HasValues && Outside(program.OperationOf(stream, index), op, buffers, bounds) is { } outside)
                {
                    return $"{program.Name}: {op.Opcode} of {op.Partitions} x {op.Free} {outside}";
                }

                if (Reads(stream, op) > 0 && op.First >= 0 && Reads(stream, op) > buffers[op.First].BytesPerPartition)
                {
                    return $"{program.Name}: {op.Opcode} of {op.Partitions} x {op.Free} reads {Reads(stream, op)} B of {buffers[op.First].Name}, which has {buffers[op.First].BytesPerPartition} B";
                }

                int tile = stream.IsQueue() && op.Target < 0 ? op.First : op.Target;
                if (tile >= 0 && Needed(stream, op) is var needed && needed > Held(stream, buffers[tile], machine))
                {
                    return $"{program.Name}: {op.Opcode} of {op.Partitions} x {op.Free} needs {needed} B of {buffers[tile].Name}, which has {Held(stream, buffers[tile], machine)} B";
                }
            }
        }

        return null;
    }

    /// <summary>The first view that names another tile than its instruction, or elements that its tile does not have.</summary>
    private static string? Outside(Operation views, Instruction op, TileBuffer[] buffers, Dictionary<FreePattern, (int Lowest, int Highest)> bounds)
    {
        foreach ((int tile, TileView view) in new[] { (op.Target, views.Target), (op.Reduced, views.Reduced), (op.First, views.First), (op.Second, views.Second), (op.Third, views.Third) })
        {
            if (tile != (view.IsNone ? -1 : view.Tile.Index))
            {
                return $"names tile {tile}, its view {view.Tile.Index}";
            }

            if (tile < 0)
            {
                continue;
            }

            if (!bounds.TryGetValue(view.Free, out (int Lowest, int Highest) free))
            {
                int[] elements = [.. Enumerable.Range(0, view.Elements).Select(i => view.Free[i])];
                bounds.Add(view.Free, free = (elements.Min(), elements.Max()));
            }

            (int first, int last) = (view.Offset + free.Lowest, view.Offset + free.Highest);
            if (view.StartPartition < 0 || view.StartPartition + view.Partitions > buffers[tile].Partitions || first < 0 || last >= buffers[tile].Elements)
            {
                return $"touches partitions {view.StartPartition} to {view.StartPartition + view.Partitions - 1}, elements {first} to {last} of {buffers[tile].Name}, which has {buffers[tile].Partitions} x {buffers[tile].Elements}";
            }
        }

        return null;
    }

    /// <summary>Bytes of one partition that an engine reads of its first operand; not checked where a second may be of another type, for an instruction names one type only.</summary>
    private static long Reads(StreamId stream, in Instruction op) =>
        stream is StreamId.Vector or StreamId.Scalar or StreamId.GpSimd && !op.Operands.HasFlag(Operands.TwoTensors) && op.Opcode != Opcode.BatchNormAggregate
            ? (long)op.Free * op.Source.ByteSize()
            : 0;

    /// <summary>Bytes of all partitions for a transfer, of one partition otherwise.</summary>
    private static long Needed(StreamId stream, in Instruction op) => (stream, op.Opcode) switch
    {
        _ when stream.IsQueue() => op.TransferBytes,
        (StreamId.Exchange, _) => 0,
        (_, Opcode.TensorReduce or Opcode.ActivationReduce or Opcode.BatchNormStats or Opcode.BatchNormAggregate or Opcode.Max8 or Opcode.FindIndex8) => 0,
        _ => (long)op.Free * op.Destination.ByteSize(),
    };

    private static long Held(StreamId stream, TileBuffer buffer, Accelerator machine) =>
        buffer.BytesPerPartition * (stream.IsQueue() ? machine.Sbuf.Partitions : 1);
}
