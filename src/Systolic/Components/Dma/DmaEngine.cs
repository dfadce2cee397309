using Systolic.Programs;

namespace Systolic.Components;

/// <summary>One DMA engine: takes a piece of each waiting queue in turn, and keeps several pieces on their way to or from main memory.</summary>
internal sealed class DmaEngine
{
    private readonly DmaSpec _spec;
    private readonly IMainMemory _memory;
    private readonly double _perByte;
    private readonly long[] _busy;
    private readonly Queue<TransferSlice>[] _queues;
    private readonly TransferSlice[] _heads = new TransferSlice[Streams.Count];
    private readonly bool[] _waiting = new bool[Streams.Count];
    private readonly Queue<(long End, int Bytes)> _onTheirWay = new();
    private long _bytesOnTheirWay;
    private long _room;
    private long _now;
    private long _pathFree;
    private int _turn;
    private int _chosen;
    private int _busyQueues;

    /// <param name="spec">What an engine can do.</param>
    /// <param name="memory">Main memory.</param>
    /// <param name="busy">Takes up the time for which data moves through, by part of the program.</param>
    public DmaEngine(DmaSpec spec, IMainMemory memory, long[] busy)
    {
        (_spec, _memory, _busy) = (spec, memory, busy);
        _perByte = 1e15 / spec.EngineBandwidth.BytesPerSecond;
        _queues = [.. Enumerable.Range(0, Streams.Count).Select(_ => new Queue<TransferSlice>())];
    }

    /// <summary>When the next piece goes to main memory, or moves if it stays on chip.</summary>
    public long NextTime { get; private set; } = long.MaxValue;

    /// <summary>Work for a queue, known from <paramref name="now"/> on.</summary>
    public void Add(in TransferSlice slice, long now)
    {
        int queue = (int)slice.Transfer.Stream;
        _now = now;
        if (_waiting[queue])
        {
            _queues[queue].Enqueue(slice);
            return;
        }

        (_heads[queue], _waiting[queue]) = (slice, true);
        _busyQueues++;
        Choose();
    }

    /// <summary>Moves the next piece; returns its transfer if it was the last of it.</summary>
    public Transfer? Step()
    {
        ref TransferSlice slice = ref _heads[_chosen];
        Transfer transfer = slice.Transfer;
        long from = transfer.Reads ? transfer.From(slice.Run) + slice.Moved : 0;
        long to = transfer.Writes ? transfer.To(slice.Run) + slice.Moved : 0;
        int bytes = transfer.RunBytes - slice.Moved;
        bytes = transfer.Reads ? Math.Min(bytes, Room(from)) : bytes;
        bytes = transfer.Writes ? Math.Min(bytes, Room(to)) : bytes;
        long path = PathTime(transfer, bytes);
        long end = NextTime + path;
        if (transfer.Reads)
        {
            for (int source = 0; source < transfer.Sources; source++)
            {
                long address = source == 0 ? from : transfer.From(slice.Run, source) + slice.Moved;
                end = Math.Max(end, _memory.Read(address, bytes, NextTime, transfer.IsPlaced));
            }
        }

        if (transfer.Writes)
        {
            end = Math.Max(end, _memory.Write(to, bytes, NextTime, transfer.IsPlaced));
        }

        _pathFree = NextTime + path;
        _busy[transfer.Part] += path;
        Send(end, bytes);
        Advance(ref slice, bytes);
        Transfer? finished = slice.IsDone && transfer.Finish(end) ? transfer : null;
        if (slice.IsDone)
        {
            NextSlice();
        }

        _turn = _chosen;
        Choose();
        return finished;
    }

    private void Send(long end, int bytes)
    {
        _onTheirWay.Enqueue((end, bytes));
        for (_bytesOnTheirWay += bytes; _bytesOnTheirWay > _spec.Outstanding.Value; _bytesOnTheirWay -= _onTheirWay.Dequeue().Bytes)
        {
            _room = Math.Max(_room, _onTheirWay.Peek().End);
        }
    }

    private void NextSlice()
    {
        if (!_queues[_chosen].TryDequeue(out _heads[_chosen]))
        {
            _waiting[_chosen] = false;
            _busyQueues--;
        }
    }

    /// <summary>Of the queues whose work has arrived when the engine can take a piece, the next one in turn; if there is none, the one whose work arrives first.</summary>
    private void Choose()
    {
        if (_busyQueues == 0)
        {
            NextTime = long.MaxValue;
            return;
        }

        long free = Math.Max(Math.Max(_now, _pathFree), _room);
        int first = -1;
        for (int i = 1; i <= _heads.Length; i++)
        {
            int queue = (_turn + i) % _heads.Length;
            if (!_waiting[queue])
            {
                continue;
            }

            if (_heads[queue].Arrival <= free)
            {
                first = queue;
                break;
            }

            if (first < 0 || _heads[queue].Arrival < _heads[first].Arrival)
            {
                first = queue;
            }
        }

        _chosen = first;
        NextTime = Math.Max(free, _heads[first].Arrival);
    }

    private static void Advance(ref TransferSlice slice, int bytes)
    {
        slice.Moved += bytes;
        if (slice.Moved == slice.Transfer.RunBytes)
        {
            slice.Moved = 0;
            slice.Run++;
        }
    }

    /// <summary>A run is cut where main memory goes on in another channel.</summary>
    private int Room(long address) => (int)(_memory.Piece - (address % _memory.Piece));

    /// <summary>A short run takes as long as <see cref="DmaSpec.MinimumRun"/>; transposes are slower, and a sum passes each source at its share.</summary>
    private long PathTime(Transfer transfer, int bytes)
    {
        double charged = transfer.RunBytes < _spec.MinimumRun.Value ? (double)_spec.MinimumRun.Value * bytes / transfer.RunBytes : bytes;
        double share = transfer.Opcode switch
        {
            Opcode.LocalTranspose => _spec.LocalTransposeShare,
            Opcode.LoadTransposed => _spec.MemoryTransposeShare,
            Opcode.MemorySum => _spec.MemorySumShare / transfer.Sources,
            _ => 1,
        };
        return (long)Math.Ceiling(charged / share * _perByte);
    }
}
