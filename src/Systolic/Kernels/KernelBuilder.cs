using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Writes a program in the vocabulary of the public kernel interface (NKI): tiles in SBUF and PSUM, engine instructions, transfers.</summary>
/// <remarks>
/// Loops are C# loops. The builder places buffers, refuses what does not fit or breaks a rule of the core, tracks which instruction
/// wrote and read each tile, and inserts the semaphore waits that keep reads after writes and writes after reads. Within a stream
/// instructions run in the order written.
/// </remarks>
public sealed class KernelBuilder
{
    /// <summary>Elements per partition that one <see cref="BatchNormStats"/> takes.</summary>
    public const int MaximumStatsElements = 512;

    /// <summary>Values per partition that one <see cref="BatchNormStats"/> writes: count, mean and variance of even and odd elements.</summary>
    public const int StatsPerPiece = 6;

    private readonly string _name;
    private readonly List<Instruction>[] _streams = [.. Enumerable.Range(0, Streams.Count).Select(_ => new List<Instruction>())];
    private readonly List<SemaphoreWait> _waits = [];
    private readonly List<TileBuffer> _buffers = [];
    private readonly HazardTracker _hazards = new();
    private int _tiles;
    private int _sequence;

    /// <summary>An empty program called <paramref name="name"/> for one core of <paramref name="machine"/>.</summary>
    public KernelBuilder(Accelerator machine, string name)
    {
        ArgumentNullException.ThrowIfNull(machine);
        (Machine, _name) = (machine, name);
    }

    /// <summary>The machine whose limits apply.</summary>
    public Accelerator Machine { get; }

    /// <summary>Partitions of the on-chip memories and lanes of the engines.</summary>
    public int Partitions => Machine.Sbuf.Partitions;

    /// <summary>Moving columns of one product whose fp32 results fill a PSUM bank.</summary>
    public int BankColumns => (int)Math.Min(Machine.TensorEngine.MaximumMoving, Machine.Psum.BankSize.Value / sizeof(float));

    /// <summary>Bytes per partition of SBUF that no buffer occupies.</summary>
    public long FreeSbuf => Machine.Sbuf.PartitionSize.Value - Used(MemorySpace.Sbuf);

    /// <summary>Instructions written so far.</summary>
    public int Length => _streams.Sum(stream => stream.Count);

    /// <summary>Reserves <paramref name="copies"/> SBUF tiles of <paramref name="bytesPerPartition"/> each, used in turn.</summary>
    /// <exception cref="CapacityException">They do not fit; the message lists what is placed already.</exception>
    public TileBuffer Sbuf(string name, long bytesPerPartition, int copies = 1) => Place(name, MemorySpace.Sbuf, bytesPerPartition, copies);

    /// <summary>Reserves <paramref name="banks"/> PSUM banks, one tile each, used in turn.</summary>
    /// <exception cref="CapacityException">There are not as many banks left.</exception>
    public TileBuffer Psum(string name, int banks) => Place(name, MemorySpace.Psum, Machine.Psum.BankSize.Value, banks);

    /// <summary>Stationary[k,m] x moving[k,n] into a PSUM bank: m partitions of n fp32 columns, added to what is there when <paramref name="accumulate"/>.</summary>
    public void MatMul(Tile result, Tile stationary, Tile moving, int k, int m, int n, DataType type, bool accumulate)
    {
        Require(k > 0 && k <= Machine.TensorEngine.ContractionRows(type), "K", k, Machine.TensorEngine.ContractionRows(type));
        Require(m > 0 && m <= Machine.TensorEngine.Columns, "stationary columns", m, Machine.TensorEngine.Columns);
        Require(n > 0 && n <= BankColumns, "moving columns", n, BankColumns);
        Emit(StreamId.Tensor, new Instruction
        {
            Opcode = Opcode.MatMul,
            Source = type,
            Destination = DataType.Fp32,
            Partitions = k,
            Columns = m,
            Free = n,
            Operands = Operands.DestinationInPsum | (accumulate ? Operands.Accumulate : Operands.None),
        }, result, stationary, moving);
    }

    /// <summary>Transposes source[rows, columns] through the array into a PSUM bank: columns partitions of rows elements.</summary>
    /// <remarks>The data is the stationary operand and an identity of <paramref name="rows"/> columns the moving one.</remarks>
    public void Transpose(Tile result, Tile source, int rows, int columns, DataType type)
    {
        Require(rows > 0 && rows <= Machine.TensorEngine.Rows, "rows to transpose", rows, Machine.TensorEngine.Rows);
        Require(columns > 0 && columns <= Machine.TensorEngine.Columns, "columns to transpose", columns, Machine.TensorEngine.Columns);
        Emit(StreamId.Tensor, new Instruction
        {
            Opcode = Opcode.Transpose,
            Source = type,
            Destination = type,
            Partitions = rows,
            Columns = columns,
            Free = rows,
            Operands = Operands.DestinationInPsum,
        }, result, source, null);
    }

    /// <summary>Copies and casts on the vector or scalar engine; from PSUM this is an eviction.</summary>
    public void Copy(StreamId engine, Tile target, Tile source, int partitions, int free, DataType from, DataType to) =>
        Compute(engine, Opcode.Copy, target, source, null, partitions, free, from, to);

    /// <summary>Fills a tile.</summary>
    public void Memset(StreamId engine, Tile target, int partitions, int free, DataType type) =>
        Compute(engine, Opcode.Memset, target, null, null, partitions, free, type, type);

    /// <summary>Two tensors element by element on the vector engine (or the general-purpose one).</summary>
    public void TensorTensor(StreamId engine, Tile target, Tile first, Tile second, int partitions, int free, DataType from, DataType to) =>
        Compute(engine, Opcode.TensorTensor, target, first, second, partitions, free, from, to);

    /// <summary>A tensor with scalars, or with one value per partition held in <paramref name="perPartition"/>.</summary>
    public void TensorScalar(StreamId engine, Tile target, Tile source, Tile? perPartition, int partitions, int free, DataType from, DataType to) =>
        Compute(engine, Opcode.TensorScalar, target, source, perPartition, partitions, free, from, to);

    /// <summary>(first op scalar) op second on the vector engine.</summary>
    public void ScalarTensorTensor(Tile target, Tile first, Tile second, int partitions, int free, DataType from, DataType to) =>
        Compute(StreamId.Vector, Opcode.ScalarTensorTensor, target, first, second, partitions, free, from, to);

    /// <summary>Reduction of each partition's elements to one value on the vector engine.</summary>
    public void TensorReduce(Tile target, Tile source, int partitions, int free, DataType from, DataType to) =>
        Compute(StreamId.Vector, Opcode.TensorReduce, target, source, null, partitions, free, from, to);

    /// <summary>Mean and variance of up to 512 elements of each partition, as six values, on the vector engine.</summary>
    public void BatchNormStats(Tile target, Tile source, int partitions, int free, DataType from)
    {
        Require(free <= MaximumStatsElements, "elements of one piece", free, MaximumStatsElements);
        Compute(StreamId.Vector, Opcode.BatchNormStats, target, source, null, partitions, free, from, DataType.Fp32);
    }

    /// <summary>Combines <paramref name="pieces"/> results of <see cref="BatchNormStats"/> into one mean and variance per partition.</summary>
    public void BatchNormAggregate(Tile target, Tile source, int partitions, int pieces) =>
        Compute(StreamId.Vector, Opcode.BatchNormAggregate, target, source, null, partitions, checked(pieces * StatsPerPiece), DataType.Fp32, DataType.Fp32);

    /// <summary>1 / x on the vector engine.</summary>
    public void Reciprocal(Tile target, Tile source, int partitions, int free, DataType type) =>
        Compute(StreamId.Vector, Opcode.Reciprocal, target, source, null, partitions, free, type, type);

    /// <summary>The eight largest values of each partition on the vector engine.</summary>
    public void Max8(Tile target, Tile source, int partitions, int free, DataType type) =>
        Compute(StreamId.Vector, Opcode.Max8, target, source, null, partitions, free, type, type);

    /// <summary>Masks by position on the general-purpose engine.</summary>
    public void AffineSelect(Tile target, Tile source, int partitions, int free, DataType type) =>
        Compute(StreamId.GpSimd, Opcode.AffineSelect, target, source, null, partitions, free, type, type);

    /// <summary>A table function on the scalar engine, with an optional bias per partition.</summary>
    public void Activation(ActivationFunction function, Tile target, Tile source, Tile? bias, int partitions, int free, DataType from, DataType to) =>
        Emit(StreamId.Scalar, Engine(Opcode.Activation, target, source, null, partitions, free, from, to) with { Function = function }, target, source, bias);

    /// <summary>A table function that also leaves the sum of each partition in <paramref name="target"/>.</summary>
    public void ActivationReduce(ActivationFunction function, Tile target, Tile source, Tile? bias, int partitions, int free, DataType from, DataType to) =>
        Emit(StreamId.Scalar, Engine(Opcode.ActivationReduce, target, source, null, partitions, free, from, to) with { Function = function }, target, source, bias);

    /// <summary>Main memory to SBUF: <paramref name="runs"/> contiguous runs of <paramref name="runBytes"/> each, one or more per partition.</summary>
    public void Load(StreamId queue, Tile target, int runs, long runBytes) =>
        Move(queue, Opcode.Load, runs, runBytes, target, null);

    /// <summary>Main memory to SBUF, transposed element by element: each run becomes a column. Only where the DMA engines can.</summary>
    public void LoadTransposed(StreamId queue, Tile target, int runs, long runBytes)
    {
        RequireTransposes(Machine.Dma.MemoryTransposeShare, "memoryTransposeShare");
        Move(queue, Opcode.LoadTransposed, runs, runBytes, target, null);
    }

    /// <summary>SBUF to main memory.</summary>
    public void Store(StreamId queue, Tile source, int runs, long runBytes) =>
        Move(queue, Opcode.Store, runs, runBytes, null, source);

    /// <summary>Main memory to SBUF at addresses taken from <paramref name="indices"/>.</summary>
    public void Gather(StreamId queue, Tile target, Tile indices, int runs, long runBytes) =>
        Move(queue, Opcode.Gather, runs, runBytes, target, indices);

    /// <summary>SBUF to main memory at addresses taken from <paramref name="indices"/>.</summary>
    public void Scatter(StreamId queue, Tile source, Tile indices, int runs, long runBytes)
    {
        RequireQueue(queue);
        Emit(queue, Run(Opcode.Scatter, runs, runBytes), null, source, indices);
    }

    /// <summary>Main memory to main memory.</summary>
    public void MemoryCopy(StreamId queue, int runs, long runBytes) =>
        Move(queue, Opcode.MemoryCopy, runs, runBytes, null, null);

    /// <summary>SBUF to SBUF, transposed element by element by the DMA engines.</summary>
    public void LocalTranspose(Tile target, Tile source, int runs, long runBytes)
    {
        RequireTransposes(Machine.Dma.LocalTransposeShare, "localTransposeShare");
        Move(StreamId.QueueLocal, Opcode.LocalTranspose, runs, runBytes, target, source);
    }

    /// <summary>Signals all cores and waits for their signals: stores from <paramref name="tile"/> have completed before, loads into it come after.</summary>
    public void Barrier(Tile tile) => Emit(StreamId.Exchange, new Instruction { Opcode = Opcode.Barrier }, tile, null, null);

    /// <summary>The finished program.</summary>
    public Program Build() => new(_name, [.. _streams.Select(stream => stream.ToArray())], [.. _waits], [.. _buffers]);

    private void Compute(StreamId engine, Opcode opcode, Tile target, Tile? first, Tile? second, int partitions, int free, DataType from, DataType to) =>
        Emit(engine, Engine(opcode, target, first, second, partitions, free, from, to), target, first, second);

    private Instruction Engine(Opcode opcode, Tile target, Tile? first, Tile? second, int partitions, int free, DataType from, DataType to)
    {
        Require(partitions > 0 && partitions <= Partitions, "partitions", partitions, Partitions);
        Require(free > 0, "elements per partition", free, int.MaxValue);
        Operands operands = Operands.None;
        operands |= target.Space == MemorySpace.Psum ? Operands.DestinationInPsum : Operands.None;
        operands |= first is { Space: MemorySpace.Psum } ? Operands.FirstInPsum : Operands.None;
        operands |= second is { Space: MemorySpace.Psum } ? Operands.SecondInPsum : Operands.None;
        operands |= opcode is Opcode.TensorTensor or Opcode.ScalarTensorTensor ? Operands.TwoTensors : Operands.None;
        return new Instruction { Opcode = opcode, Source = from, Destination = to, Partitions = partitions, Free = free, Operands = operands };
    }

    private void Move(StreamId queue, Opcode opcode, int runs, long runBytes, Tile? target, Tile? source)
    {
        RequireQueue(queue);
        Emit(queue, Run(opcode, runs, runBytes), target, source, null);
    }

    private static Instruction Run(Opcode opcode, int runs, long runBytes)
    {
        Require(runs > 0, "runs", runs, int.MaxValue);
        Require(runBytes is > 0 and <= int.MaxValue, "bytes per run", runBytes, int.MaxValue);
        return new Instruction { Opcode = opcode, Partitions = runs, Free = (int)runBytes };
    }

    private void Emit(StreamId stream, Instruction op, Tile? target, Tile? first, Tile? second)
    {
        int index = _streams[(int)stream].Count;
        int firstWait = _waits.Count;
        _hazards.Order(stream, index, target, first, second, _waits);
        _streams[(int)stream].Add(op with
        {
            Target = target?.Index ?? -1,
            First = first?.Index ?? -1,
            Second = second?.Index ?? -1,
            Sequence = _sequence++,
            FirstWait = firstWait,
            WaitCount = _waits.Count - firstWait,
        });
    }

    private TileBuffer Place(string name, MemorySpace space, long bytesPerPartition, int copies)
    {
        Require(bytesPerPartition > 0, "bytes per partition", bytesPerPartition, long.MaxValue);
        Require(copies > 0, "copies", copies, int.MaxValue);
        long limit = (space == MemorySpace.Sbuf ? Machine.Sbuf : Machine.Psum).PartitionSize.Value;
        long used = Used(space);
        if (checked(bytesPerPartition * copies) > limit - used)
        {
            string placed = string.Join(", ", _buffers.Where(buffer => buffer.Space == space).Select(buffer => FormattableString.Invariant($"{buffer.Name} {buffer.Copies} x {buffer.BytesPerPartition} B")));
            throw new CapacityException(FormattableString.Invariant(
                $"{_name}: {name} ({copies} x {bytesPerPartition} B per partition) does not fit {space.ToString().ToUpperInvariant()} of {Machine.Name}: {limit - used} of {limit} B per partition are free; placed: {(placed.Length == 0 ? "nothing" : placed)}."));
        }

        var buffer = new TileBuffer(name, space, bytesPerPartition, _tiles, copies);
        _buffers.Add(buffer);
        _tiles += copies;
        _hazards.AddTiles(copies);
        return buffer;
    }

    private long Used(MemorySpace space) => _buffers.Where(buffer => buffer.Space == space).Sum(buffer => buffer.BytesPerPartition * buffer.Copies);

    private void RequireTransposes(double share, string parameter)
    {
        if (share == 0)
        {
            throw new CapacityException($"{_name}: the DMA engines of {Machine.Name} cannot transpose: dma.{parameter} is 0. Transpose through the array.");
        }
    }

    private static void RequireQueue(StreamId queue)
    {
        if (!queue.IsQueue())
        {
            throw new ArgumentException($"Found stream {queue.Label()}, expected a DMA queue.", nameof(queue));
        }
    }

    private static void Require(bool holds, string what, long found, long limit)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(what, FormattableString.Invariant($"Found {found} {what}, expected 1 to {limit}."));
        }
    }
}
