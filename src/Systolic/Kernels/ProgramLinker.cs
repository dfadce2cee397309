using System.Collections.Immutable;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Links the programs of consecutive operators into one, so that the streams run on from operator to operator and only data and places order them.</summary>
/// <remarks>
/// Added waits: what touches a place of SBUF or PSUM waits for the earlier operators that used it; what reads a tensor of main memory for the operator that
/// wrote it, as a whole; what writes one for those that read and wrote it. Every other operator's buffers are mirrored, placed from the highest address
/// down, so that neighbours meet only where memory is short and the weights of the next operator can be loaded while one computes.
/// </remarks>
/// <param name="machine">The machine whose memories the programs share.</param>
/// <param name="name">The linked program's name.</param>
internal sealed class ProgramLinker(Accelerator machine, string name)
{
    private readonly List<Instruction>[] _streams = [.. Enumerable.Range(0, Streams.Count).Select(_ => new List<Instruction>())];
    private readonly List<SemaphoreWait> _waits = [];
    private readonly List<TileBuffer> _buffers = [];
    private readonly List<ImmutableArray<int>> _ends = [];
    private readonly LinkedMemory _memory = new();
    private readonly PlaceHistory[] _places = [new(), new()];
    private readonly Dictionary<string, Reached> _written = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Reached> _read = new(StringComparer.Ordinal);
    private readonly int[] _waited = new int[Streams.Count * Streams.Count];
    private int _tiles;
    private int _sequence;

    /// <summary>Parts so far.</summary>
    public int Parts => _ends.Count;

    /// <summary>Instructions so far.</summary>
    public int Length => _streams.Sum(stream => stream.Count);

    /// <summary>Adds a part in which the core does nothing.</summary>
    public void Skip() => _ends.Add([.. _streams.Select(stream => stream.Count)]);

    /// <summary>Adds what the core executes for <paramref name="op"/>.</summary>
    public void Add(Operator op, Program program)
    {
        bool mirrored = int.IsOddInteger(Parts);
        TileBuffer[] buffers = [.. program.Buffers.Select(buffer => Place(buffer, mirrored))];
        Reached[] places = new Reached[program.Tiles], last = [.. Enumerable.Range(0, program.Tiles).Select(_ => new Reached())];
        foreach ((TileBuffer buffer, int copy, int tile) in Tiles(buffers))
        {
            places[tile] = _places[(int)buffer.Space].Of(buffer.Start(copy), buffer.Start(copy + 1));
        }

        int[] offsets = [.. _streams.Select(stream => stream.Count)];
        var tensors = new TensorOrder(op, program, _written, _read, Reached.At(offsets));
        int memory = _memory.Add(program);
        for (var stream = StreamId.Tensor; (int)stream < Streams.Count; stream++)
        {
            List<Instruction> linked = _streams[(int)stream];
            foreach (ref readonly Instruction step in program[stream])
            {
                int firstWait = _waits.Count;
                foreach (SemaphoreWait wait in program.Waits.Slice(step.FirstWait, step.WaitCount))
                {
                    Wait(stream, wait.Stream, offsets[(int)wait.Stream] + wait.AtLeast);
                }

                int done = linked.Count + 1;
                Touch(step.Target);
                Touch(step.Reduced);
                Touch(step.First);
                Touch(step.Second);
                Touch(step.Third);
                Wait(stream, tensors.NeededBy(program, step));
                Wait(stream, tensors.FreedFor(step));
                tensors.Record(stream, step, done);
                linked.Add(step with
                {
                    Target = Shift(step.Target),
                    Reduced = Shift(step.Reduced),
                    First = Shift(step.First),
                    Second = Shift(step.Second),
                    Third = Shift(step.Third),
                    Memory = step.Memory < 0 ? -1 : step.Memory + memory,
                    Sequence = _sequence + step.Sequence,
                    FirstWait = firstWait,
                    WaitCount = _waits.Count - firstWait,
                });

                void Touch(int tile)
                {
                    if (tile >= 0 && last[tile].Count(stream, done))
                    {
                        Wait(stream, places[tile], exceptItself: true);
                    }
                }
            }
        }

        tensors.Keep();
        Keep(buffers, last);
        _buffers.AddRange(buffers);
        _tiles += program.Tiles;
        _sequence += program.Length;
        Skip();
    }

    /// <summary>The linked program.</summary>
    public Program Build() => new(name, [.. _streams.Select(stream => stream.ToArray())], [.. _waits], [.. _buffers], _memory.ToMap(), null) { PartEnds = [.. _ends] };

    private TileBuffer Place(TileBuffer buffer, bool mirrored)
    {
        long limit = (buffer.Space == MemorySpace.Sbuf ? machine.Sbuf : machine.Psum).PartitionSize.Value;
        return buffer with { FirstTile = _tiles + buffer.FirstTile, Address = mirrored ? limit - buffer.End : buffer.Address };
    }

    private IEnumerable<(TileBuffer Buffer, int Copy, int Tile)> Tiles(TileBuffer[] buffers) =>
        from buffer in buffers
        from copy in Enumerable.Range(0, buffer.Copies)
        select (buffer, copy, buffer.FirstTile - _tiles + copy);

    /// <summary>Buffers of one operator may follow each other at one place, so first all earlier uses go, then all new ones come.</summary>
    private void Keep(TileBuffer[] buffers, Reached[] last)
    {
        (TileBuffer Buffer, int Copy, int Tile)[] used = [.. Tiles(buffers).Where(tile => !last[tile.Tile].IsNothing)];
        foreach ((TileBuffer buffer, int copy, _) in used)
        {
            _places[(int)buffer.Space].Forget(buffer.Start(copy), buffer.Start(copy + 1));
        }

        foreach ((TileBuffer buffer, int copy, int tile) in used)
        {
            _places[(int)buffer.Space].Add(buffer.Start(copy), buffer.Start(copy + 1), last[tile]);
        }
    }

    private void Wait(StreamId consumer, Reached reached, bool exceptItself = false)
    {
        for (int s = 0; s < Streams.Count; s++)
        {
            if (!exceptItself || s != (int)consumer)
            {
                Wait(consumer, (StreamId)s, reached[s]);
            }
        }
    }

    private void Wait(StreamId consumer, StreamId producer, int count)
    {
        ref int waited = ref _waited[((int)consumer * Streams.Count) + (int)producer];
        if (count > waited)
        {
            waited = count;
            _waits.Add(new SemaphoreWait(producer, count));
        }
    }

    private int Shift(int tile) => tile < 0 ? -1 : tile + _tiles;
}
