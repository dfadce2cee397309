using System.Runtime.CompilerServices;
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
    private readonly Places[] _from;
    private readonly Places _to;
    private readonly long _charge;
    private readonly double _share;
    private readonly double _perByte;
    private readonly long _runTime;
    private int _slices;

    /// <param name="spec">The DMA engines.</param>
    /// <param name="program">The program.</param>
    /// <param name="op">The instruction.</param>
    /// <param name="stream">Its queue.</param>
    /// <param name="index">Its place in the queue.</param>
    /// <param name="part">The part of the program.</param>
    /// <param name="slices">Engines that it is spread over.</param>
    public Transfer(DmaSpec spec, Program program, in Instruction op, StreamId stream, int index, int part, int slices)
    {
        (Stream, Index, Part, _slices) = (stream, index, part, slices);
        RunBytes = op.Free;
        Opcode = op.Opcode;
        (Reads, Writes) = (op.Opcode.ReadsMemory(), op.Opcode.WritesMemory());
        MemoryView? to = Reads ? program.MemoryTargetOf(op) : program.MemoryOf(op);
        IsPlaced = !op.Opcode.IsDynamic() && (op.Sources > 0 ? program.MemoryOf(op) : to) is not null;
        _from = new Places[op.Sources];
        for (int source = 0; source < op.Sources; source++)
        {
            _from[source] = new Places(this, program.MemoryOf(op, source));
        }

        _to = new Places(this, to);
        double share = Opcode switch
        {
            Opcode.LocalTranspose => spec.LocalTransposeShare,
            Opcode.LoadTransposed => spec.MemoryTransposeShare,
            Opcode.MemorySum => spec.MemorySumShare / Sources,
            _ => 1,
        };
        _charge = RunBytes < spec.MinimumRun.Value ? spec.MinimumRun.Value : 0;
        (_share, _perByte) = (share, 1e15 / spec.EngineBandwidth.BytesPerSecond);
        _runTime = Time(RunBytes);
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

    /// <summary>For how long a piece of a run keeps an engine's data path. A short run takes as long as <see cref="DmaSpec.MinimumRun"/>; transposes are slower, and a sum passes each source at its share.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long PathTime(int bytes) => bytes == RunBytes ? _runTime : Time(bytes);

    /// <summary>Byte address of a run that is read.</summary>
    public long From(int run, int source = 0) => _from[source].Of(run);

    /// <summary>Byte address of a run that is written.</summary>
    public long To(int run) => _to.Of(run);

    /// <summary>A slice was done at <paramref name="time"/>; true when it was the last.</summary>
    public bool Finish(long time)
    {
        End = Math.Max(End, time);
        return --_slices == 0;
    }

    private long Time(int bytes) => (long)Math.Ceiling((_charge > 0 ? (double)_charge * bytes / RunBytes : bytes) / _share * _perByte);

    /// <summary>Byte addresses of the runs. Those whose place is computed at run time lie anywhere; those of a kernel that does not say lie behind each other.</summary>
    private readonly struct Places
    {
        private readonly MemoryView? _view;
        private readonly long _start;
        private readonly long _step;

        // So many runs, from the first on, lie a step apart.
        private readonly int _even;

        public Places(Transfer transfer, MemoryView? view)
        {
            _view = view;
            if (transfer.Opcode.IsDynamic())
            {
                (_start, _view) = (transfer.Index * RunsBetweenScattered, null);
            }
            else if (view is not { } known)
            {
                (_start, _step, _even) = ((long)transfer.Index << BitsBetweenUnsaid, transfer.RunBytes, int.MaxValue);
            }
            else if (known.Pattern is { RowGroups: 1, Blocks: 1 } pattern)
            {
                (_start, _step, _even) = (known.Address, pattern.RowStride * known.Tensor.Type.ByteSize(), pattern.Rows);
            }
        }

        public long Of(int run) => run < _even ? _start + (run * _step) : Elsewhere(run);

        private long Elsewhere(int run)
        {
            if (_view is not { } view)
            {
                return (_start + run) * Scattering % ScatteredBytes / MemoryTensor.Alignment * MemoryTensor.Alignment;
            }

            MemoryPattern pattern = view.Pattern;
            (int row, int block) = Math.DivRem(run % pattern.Runs, pattern.Blocks);
            return view.Address + ((pattern.RowOffset(row) + (block * pattern.BlockStride)) * view.Tensor.Type.ByteSize());
        }
    }
}

/// <summary>The runs of a transfer that one engine moves.</summary>
internal struct TransferSlice
{
    public readonly Transfer Transfer;

    /// <summary>The engine sees it from this time on.</summary>
    public readonly long Arrival;

    private readonly int _endRun;

    public TransferSlice(Transfer transfer, int firstRun, int endRun, long arrival)
    {
        (Transfer, Run, _endRun, Arrival) = (transfer, firstRun, endRun, arrival);
        Begin();
    }

    /// <summary>The run at work.</summary>
    public int Run { get; private set; }

    /// <summary>Bytes of it that were moved.</summary>
    public int Moved { get; private set; }

    /// <summary>Where the next byte is read.</summary>
    public long From { get; private set; }

    /// <summary>Where the next byte is written.</summary>
    public long To { get; private set; }

    public readonly bool IsDone => Run == _endRun;

    /// <summary>Some more bytes of the run were moved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance(int bytes)
    {
        (Moved, From, To) = (Moved + bytes, From + bytes, To + bytes);
        if (Moved == Transfer.RunBytes)
        {
            (Moved, Run) = (0, Run + 1);
            Begin();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Begin()
    {
        if (!IsDone)
        {
            (From, To) = (Transfer.Reads ? Transfer.From(Run) : 0, Transfer.Writes ? Transfer.To(Run) : 0);
        }
    }
}
