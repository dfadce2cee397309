using System.Diagnostics.CodeAnalysis;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Writes a program in the vocabulary of the public kernel interface (NKI): tiles in SBUF and PSUM, engine instructions on views of them, transfers.</summary>
/// <remarks>
/// Loops are C# loops. The builder places buffers and tensors, refuses what does not fit or breaks a rule of the core, tracks which instruction
/// wrote and read which part of each tile, and inserts the semaphore waits that keep reads after writes and writes after reads. Within a stream
/// instructions run in the order written. Arithmetic is in fp32; a result is rounded to the type of the tile it is written to.
/// </remarks>
public sealed partial class KernelBuilder
{
    /// <summary>Elements per partition that one <see cref="BatchNormStats"/> takes.</summary>
    public const int MaximumStatsElements = 512;

    /// <summary>Values per partition that one <see cref="BatchNormStats"/> writes: count, mean and sum of squared differences of even and odd elements.</summary>
    public const int StatsPerPiece = 6;

    private readonly string _name;
    private readonly List<Instruction>[] _streams = [.. Enumerable.Range(0, Streams.Count).Select(_ => new List<Instruction>())];
    private readonly List<SemaphoreWait> _waits = [];
    private readonly List<TileBuffer> _buffers = [];
    private readonly List<TileBuffer> _held = [];
    private readonly HazardTracker _hazards = new();
    private readonly List<MemoryTensor> _tensors = [];
    private readonly MemoryRecorder _memory = new();
    private readonly List<Operation>[]? _operations;
    private DescriptorSource _descriptors;
    private int _tiles;
    private int _sequence;

    /// <summary>An empty program called <paramref name="name"/> for one core of <paramref name="machine"/>.</summary>
    /// <param name="machine">The machine whose limits apply.</param>
    /// <param name="name">The program's name.</param>
    /// <param name="values">Keep what each instruction computes, so that the program can be executed on data and not only timed.</param>
    public KernelBuilder(Accelerator machine, string name, bool values = false)
    {
        ArgumentNullException.ThrowIfNull(machine);
        (Machine, _name) = (machine, name);
        _operations = values ? [.. Enumerable.Range(0, Streams.Count).Select(_ => new List<Operation>())] : null;
    }

    /// <summary>The machine whose limits apply.</summary>
    public Accelerator Machine { get; }

    /// <summary>Who writes the descriptors of the transfers written from now on; those whose addresses the program computes are always written at run time.</summary>
    /// <exception cref="CapacityException">The machine has no descriptor generation blocks.</exception>
    public DescriptorSource Descriptors
    {
        get => _descriptors;
        set => _descriptors = value is not (DescriptorSource.Hardware or DescriptorSource.HardwareOneBlock) || Machine.Dma.DescriptorBlocks > 0 ? value
            : throw new CapacityException($"{_name}: {Machine.Name} has no descriptor generation blocks: dma.descriptorBlocks is 0. Let the compiler or software describe transfers.");
    }

    /// <summary>Partitions of the on-chip memories and lanes of the engines.</summary>
    public int Partitions => Machine.Sbuf.Partitions;

    /// <summary>Moving columns of one product whose fp32 results fill a PSUM bank.</summary>
    public int BankColumns => (int)Math.Min(Machine.TensorEngine.MaximumMoving, Machine.Psum.BankSize.Value / sizeof(float));

    /// <summary>Bytes per partition of SBUF that no buffer occupies.</summary>
    public long FreeSbuf => Machine.Sbuf.PartitionSize.Value - Used(MemorySpace.Sbuf);

    /// <summary>Instructions written so far.</summary>
    public int Length => _streams.Sum(stream => stream.Count);

    /// <summary>Reserves <paramref name="copies"/> SBUF tiles of <paramref name="elements"/> per partition each, used in turn.</summary>
    /// <exception cref="CapacityException">They do not fit; the message lists what is placed already.</exception>
    public TileBuffer Sbuf(string name, long elements, DataType type, int copies = 1) => Place(name, MemorySpace.Sbuf, elements, type, copies);

    /// <summary>As <see cref="Sbuf"/>, at the highest addresses that are free instead of the lowest: for what is released before the rest.</summary>
    internal TileBuffer SbufFromTop(string name, long elements, DataType type, int copies = 1) => Place(name, MemorySpace.Sbuf, elements, type, copies, fromTop: true);

    /// <summary>Reserves <paramref name="banks"/> PSUM banks, one tile each, used in turn.</summary>
    /// <exception cref="CapacityException">There are not as many banks left.</exception>
    public TileBuffer Psum(string name, int banks, DataType type = DataType.Fp32) => Place(name, MemorySpace.Psum, Machine.Psum.BankSize.Value / type.ByteSize(), type, banks);

    /// <summary>Gives the place of a buffer back. What is placed there later waits for the instructions that used it.</summary>
    internal void Release(TileBuffer buffer) => _held.Remove(buffer);

    /// <summary>Declares a tensor of main memory that the program reads.</summary>
    public MemoryTensor Input(string name, long rows, long columns, DataType type) => Declare(name, rows, columns, type, MemoryRole.Input);

    /// <summary>Declares a tensor of main memory that the program writes.</summary>
    public MemoryTensor Output(string name, long rows, long columns, DataType type) => Declare(name, rows, columns, type, MemoryRole.Output);

    /// <summary>As <see cref="Output"/>; what the program does not write of it is zero, as the memory is handed out.</summary>
    internal MemoryTensor ClearedOutput(string name, long rows, long columns, DataType type) => Declare(name, rows, columns, type, MemoryRole.Output, cleared: true);

    /// <summary>Declares a tensor of main memory that the program updates in place; loads are not ordered after stores.</summary>
    public MemoryTensor InputOutput(string name, long rows, long columns, DataType type) => Declare(name, rows, columns, type, MemoryRole.InputOutput);

    /// <summary>Declares a tensor of main memory that the program writes and reads back; loads wait for the stores before them.</summary>
    public MemoryTensor Scratch(string name, long rows, long columns, DataType type) => Declare(name, rows, columns, type, MemoryRole.Scratch);

    /// <summary>Signals all cores and waits for their signals: stores from <paramref name="tile"/> have completed before, loads into it come after.</summary>
    public void Barrier(Tile tile) => Emit(StreamId.Exchange, new Instruction { Opcode = Opcode.Barrier }, new Operation { Target = tile });

    /// <summary>As <see cref="Barrier(Tile)"/>, and what was written to <paramref name="shared"/> before is complete on all cores.</summary>
    internal void Barrier(Tile tile, MemoryTensor shared) => Emit(StreamId.Exchange, new Instruction { Opcode = Opcode.Barrier }, new Operation { Target = tile }, read: shared);

    /// <summary>The finished program.</summary>
    public Program Build() => new(
        _name,
        [.. _streams.Select(stream => stream.ToArray())],
        [.. _waits],
        [.. _buffers],
        _memory.ToMap([.. _tensors]),
        _operations is null ? null : [.. _operations.Select(operations => operations.ToArray())]);

    private void Emit(StreamId stream, in Instruction op, in Operation operation, int memory = -1, MemoryTensor? read = null, MemoryTensor? written = null)
    {
        int index = _streams[(int)stream].Count;
        int firstWait = _waits.Count;
        _hazards.Order(stream, index, operation, Scratch(read), Scratch(written), _waits);
        _streams[(int)stream].Add(op with
        {
            Target = Index(operation.Target),
            Reduced = Index(operation.Reduced),
            First = Index(operation.First),
            Second = Index(operation.Second),
            Third = Index(operation.Third),
            Memory = memory,
            Sequence = _sequence++,
            FirstWait = firstWait,
            WaitCount = _waits.Count - firstWait,
        });
        _operations?[(int)stream].Add(operation);
    }

    private static int Index(in TileView view) => view.IsNone ? -1 : view.Tile.Index;

    private static int Scratch(MemoryTensor? tensor) => tensor is { Role: MemoryRole.Scratch } ? tensor.Index : -1;

    private TileBuffer Place(string name, MemorySpace space, long elements, DataType type, int copies, bool fromTop = false)
    {
        Require(elements > 0, "elements per partition", elements, long.MaxValue);
        Require(copies > 0, "copies", copies, int.MaxValue);
        long limit = (space == MemorySpace.Sbuf ? Machine.Sbuf : Machine.Psum).PartitionSize.Value;
        long used = Used(space), bytes = checked(elements * type.ByteSize());
        if (Gap(space, limit, checked(bytes * copies), fromTop) is not { } address)
        {
            string placed = string.Join(", ", _held.Where(buffer => buffer.Space == space).Select(buffer => FormattableString.Invariant($"{buffer.Name} {buffer.Copies} x {buffer.BytesPerPartition} B")));
            throw new CapacityException(FormattableString.Invariant(
                $"{_name}: {name} ({copies} x {bytes} B per partition) does not fit {space.ToString().ToUpperInvariant()} of {Machine.Name}: {limit - used} of {limit} B per partition are free; placed: {(placed.Length == 0 ? "nothing" : placed)}."));
        }

        var buffer = new TileBuffer(name, space, type, Partitions, (int)elements, _tiles, copies) { Address = address };
        _tiles += copies;
        _hazards.AddTiles(copies);
        foreach (TileBuffer before in _buffers)
        {
            InheritHazards(buffer, before);
        }

        _buffers.Add(buffer);
        _held.Add(buffer);
        return buffer;
    }

    /// <summary>The lowest (highest) place of as many bytes that no buffer holds.</summary>
    private long? Gap(MemorySpace space, long limit, long bytes, bool fromTop)
    {
        long free = 0;
        long? found = null;
        foreach (TileBuffer buffer in _held.Where(buffer => buffer.Space == space).OrderBy(buffer => buffer.Address))
        {
            Consider(buffer.Address);
            free = buffer.End;
        }

        Consider(limit);
        return found;

        void Consider(long end)
        {
            if (end - free >= bytes && (fromTop || found is null))
            {
                found = fromTop ? end - bytes : free;
            }
        }
    }

    private void InheritHazards(TileBuffer buffer, TileBuffer before)
    {
        for (int copy = 0; before.Space == buffer.Space && before.End > buffer.Address && before.Address < buffer.End && copy < buffer.Copies; copy++)
        {
            for (int other = 0; other < before.Copies; other++)
            {
                if (buffer.Start(copy) < before.Start(other + 1) && before.Start(other) < buffer.Start(copy + 1))
                {
                    _hazards.Inherit(buffer.FirstTile + copy, before.FirstTile + other);
                }
            }
        }
    }

    private MemoryTensor Declare(string name, long rows, long columns, DataType type, MemoryRole role, bool cleared = false)
    {
        Require(rows > 0, "rows", rows, long.MaxValue);
        Require(columns > 0, "columns", columns, long.MaxValue);
        long end = _tensors.Count == 0 ? 0 : checked(_tensors[^1].Address + _tensors[^1].Bytes);
        long address = checked((end + MemoryTensor.Alignment - 1) / MemoryTensor.Alignment * MemoryTensor.Alignment);
        var tensor = new MemoryTensor(_tensors.Count, name, rows, columns, type, role, address) { IsCleared = cleared };
        if (tensor.Bytes > Machine.Memory.Capacity.Value)
        {
            throw new CapacityException(FormattableString.Invariant(
                $"{_name}: {name} ({rows} x {columns} {type.Label()}) takes {tensor.Bytes} B, main memory of {Machine.Name} has {Machine.Memory.Capacity.Value} B. Divide it."));
        }

        _tensors.Add(tensor);
        _hazards.AddTensor();
        return tensor;
    }

    private long Used(MemorySpace space)
    {
        long used = 0;
        foreach (TileBuffer buffer in _held)
        {
            used += buffer.Space == space ? buffer.BytesPerPartition * buffer.Copies : 0;
        }

        return used;
    }

    private static void Require(bool holds, string what, long found, long limit)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(what, FormattableString.Invariant($"Found {found} {what}, expected 1 to {limit}."));
        }
    }

    /// <summary>The view lies in its tile.</summary>
    private void RequireInside(in TileView view, string operand)
    {
        FreePattern free = view.Free;
        if (view.Partitions <= 0 || free.Elements <= 0 || view.StartPartition < 0 || view.StartPartition + view.Partitions > view.Tile.Partitions
            || view.Offset + free.Lowest < 0 || view.Offset + free.Highest >= view.Tile.Elements)
        {
            ThrowOutside(view, operand);
        }
    }

    /// <summary>Engines reach more than 64 partitions only from the first, more than 32 from the first or the 65th, others from every 32nd (Trainium architecture guide).</summary>
    private void RequireReachable(in TileView view, string operand)
    {
        RequireInside(view, operand);
        int grid = view.Partitions > 64 ? view.Tile.Partitions : view.Partitions > 32 ? 64 : 32;
        if (view.StartPartition % grid != 0)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"{_name}: {operand} is {view.Partitions} partitions from partition {view.StartPartition} of {BufferOf(view)}, expected a start at a multiple of {grid}: an engine reaches more than 64 partitions only from 0, more than 32 from 0 or 64, others from every 32nd."), operand);
        }
    }

    private void RequireEqual(in TileView view, in TileView target, string operand)
    {
        if (view.Partitions != target.Partitions || view.Free.Elements != target.Free.Elements)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"{_name}: {operand} is {view.Partitions} x {view.Elements} elements of {BufferOf(view)}, the target {target.Partitions} x {target.Elements} of {BufferOf(target)}; they must be equal. Use Repeat or Spread to broadcast."), operand);
        }
    }

    [DoesNotReturn]
    private void ThrowOutside(in TileView view, string operand) => throw new ArgumentOutOfRangeException(operand, FormattableString.Invariant(
        $"{_name}: {operand} is partitions {view.StartPartition} to {view.StartPartition + view.Partitions - 1}, elements {view.Offset + view.Free.Lowest} to {view.Offset + view.Free.Highest} of {BufferOf(view)}, which has {view.Tile.Partitions} partitions of {view.Tile.Elements} elements."));

    private string BufferOf(TileView view) => _buffers.Find(buffer => view.Tile.Index >= buffer.FirstTile && view.Tile.Index < buffer.FirstTile + buffer.Copies)?.Name ?? "a tile of another kernel";
}
