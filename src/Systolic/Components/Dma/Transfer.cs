using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Components;

/// <summary>A transfer on its way, and where its runs lie in main memory.</summary>
internal sealed class Transfer
{
    // Only places: any region and any odd factor scatter as well.
    private const long ScatteredBytes = 1L << 30;
    private const long Scattering = 0x9E3779B9;
    private const long RunsBetweenScattered = 131;
    private const int BitsBetweenUnsaid = 24;
    private readonly MemoryView?[] _from;
    private readonly MemoryView? _to;
    private int _slices;

    public Transfer(Program program, in Instruction op, StreamId stream, int index, int part, int slices)
    {
        (Stream, Index, Part, _slices) = (stream, index, part, slices);
        RunBytes = op.Free;
        Opcode = op.Opcode;
        (Reads, Writes) = (op.Opcode.ReadsMemory(), op.Opcode.WritesMemory());
        _from = new MemoryView?[op.Sources];
        for (int source = 0; source < op.Sources; source++)
        {
            _from[source] = program.MemoryOf(op, source);
        }

        _to = Reads ? program.MemoryTargetOf(op) : program.MemoryOf(op);
        IsPlaced = !op.Opcode.IsDynamic() && (op.Sources > 0 ? _from[0] : _to) is not null;
    }

    public StreamId Stream { get; }

    public int Index { get; }

    /// <summary>The part of its program.</summary>
    public int Part { get; }

    public Opcode Opcode { get; }

    /// <summary>Bytes of each run.</summary>
    public int RunBytes { get; }

    /// <summary>When the last piece so far was done.</summary>
    public long End { get; private set; }

    /// <summary>It reads main memory.</summary>
    public bool Reads { get; }

    /// <summary>It writes main memory.</summary>
    public bool Writes { get; }

    /// <summary>Tensors that it reads and, if there are several, adds.</summary>
    public int Sources => _from.Length;

    /// <summary>The program says where in main memory.</summary>
    public bool IsPlaced { get; }

    /// <summary>Byte address of a run that is read.</summary>
    public long From(int run, int source = 0) => Address(_from[source], run);

    /// <summary>Byte address of a run that is written.</summary>
    public long To(int run) => Address(_to, run);

    /// <summary>A slice was done at <paramref name="time"/>; true when it was the last.</summary>
    public bool Finish(long time)
    {
        End = Math.Max(End, time);
        return --_slices == 0;
    }

    // Runs whose place is computed at run time lie anywhere; those of a kernel that does not say lie behind each other.
    private long Address(MemoryView? view, int run)
    {
        if (Opcode.IsDynamic())
        {
            return ((Index * RunsBetweenScattered) + run) * Scattering % ScatteredBytes / MemoryTensor.Alignment * MemoryTensor.Alignment;
        }

        if (view is not { } known)
        {
            return ((long)Index << BitsBetweenUnsaid) + ((long)run * RunBytes);
        }

        MemoryPattern pattern = known.Pattern;
        (int row, int block) = Math.DivRem(run % pattern.Runs, pattern.Blocks);
        return known.Address + ((pattern.RowOffset(row) + (block * pattern.BlockStride)) * known.Tensor.Type.ByteSize());
    }
}

/// <summary>The runs of a transfer that one engine moves.</summary>
internal struct TransferSlice(Transfer transfer, int firstRun, int endRun, long arrival)
{
    public readonly Transfer Transfer = transfer;

    /// <summary>The engine sees it from this time on.</summary>
    public readonly long Arrival = arrival;

    /// <summary>The run at work.</summary>
    public int Run = firstRun;

    /// <summary>Bytes of it that were moved.</summary>
    public int Moved;

    public readonly bool IsDone => Run == endRun;
}
