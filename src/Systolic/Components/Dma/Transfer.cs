using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Components;

/// <summary>A transfer on its way, and where its runs lie in main memory.</summary>
internal sealed class Transfer
{
    private const long UnknownRegion = 1L << 30;
    private const long Scattering = 0x9E3779B9;
    private readonly MemoryView? _from;
    private readonly MemoryView? _to;
    private int _slices;

    public Transfer(Program program, in Instruction op, StreamId stream, int index, int slices)
    {
        (Stream, Index, _slices) = (stream, index, slices);
        RunBytes = op.Free;
        Opcode = op.Opcode;
        bool writes = op.Opcode is Opcode.Store or Opcode.Scatter;
        _from = writes ? null : program.MemoryOf(op);
        _to = writes ? program.MemoryOf(op) : program.MemoryTargetOf(op);
    }

    public StreamId Stream { get; }

    public int Index { get; }

    public Opcode Opcode { get; }

    /// <summary>Bytes of each run.</summary>
    public int RunBytes { get; }

    /// <summary>When the last piece so far was done.</summary>
    public long End { get; private set; }

    /// <summary>It reads main memory.</summary>
    public bool Reads => Opcode is Opcode.Load or Opcode.LoadTransposed or Opcode.Gather or Opcode.MemoryCopy;

    /// <summary>It writes main memory.</summary>
    public bool Writes => Opcode is Opcode.Store or Opcode.Scatter or Opcode.MemoryCopy;

    /// <summary>Byte address of a run that is read.</summary>
    public long From(int run) => Address(_from, run);

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
        if (Opcode is Opcode.Gather or Opcode.Scatter)
        {
            return ((Index * 131L) + run) * Scattering % UnknownRegion / MemoryTensor.Alignment * MemoryTensor.Alignment;
        }

        if (view is not { } known)
        {
            return ((long)Index << 24) + ((long)run * RunBytes);
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
