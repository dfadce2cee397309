using System.Numerics;

namespace Systolic.Components;

/// <summary>Which command issues next.</summary>
internal sealed partial class BankQueueChannel
{
    /// <summary>As <see cref="BankQueueReference"/>: queues take turns.</summary>
    private bool? IssueFromQueues(long tick, bool? other)
    {
        ulong wanting = (_wantActivate | _wantPrecharge | _wantRead | _wantWrite) & ~_blocked;
        ulong later = _turn == 63 ? 0 : wanting & (ulong.MaxValue << (_turn + 1));
        for (ulong part = later; part != 0; part &= part - 1)
        {
            if (TryIssue(BitOperations.TrailingZeroCount(part), tick, other) is { } kind)
            {
                return kind;
            }
        }

        for (ulong part = wanting & ~later; part != 0; part &= part - 1)
        {
            if (TryIssue(BitOperations.TrailingZeroCount(part), tick, other) is { } kind)
            {
                return kind;
            }
        }

        return null;
    }

    /// <returns>Whether the command that is ready is a column command; null if none is.</returns>
    private bool? TryIssue(int bank, long tick, bool? other)
    {
        ulong bit = 1UL << bank;
        if ((_wantActivate & bit) != 0)
        {
            if (_timers.ActivateAt(bank) > tick)
            {
                return null;
            }

            _turn = bank;
            if (other != false)
            {
                Activate(bank, tick);
            }

            return false;
        }

        if ((_wantPrecharge & bit) != 0 && _timers.PrechargeAt(bank) <= tick)
        {
            _turn = bank;
            if (other != false)
            {
                Close(bank, forRow: true, tick);
            }

            return false;
        }

        bool read = (_wantRead & bit) != 0 && _timers.ReadAt(bank) <= tick;
        bool write = (_wantWrite & bit) != 0 && _timers.WriteAt(bank) <= tick;
        if (!read && !write)
        {
            return null;
        }

        _turn = bank;
        if (other != true)
        {
            Access(bank, !read || (write && _bank[bank].WritePlace < _bank[bank].ReadPlace), tick);
        }

        return true;
    }

    private void Activate(int bank, long tick)
    {
        _timers.Activate(bank, tick);
        _activates++;
        _bank[bank].OpenRow = _requests[_queue[bank * _depth]].Row;
        Classify(bank);
    }

    private void Close(int bank, bool forRow, long tick)
    {
        _timers.Precharge(bank, tick);
        _precharges++;
        (_bank[bank].OpenRow, _bank[bank].Accesses, _bank[bank].ClosedForRow) = (-1, 0, forRow);
        _open &= ~(1UL << bank);
        Classify(bank);
    }

    private void Access(int bank, bool isWrite, long tick)
    {
        ref Bank state = ref _bank[bank];
        int place = isWrite ? state.WritePlace : state.ReadPlace;
        int slot = _queue[bank * _depth + place];
        RemoveFromQueue(bank, place);
        CountAccess(ref state);
        if (isWrite)
        {
            _timers.Write(bank, tick);
            _writeBursts++;
            _pendingWrites.Remove(_requests[slot].Address);
            Release(slot);
        }
        else
        {
            _timers.Read(bank, tick);
            _readBursts++;
            _pendingReads.Remove(_requests[slot].Address);
            Complete(slot, tick + _readLatency);
        }

        Classify(bank);
    }

    private void Complete(int slot, long done)
    {
        while (slot >= 0)
        {
            ref Request request = ref _requests[slot];
            _completions.AddRead(new DramCompletion(request.Tag, done, done - request.Accepted, false));
            int next = request.Link;
            Release(slot);
            slot = next;
        }
    }

    private void CountAccess(ref Bank state)
    {
        if (state.Accesses++ > 0)
        {
            _hits++;
        }
        else if (state.ClosedForRow)
        {
            _conflicts++;
        }
        else
        {
            _misses++;
        }
    }

    private void RemoveFromQueue(int bank, int place)
    {
        int last = bank * _depth + --_bank[bank].Length;
        for (int i = bank * _depth + place; i < last; i++)
        {
            _queue[i] = _queue[i + 1];
        }

        _queued--;
        _room |= 1UL << bank;
    }

    /// <summary>Finds what the queue of a bank wants: an activate, or of the open row the first read and the first write, or a precharge.</summary>
    private void Classify(int bank)
    {
        ref Bank state = ref _bank[bank];
        ulong bit = 1UL << bank;
        _wantActivate &= ~bit;
        _wantPrecharge &= ~bit;
        _wantRead &= ~bit;
        _wantWrite &= ~bit;
        if (state.OpenRow >= 0)
        {
            _open |= bit;
        }

        if (state.Length == 0)
        {
            return;
        }

        if (state.OpenRow < 0)
        {
            _wantActivate |= bit;
            return;
        }

        ReadOnlySpan<int> queue = _queue.AsSpan(bank * _depth, state.Length);
        bool hit = false;
        for (int i = 0; i < queue.Length; i++)
        {
            ref Request request = ref _requests[queue[i]];
            if (request.Row != state.OpenRow)
            {
                continue;
            }

            hit = true;
            if (!request.IsWrite && (_wantRead & bit) == 0)
            {
                (_wantRead, state.ReadPlace) = (_wantRead | bit, i);
            }
            else if (request.IsWrite && (_wantWrite & bit) == 0 && !FollowsRead(queue[..i], request.Address))
            {
                (_wantWrite, state.WritePlace) = (_wantWrite | bit, i);
            }

            if ((_wantRead & _wantWrite & bit) != 0)
            {
                break;
            }
        }

        if (_requests[queue[0]].Row != state.OpenRow && (!hit || state.Accesses >= _policy.RowHitCap))
        {
            _wantPrecharge |= bit;
        }
    }

    private bool FollowsRead(ReadOnlySpan<int> earlier, long address)
    {
        foreach (int slot in earlier)
        {
            if (!_requests[slot].IsWrite && _requests[slot].Address == address)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The first tick from <paramref name="tick"/> in which a command can issue.</summary>
    private long EarliestCommand(long tick)
    {
        long earliest = EarliestRefreshStep();
        ulong free = ~_blocked;
        for (ulong part = _wantRead & free; part != 0 && earliest > tick; part &= part - 1)
        {
            earliest = Math.Min(earliest, _timers.ReadAt(BitOperations.TrailingZeroCount(part)));
        }

        for (ulong part = _wantWrite & free; part != 0 && earliest > tick; part &= part - 1)
        {
            earliest = Math.Min(earliest, _timers.WriteAt(BitOperations.TrailingZeroCount(part)));
        }

        for (ulong part = _wantPrecharge & free; part != 0 && earliest > tick; part &= part - 1)
        {
            earliest = Math.Min(earliest, _timers.PrechargeAt(BitOperations.TrailingZeroCount(part)));
        }

        return EarliestActivate(_wantActivate & free, tick, earliest);
    }

    private long EarliestActivate(ulong banks, long tick, long earliest)
    {
        while (banks != 0 && earliest > tick)
        {
            int bus = BitOperations.TrailingZeroCount(banks) >> _timers.BusBits;
            ulong onBus = banks & _busMasks[bus];
            banks &= ~onBus;
            for (long least = _timers.BusActivate(bus); onBus != 0 && earliest > least; onBus &= onBus - 1)
            {
                earliest = Math.Min(earliest, _timers.ActivateAt(BitOperations.TrailingZeroCount(onBus)));
            }
        }

        return Math.Max(earliest, tick);
    }

    private long EarliestOf(int bank)
    {
        ulong bit = 1UL << bank;
        if (((_wantActivate | _wantPrecharge | _wantRead | _wantWrite) & bit & ~_blocked) == 0)
        {
            return Never;
        }

        long activate = (_wantActivate & bit) != 0 ? _timers.ActivateAt(bank) : Never;
        long precharge = (_wantPrecharge & bit) != 0 ? _timers.PrechargeAt(bank) : Never;
        long read = (_wantRead & bit) != 0 ? _timers.ReadAt(bank) : Never;
        long write = (_wantWrite & bit) != 0 ? _timers.WriteAt(bank) : Never;
        return Math.Min(Math.Min(activate, precharge), Math.Min(read, write));
    }

    /// <summary>As <see cref="BankQueueReference"/>: one request a tick moves into the queue of its bank.</summary>
    private void MoveOne()
    {
        bool startsToWrite = StartsToWrite();
        if (_draining == 0 && startsToWrite)
        {
            _draining = _writes.Count;
        }

        WaitingRequests from = _draining > 0 ? _writes : _reads;
        if ((from.Banks & _room) == 0)
        {
            return;
        }

        int place = FirstWithRoom(from);
        if (_draining > 0 && _pendingReads.Find(_requests[from[place]].Address) >= 0)
        {
            _draining = 0;
            if (_queued > 0 || !startsToWrite || (_reads.Banks & _room) == 0)
            {
                return;
            }

            from = _reads;
            place = FirstWithRoom(from);
        }
        else if (_draining > 0)
        {
            _draining--;
        }

        Move(from, place);
    }

    private bool StartsToWrite() => _writes.IsFull || (_writes.Count > _policy.IdleWrites && _queued == 0);

    private bool MayMove() => ((_draining > 0 || StartsToWrite() ? _writes : _reads).Banks & _room) != 0;

    private int FirstWithRoom(WaitingRequests waiting)
    {
        int place = 0;
        while ((_room >> _requests[waiting[place]].Bank & 1) == 0)
        {
            place++;
        }

        return place;
    }

    private void Move(WaitingRequests from, int place)
    {
        int slot = from[place];
        int bank = _requests[slot].Bank;
        from.RemoveAt(place, bank);
        _queue[bank * _depth + _bank[bank].Length++] = slot;
        if (_bank[bank].Length == _depth)
        {
            _room &= ~(1UL << bank);
        }

        _queued++;
        Classify(bank);
        _commandAt = Math.Min(_commandAt, EarliestOf(bank));
    }
}
