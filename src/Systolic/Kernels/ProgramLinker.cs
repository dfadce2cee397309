using System.Collections.Immutable;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>Links the programs of consecutive operators into one, so that the streams run on from operator to operator and only data and places order them.</summary>
/// <remarks>
/// Added waits: what touches a place of SBUF or PSUM waits for the earlier operators that used it; what reads a tensor of main memory for the operator that
/// wrote it, as a whole; what writes one for those that read and wrote it. An operator's buffers lie where others were used longest ago
/// (<see cref="PartPlaces"/>). Activations that fit beside them stay in SBUF (<see cref="ResidentTensors"/>).
/// </remarks>
/// <param name="machine">The machine whose memories the programs share.</param>
/// <param name="name">The linked program's name.</param>
/// <param name="kept">Tensors that must lie in main memory when the program ends.</param>
internal sealed class ProgramLinker(Accelerator machine, string name, IReadOnlySet<string> kept)
{
    private readonly List<LinkedPart?> _parts = [];
    private readonly List<Instruction>[] _streams = [.. Enumerable.Range(0, Streams.Count).Select(_ => new List<Instruction>())];
    private readonly List<SemaphoreWait> _waits = [];
    private readonly List<TileBuffer> _buffers = [];
    private readonly List<ImmutableArray<int>> _ends = [];
    private readonly LinkedMemory _memory = new();
    private readonly PlaceHistory[] _places = [new(), new()];
    private readonly PartPlaces[] _extents = [new(), new()];
    private readonly Dictionary<string, Reached> _written = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Reached> _read = new(StringComparer.Ordinal);
    private readonly int[] _waited = new int[Streams.Count * Streams.Count];
    private int _tiles;
    private int _sequence;

    /// <summary>Instructions so far.</summary>
    public int Length { get; private set; }

    /// <summary>Adds a part in which the core does nothing.</summary>
    public void Skip() => _parts.Add(null);

    /// <summary>Adds what the core executes for <paramref name="op"/>.</summary>
    public void Add(Operator op, Program program)
    {
        _parts.Add(new LinkedPart(op, program));
        Length += program.Length;
    }

    /// <summary>The linked program; of each tensor that stayed on chip the buffer bears the name.</summary>
    public Program Build()
    {
        var residents = new ResidentTensors(_parts, machine, kept);
        _buffers.AddRange(residents.Buffers);
        _tiles = residents.Buffers.Length;
        long reach = Reach();
        for (int part = 0; part < _parts.Count; part++)
        {
            if (_parts[part] is { } linked)
            {
                Link(linked, Math.Min(reach, residents.LimitOf(part)), residents);
            }

            _ends.Add([.. _streams.Select(stream => stream.Count)]);
        }

        return new Program(name, [.. _streams.Select(stream => stream.ToArray())], [.. _waits], [.. _buffers], _memory.ToMap(), null) { PartEnds = [.. _ends] };
    }

    /// <summary>SBUF that the parts go round in: all of it where weights stream through, else what any four in a row need, so that programs do not change with the size of a large SBUF.</summary>
    private long Reach()
    {
        const int Beside = 4;
        long limit = machine.Sbuf.PartitionSize.Value;
        return _parts.Any(part => part is not null && MatMulPlan.IsStream(part.Op, machine)) ? limit
            : Math.Min(limit, Enumerable.Range(0, _parts.Count).Max(part => Enumerable.Range(part, Beside).Sum(other => Held(_parts, other))));
    }

    /// <summary>Bytes of SBUF a partition that a part holds; none of a part that there is not.</summary>
    public static long Held(List<LinkedPart?> parts, int part) => part < parts.Count ? parts[part]?.Program.BytesPerPartition(MemorySpace.Sbuf) ?? 0 : 0;

    /// <summary>Within a part, tiles are numbered as in its program, and behind them the tensors that stay on chip.</summary>
    private void Link(LinkedPart part, long limit, ResidentTensors residents)
    {
        Program program = part.Program;
        TileBuffer[] own = Place(program, limit);
        (TileBuffer Buffer, int Copy)[] tiles = [.. own.Concat(residents.Buffers).SelectMany(buffer => Enumerable.Range(0, buffer.Copies).Select(copy => (buffer, copy)))];
        Reached[] places = [.. tiles.Select(tile => _places[(int)tile.Buffer.Space].Of(tile.Buffer.Start(tile.Copy), tile.Buffer.Start(tile.Copy + 1)))];
        Reached[] last = [.. tiles.Select(_ => new Reached())];
        int[] offsets = [.. _streams.Select(stream => stream.Count)];
        var tensors = new TensorOrder(part, _written, _read, Reached.At(offsets));
        int memory = _memory.Add(program);
        for (var stream = StreamId.Tensor; (int)stream < Streams.Count; stream++)
        {
            List<Instruction> linked = _streams[(int)stream];
            foreach (ref readonly Instruction written in program[stream])
            {
                int firstWait = _waits.Count, count = linked.Count + 1;
                foreach (SemaphoreWait wait in program.Waits.Slice(written.FirstWait, written.WaitCount))
                {
                    Wait(stream, wait.Stream, offsets[(int)wait.Stream] + wait.AtLeast);
                }

                Instruction step = residents.Redirect(part, written);
                Touch(step.Target);
                Touch(step.Reduced);
                Touch(step.First);
                Touch(step.Second);
                Touch(step.Third);
                Wait(stream, tensors.NeededBy(written));
                Wait(stream, tensors.FreedFor(written));
                tensors.Record(stream, written, count);
                linked.Add(step with
                {
                    Target = Number(step.Target),
                    Reduced = Number(step.Reduced),
                    First = Number(step.First),
                    Second = Number(step.Second),
                    Third = Number(step.Third),
                    Memory = step.Memory < 0 ? -1 : step.Memory + memory,
                    Sequence = _sequence + step.Sequence,
                    FirstWait = firstWait,
                    WaitCount = _waits.Count - firstWait,
                });

                void Touch(int tile)
                {
                    if (tile >= 0 && last[tile].Count(stream, count))
                    {
                        Wait(stream, places[tile], exceptItself: true);
                    }
                }
            }
        }

        tensors.Keep();
        Keep(tiles, last);
        _buffers.AddRange(own.Select(buffer => buffer with { FirstTile = _tiles + buffer.FirstTile }));
        _tiles += program.Tiles;
        _sequence += program.Length;

        int Number(int tile) => tile < 0 ? -1 : tile < program.Tiles ? _tiles + tile : tile - program.Tiles;
    }

    /// <summary>The buffers of a program with their places among the others'; SBUF is free for them below <paramref name="limit"/>.</summary>
    private TileBuffer[] Place(Program program, long limit)
    {
        long[] held = [program.BytesPerPartition(MemorySpace.Sbuf), program.BytesPerPartition(MemorySpace.Psum)];
        (long Start, bool Mirrored)[] places = [_extents[0].Next(held[0], limit), _extents[1].Next(held[1], machine.Psum.PartitionSize.Value)];
        return [.. program.Buffers.Select(buffer => places[(int)buffer.Space] is var place && place.Mirrored
            ? buffer with { Address = place.Start + held[(int)buffer.Space] - buffer.End }
            : buffer with { Address = place.Start + buffer.Address })];
    }

    /// <summary>Buffers of one operator may follow each other at one place, so first all earlier uses go, then all new ones come.</summary>
    private void Keep((TileBuffer Buffer, int Copy)[] tiles, Reached[] last)
    {
        ((TileBuffer Buffer, int Copy) Tile, Reached Last)[] used = [.. tiles.Zip(last).Where(pair => !pair.Second.IsNothing)];
        foreach (((TileBuffer buffer, int copy), _) in used)
        {
            _places[(int)buffer.Space].Forget(buffer.Start(copy), buffer.Start(copy + 1));
        }

        foreach (((TileBuffer buffer, int copy), Reached reached) in used)
        {
            _places[(int)buffer.Space].Add(buffer.Start(copy), buffer.Start(copy + 1), reached);
        }
    }

    private void Wait(StreamId consumer, Reached reached, bool exceptItself = false)
    {
        if (reached.IsNothing)
        {
            return;
        }

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
}

/// <summary>One operator of a linked program.</summary>
/// <param name="Op">The operator.</param>
/// <param name="Program">What the core executes for it.</param>
internal sealed record LinkedPart(Operator Op, Program Program)
{
    /// <summary>The program's tensors that are given to it, in the order of the operator's <see cref="Operator.Reads"/>; null when the kernel does not say which is which.</summary>
    public MemoryTensor[]? Inputs { get; } = Matching(Program, Op.Inputs.IsEmpty ? -1 : Op.Reads.Length, MemoryRole.Input);

    /// <summary>The tensors that it writes, in the order of the operator's <see cref="Operator.Writes"/>; null as above.</summary>
    public MemoryTensor[]? Outputs { get; } = Matching(Program, Op.Outputs.IsEmpty ? -1 : Op.Writes.Length, MemoryRole.Output);

    private static MemoryTensor[]? Matching(Program program, int expected, MemoryRole role)
    {
        MemoryTensor[] found = [.. program.Tensors.Where(tensor => tensor.Role == role || tensor.Role == MemoryRole.InputOutput)];
        return found.Length == expected ? found : null;
    }
}
