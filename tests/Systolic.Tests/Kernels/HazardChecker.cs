using Systolic.Programs;
using Systolic.Simulation;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

/// <summary>Replays a simulated program in the order its kernel was written and names the first tile that was touched too early.</summary>
internal sealed class HazardChecker(Program program, StreamState[] streams)
{
    private readonly (StreamId Stream, int Index)?[] _writer = new (StreamId, int)?[program.Tiles];
    private readonly List<(StreamId Stream, int Index)>[] _readers = [.. Enumerable.Range(0, program.Tiles).Select(_ => new List<(StreamId, int)>())];

    /// <summary>The first violation, or null.</summary>
    public static string? Find(Program program, StreamState[] streams) => new HazardChecker(program, streams).Find();

    private string? Find()
    {
        foreach ((StreamId stream, int index, Instruction op) in InWrittenOrder())
        {
            if ((Read(stream, index, op.First) ?? Read(stream, index, op.Second) ?? Read(stream, index, op.Third) ?? Write(stream, index, op.Target) ?? Write(stream, index, op.Reduced)) is { } problem)
            {
                return problem;
            }

            Record(stream, index, op);
        }

        return null;
    }

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

    private string? Read(StreamId stream, int index, int tile)
    {
        if (tile < 0)
        {
            return null;
        }

        return _writer[tile] is not { } writer ? Text(stream, index, tile, "reads what nothing wrote")
            : Done(writer) > Start(stream, index) ? Text(stream, index, tile, $"reads before {Text(writer)} completed")
            : null;
    }

    private string? Write(StreamId stream, int index, int tile)
    {
        if (tile < 0)
        {
            return null;
        }

        if (_writer[tile] is { } writer && Early(writer, stream, index))
        {
            return Text(stream, index, tile, $"writes before {Text(writer)} completed its write");
        }

        foreach ((StreamId Stream, int Index) reader in _readers[tile])
        {
            if (Early(reader, stream, index))
            {
                return Text(stream, index, tile, $"overwrites before {Text(reader)} completed its read");
            }
        }

        return null;
    }

    /// <summary>Within a stream the order suffices; across streams completion counts.</summary>
    private bool Early((StreamId Stream, int Index) before, StreamId stream, int index) => before.Stream == stream
        ? Start(before.Stream, before.Index) > Start(stream, index)
        : Done(before) > Start(stream, index);

    private void Record(StreamId stream, int index, in Instruction op)
    {
        foreach (int tile in new[] { op.Target, op.Reduced })
        {
            if (tile >= 0)
            {
                _writer[tile] = (stream, index);
                _readers[tile].Clear();
            }
        }

        foreach (int tile in new[] { op.First, op.Second, op.Third })
        {
            if (tile >= 0)
            {
                _readers[tile].Add((stream, index));
            }
        }
    }

    private long Start(StreamId stream, int index) => streams[(int)stream].Start[index];

    private long Done((StreamId Stream, int Index) at) => streams[(int)at.Stream].Done[at.Index];

    private string Text((StreamId Stream, int Index) at) => $"{at.Stream} {at.Index} ({program[at.Stream][at.Index].Opcode})";

    private string Text(StreamId stream, int index, int tile, string what) =>
        $"{program.Name}: {Text((stream, index))} {what}, tile {tile} of {program.Buffers.Last(buffer => buffer.FirstTile <= tile).Name}";
}
