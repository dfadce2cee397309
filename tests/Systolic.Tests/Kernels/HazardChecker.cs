using System.Collections;
using Systolic.Programs;
using Systolic.Simulation;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

/// <summary>Replays a simulated program in the order its kernel was written and names the first elements that were touched too early.</summary>
/// <remarks>Every element of a view is listed, where the program keeps views; else, and where a view says so, an instruction touches whole tiles.</remarks>
internal sealed class HazardChecker(Program program, StreamState[] streams)
{
    private readonly Dictionary<(int Offset, FreePattern Free), BitArray> _elements = [];
    private readonly Dictionary<Use, int>[] _written = [.. Enumerable.Range(0, program.Tiles).Select(_ => new Dictionary<Use, int>())];
    private readonly Dictionary<Use, int>[] _read = [.. Enumerable.Range(0, program.Tiles).Select(_ => new Dictionary<Use, int>())];

    /// <summary>A stream's last use of a region; its completions come in order.</summary>
    private readonly record struct Use(StreamId Stream, int Partition, int EndPartition, int First, int Last, BitArray? Elements);

    /// <summary>The first violation, or null.</summary>
    public static string? Find(Program program, StreamState[] streams) => new HazardChecker(program, streams).Find();

    private string? Find()
    {
        foreach ((StreamId stream, int index, Instruction op) in InWrittenOrder())
        {
            Operation views = program.HasValues ? program.OperationOf(stream, index) : default;
            (int Tile, Use Use)[] reads = [.. Uses(stream, (op.First, views.First), (op.Second, views.Second), (op.Third, views.Third))];
            (int Tile, Use Use)[] writes = [.. Uses(stream, (op.Target, views.Target), (op.Reduced, views.Reduced))];
            if ((reads.Select(read => Read(index, read.Tile, read.Use)).FirstOrDefault(found => found is not null)
                ?? writes.Select(write => Write(index, write.Tile, write.Use)).FirstOrDefault(found => found is not null)) is { } problem)
            {
                return problem;
            }

            foreach ((int tile, Use use) in writes)
            {
                Forget(_written[tile], use);
                Forget(_read[tile], use);
                _written[tile][use] = index;
            }

            foreach ((int tile, Use use) in reads)
            {
                _read[tile][use] = index;
            }
        }

        return null;
    }

    private IEnumerable<(int Tile, Use Use)> Uses(StreamId stream, params (int Tile, TileView View)[] operands) =>
        from operand in operands
        where operand.Tile >= 0
        select (operand.Tile, operand.View.IsNone || operand.View.IsWhole
            ? new Use(stream, 0, int.MaxValue, 0, int.MaxValue, null)
            : new Use(stream, operand.View.StartPartition, operand.View.StartPartition + operand.View.Partitions,
                operand.View.Offset + operand.View.Free.Lowest, operand.View.Offset + operand.View.Free.Highest, Elements(operand.View)));

    private BitArray Elements(TileView view)
    {
        if (!_elements.TryGetValue((view.Offset, view.Free), out BitArray? elements))
        {
            elements = new BitArray(program.Buffers.Max(buffer => buffer.Elements));
            for (int i = 0; i < view.Elements; i++)
            {
                elements[view.Offset + view.Free[i]] = true;
            }

            _elements.Add((view.Offset, view.Free), elements);
        }

        return elements;
    }

    private static bool Overlap(Use one, Use other) => one.Partition < other.EndPartition && other.Partition < one.EndPartition && one.First <= other.Last && other.First <= one.Last
        && (one.Elements is null || other.Elements is null || ReferenceEquals(one.Elements, other.Elements) || new BitArray(one.Elements).And(other.Elements).HasAnySet());

    private static void Forget(Dictionary<Use, int> uses, Use covering)
    {
        foreach (Use use in uses.Keys.Where(use => Covers(covering, use)).ToArray())
        {
            uses.Remove(use);
        }
    }

    private static bool Covers(Use whole, Use part) => whole.Partition <= part.Partition && whole.EndPartition >= part.EndPartition && whole.First <= part.First && whole.Last >= part.Last
        && (whole.Elements is null || ReferenceEquals(whole.Elements, part.Elements)
            || (part.Elements is not null && !new BitArray(whole.Elements).Not().And(part.Elements).HasAnySet()));

    private IEnumerable<(StreamId Stream, int Index, Instruction Op)> InWrittenOrder()
    {
        var all = new List<(StreamId Stream, int Index, Instruction Op)>();
        for (StreamId stream = 0; (int)stream < Streams.Count; stream++)
        {
            for (int i = 0; i < program[stream].Length; i++)
            {
                all.Add((stream, i, program[stream][i]));
            }
        }

        return all.OrderBy(entry => entry.Op.Sequence);
    }

    private string? Read(int index, int tile, Use use)
    {
        bool written = false;
        foreach ((Use writer, int at) in _written[tile])
        {
            if (Overlap(writer, use))
            {
                written = true;
                if (Done(writer.Stream, at) > Start(use.Stream, index))
                {
                    return Text(use.Stream, index, tile, $"reads before {Text(writer.Stream, at)} completed");
                }
            }
        }

        return written ? null : Text(use.Stream, index, tile, "reads what nothing wrote");
    }

    private string? Write(int index, int tile, Use use) =>
        Early(_written[tile], index, use) is { } writer ? Text(use.Stream, index, tile, $"writes before {writer} completed its write")
        : Early(_read[tile], index, use) is { } reader ? Text(use.Stream, index, tile, $"overwrites before {reader} completed its read")
        : null;

    /// <summary>Within a stream the order suffices; across streams completion counts.</summary>
    private string? Early(Dictionary<Use, int> before, int index, Use use)
    {
        foreach ((Use other, int at) in before)
        {
            if ((other.Stream == use.Stream ? Start(other.Stream, at) : Done(other.Stream, at)) > Start(use.Stream, index) && Overlap(other, use))
            {
                return Text(other.Stream, at);
            }
        }

        return null;
    }

    private long Start(StreamId stream, int index) => streams[(int)stream].Start[index];

    private long Done(StreamId stream, int index) => streams[(int)stream].Done[index];

    private string Text(StreamId stream, int index) => $"{stream} {index} ({program[stream][index].Opcode})";

    private string Text(StreamId stream, int index, int tile, string what) =>
        $"{program.Name}: {Text(stream, index)} {what}, tile {tile} of {program.Buffers.Last(buffer => buffer.FirstTile <= tile).Name}";
}
