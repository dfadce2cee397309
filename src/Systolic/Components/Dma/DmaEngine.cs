using System.Numerics;
using System.Runtime.CompilerServices;
using Systolic.Programs;

namespace Systolic.Components;

/// <summary>One DMA engine: takes a piece of each waiting queue in turn, and keeps several pieces on their way to or from main memory.</summary>
internal sealed class DmaEngine
{
    private readonly IMainMemory _memory;
    private readonly Divisor _piece;
    private readonly long _outstanding;
    private readonly long[] _busy;
    private readonly Queue<TransferSlice>[] _queues;
    private readonly TransferSlice[] _heads = new TransferSlice[Streams.Count];
    private (long End, int Bytes)[] _onTheirWay = new (long, int)[16];
    private int _oldest;
    private int _pieces;
    private long _bytesOnTheirWay;
    private long _room;
    private long _now;
    private long _pathFree;
    private int _turn;
    private int _chosen;

    // A bit for each queue that waits.
    private int _waiting;

    /// <param name="spec">What an engine can do.</param>
    /// <param name="memory">Main memory.</param>
    /// <param name="busy">Takes up the time for which data moves through, by part of the program.</param>
    public DmaEngine(DmaSpec spec, IMainMemory memory, long[] busy)
    {
        (_memory, _busy, _piece, _outstanding) = (memory, busy, new Divisor(memory.Piece), spec.Outstanding.Value);
        _queues = [.. Enumerable.Range(0, Streams.Count).Select(_ => new Queue<TransferSlice>())];
    }

    /// <summary>When the next piece goes to main memory, or moves if it stays on chip.</summary>
    public long NextTime { get; private set; } = long.MaxValue;

    /// <summary>Work for a queue, known from <paramref name="now"/> on.</summary>
    public void Add(in TransferSlice slice, long now)
    {
        int queue = (int)slice.Transfer.Stream;
        _now = now;
        if ((_waiting & (1 << queue)) != 0)
        {
            _queues[queue].Enqueue(slice);
            return;
        }

        _heads[queue] = slice;
        _waiting |= 1 << queue;
        Choose();
    }

    /// <summary>Moves the next piece; returns its transfer if it was the last of it.</summary>
    public Transfer? Step()
    {
        ref TransferSlice slice = ref _heads[_chosen];
        Transfer transfer = slice.Transfer;
        int bytes = transfer.RunBytes - slice.Moved;
        bytes = transfer.Reads ? Math.Min(bytes, Room(slice.From)) : bytes;
        bytes = transfer.Writes ? Math.Min(bytes, Room(slice.To)) : bytes;
        long path = transfer.PathTime(bytes), end = NextTime + path;
        if (transfer.Reads)
        {
            end = Math.Max(end, _memory.Read(slice.From, bytes, NextTime, transfer.IsPlaced));
            for (int source = 1; source < transfer.Sources; source++)
            {
                end = Math.Max(end, _memory.Read(transfer.From(slice.Run, source) + slice.Moved, bytes, NextTime, transfer.IsPlaced));
            }
        }

        if (transfer.Writes)
        {
            end = Math.Max(end, _memory.Write(slice.To, bytes, NextTime, transfer.IsPlaced));
        }

        _pathFree = NextTime + path;
        _busy[transfer.Part] += path;
        Send(end, bytes);
        slice.Advance(bytes);
        Transfer? finished = slice.IsDone && transfer.Finish(end) ? transfer : null;
        if (slice.IsDone)
        {
            NextSlice();
        }

        _turn = _chosen;
        Choose();
        return finished;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Send(long end, int bytes)
    {
        if (_pieces == _onTheirWay.Length)
        {
            (long End, int Bytes)[] larger = new (long, int)[2 * _pieces];
            _onTheirWay.AsSpan(_oldest).CopyTo(larger);
            _onTheirWay.AsSpan(0, _oldest).CopyTo(larger.AsSpan(_pieces - _oldest));
            (_onTheirWay, _oldest) = (larger, 0);
        }

        int last = _onTheirWay.Length - 1;
        _onTheirWay[(_oldest + _pieces++) & last] = (end, bytes);
        for (_bytesOnTheirWay += bytes; _bytesOnTheirWay > _outstanding; _pieces--)
        {
            (long arrived, int moved) = _onTheirWay[_oldest];
            _room = Math.Max(_room, arrived);
            _bytesOnTheirWay -= moved;
            _oldest = (_oldest + 1) & last;
        }
    }

    private void NextSlice()
    {
        if (!_queues[_chosen].TryDequeue(out _heads[_chosen]))
        {
            _waiting &= ~(1 << _chosen);
        }
    }

    /// <summary>Of the queues whose work has arrived when the engine can take a piece, the next one in turn; if there is none, the one whose work arrives first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Choose()
    {
        if (_waiting == 0)
        {
            NextTime = long.MaxValue;
            return;
        }

        long free = Math.Max(Math.Max(_now, _pathFree), _room);
        int first = -1;
        for (int turns = (_waiting | (_waiting << Streams.Count)) >> (_turn + 1) & ((1 << Streams.Count) - 1); turns != 0; turns &= turns - 1)
        {
            int queue = _turn + 1 + BitOperations.TrailingZeroCount(turns);
            queue -= queue < Streams.Count ? 0 : Streams.Count;
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

    /// <summary>A run is cut where main memory goes on in another channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Room(long address) => (int)(_memory.Piece - _piece.Remainder(address));
}
