using System.Numerics;

namespace Systolic.Components;

/// <summary>Which command issues next.</summary>
internal sealed partial class BankQueueChannel
{
    /// <summary>As <see cref="BankQueueReference"/>: queues take turns; the first that has a command ready takes the turn and issues it if the bus of its kind is free.</summary>
    /// <returns>The kind of the command that was ready.</returns>
    private Kind IssueFromQueues(long tick, Kind allowed)
    {
        ulong wanting = Candidates(tick);
        ulong later = _turn == 63 ? 0 : wanting & (ulong.MaxValue << (_turn + 1));
        for (ulong part = later; part != 0; part &= part - 1)
        {
            Kind kind = TryIssue(BitOperations.TrailingZeroCount(part), tick, allowed);
            if (kind != Kind.None)
            {
                return kind;
            }
        }

        for (ulong part = wanting & ~later; part != 0; part &= part - 1)
        {
            Kind kind = TryIssue(BitOperations.TrailingZeroCount(part), tick, allowed);
            if (kind != Kind.None)
            {
                return kind;
            }
        }

        return Kind.None;
    }

    /// <summary>Banks whose data bus or activate window does not rule out what they want.</summary>
    private ulong Candidates(long tick)
    {
        ulong banks = _wantPrecharge;
        for (int bus = 0; bus < _busMasks.Length; bus++)
        {
            ulong onBus = _timers.BusRead(bus) <= tick ? _wantRead : 0;
            onBus |= _timers.BusWrite(bus) <= tick ? _wantWrite : 0;
            onBus |= _timers.BusActivate(bus) <= tick ? _wantActivate : 0;
            banks |= onBus & _busMasks[bus];
        }

        return banks & ~_blocked;
    }

    private Kind TryIssue(int bank, long tick, Kind allowed)
    {
        ulong bit = 1UL << bank;
        if ((_wantActivate & bit) != 0)
        {
            return _timers.ActivateAt(bank) <= tick ? IssueRowCommand(bank, tick, allowed) : Kind.None;
        }

        if ((_wantPrecharge & bit) != 0 && _timers.PrechargeAt(bank) <= tick)
        {
            return IssueRowCommand(bank, tick, allowed);
        }

        bool read = (_wantRead & bit) != 0 && _timers.ReadAt(bank) <= tick;
        bool write = (_wantWrite & bit) != 0 && _timers.WriteAt(bank) <= tick;
        if (!read && !write)
        {
            return Kind.None;
        }

        _turn = bank;
        if ((allowed & Kind.Column) != 0)
        {
            ref Bank state = ref _bank[bank];
            bool writes = !read || (write && _requests[state.FirstWrite].Order < _requests[state.FirstRead].Order);
            Access(bank, ref state, writes ? state.FirstWrite : state.FirstRead, tick);
        }

        return Kind.Column;
    }

    private Kind IssueRowCommand(int bank, long tick, Kind allowed)
    {
        _turn = bank;
        if ((allowed & Kind.Row) == 0)
        {
            return Kind.Row;
        }

        if ((_wantActivate & (1UL << bank)) != 0)
        {
            Activate(bank, tick);
        }
        else
        {
            Close(bank, forRow: true, tick);
        }

        return Kind.Row;
    }

    private void Activate(int bank, long tick)
    {
        _timers.Activate(bank, tick);
        _tally.Activates++;
        _bank[bank].OpenRow = _requests[_bank[bank].Head].Row;
        _open |= 1UL << bank;
        Classify(bank);
    }

    private void Close(int bank, bool forRow, long tick)
    {
        _timers.Precharge(bank, tick);
        _tally.Precharges++;
        (_bank[bank].OpenRow, _bank[bank].Accesses, _bank[bank].ClosedForRow) = (None, 0, forRow);
        _open &= ~(1UL << bank);
        Classify(bank);
    }

    private void Access(int bank, ref Bank state, int slot, long tick)
    {
        ref Request request = ref _requests[slot];
        CountAccess(ref state);
        if (request.IsWrite)
        {
            _timers.Write(bank, tick);
            _tally.Writes++;
            _pendingWrites.Remove(request.Address);
        }
        else
        {
            _timers.Read(bank, tick);
            _tally.Reads++;
            _pendingReads.Remove(request.Address);
        }

        Unlink(ref state, ref request, bank);
        AfterAccess(bank, ref state, ref request);
        if (request.IsWrite)
        {
            Release(slot);
        }
        else
        {
            Complete(slot, tick + _readLatency);
        }
    }

    private void Complete(int slot, long done)
    {
        while (slot != None)
        {
            ref Request request = ref _requests[slot];
            _completions.AddRead(new DramCompletion(request.Tag, done, done - request.Accepted, false));
            int next = request.Same;
            Release(slot);
            slot = next;
        }
    }

    private void CountAccess(ref Bank state)
    {
        if (state.Accesses++ > 0)
        {
            _tally.RowHits++;
        }
        else if (state.ClosedForRow)
        {
            _tally.RowConflicts++;
        }
        else
        {
            _tally.RowMisses++;
        }
    }

    private void Unlink(ref Bank state, ref Request request, int bank)
    {
        if (request.Previous == None)
        {
            state.Head = request.Next;
        }
        else
        {
            _requests[request.Previous].Next = request.Next;
        }

        if (request.Next == None)
        {
            state.Tail = request.Previous;
        }
        else
        {
            _requests[request.Next].Previous = request.Previous;
        }

        state.Length--;
        _queued--;
        _room |= 1UL << bank;
    }

    /// <summary>A hit was served: finds the next of its kind. Writes may have waited for it, so that with them everything is looked at.</summary>
    private void AfterAccess(int bank, ref Bank state, ref Request served)
    {
        if (state.WriteHits > 0)
        {
            Classify(bank);
            return;
        }

        state.Hits--;
        int next = served.Next;
        while (next != None && _requests[next].Row != state.OpenRow)
        {
            next = _requests[next].Next;
        }

        state.FirstRead = next;
        if (next == None)
        {
            _wantRead &= ~(1UL << bank);
        }

        ChoosePrecharge(bank, ref state);
    }

    private void ChoosePrecharge(int bank, ref Bank state)
    {
        bool wanted = state.Head != None && _requests[state.Head].Row != state.OpenRow && (state.Hits == 0 || state.Accesses >= _policy.RowHitCap);
        _wantPrecharge = wanted ? _wantPrecharge | (1UL << bank) : _wantPrecharge & ~(1UL << bank);
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
        (state.Hits, state.WriteHits) = (0, 0);
        if (state.OpenRow == None)
        {
            _wantActivate |= state.Head == None ? 0 : bit;
            return;
        }

        for (int slot = state.Head; slot != None; slot = _requests[slot].Next)
        {
            if (_requests[slot].Row == state.OpenRow)
            {
                NoteHit(bank, ref state, slot);
            }
        }

        ChoosePrecharge(bank, ref state);
    }

    private void NoteHit(int bank, ref Bank state, int slot)
    {
        ulong bit = 1UL << bank;
        state.Hits++;
        if (!_requests[slot].IsWrite)
        {
            (state.FirstRead, _wantRead) = (_wantRead & bit) == 0 ? (slot, _wantRead | bit) : (state.FirstRead, _wantRead);
            return;
        }

        state.WriteHits++;
        if ((_wantWrite & bit) == 0 && !FollowsRead(slot))
        {
            (state.FirstWrite, _wantWrite) = (slot, _wantWrite | bit);
        }
    }

    private bool FollowsRead(int slot)
    {
        long address = _requests[slot].Address;
        if (!_pendingReads.MayHold(address))
        {
            return false;
        }

        for (int earlier = _requests[slot].Previous; earlier != None; earlier = _requests[earlier].Previous)
        {
            if (!_requests[earlier].IsWrite && _requests[earlier].Address == address)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The first tick from <paramref name="tick"/> in which a command can issue; not exact, an earlier one.</summary>
    private long EarliestCommand(long tick, bool exact)
    {
        if (!exact && _refreshes.Count == 0 && (_wantActivate | _wantPrecharge | _wantWrite) == 0)
        {
            return EarliestStream(tick);
        }

        long earliest = EarliestRefreshStep();
        ulong free = ~_blocked;
        for (ulong part = _wantPrecharge & free; part != 0 && earliest > tick; part &= part - 1)
        {
            earliest = Math.Min(earliest, _timers.PrechargeAt(BitOperations.TrailingZeroCount(part)));
        }

        for (int bus = 0; bus < _busMasks.Length && earliest > tick; bus++)
        {
            earliest = EarliestOnBus(bus, _busMasks[bus] & free, tick, earliest);
        }

        return Math.Max(earliest, tick);
    }

    private long EarliestStream(long tick)
    {
        long earliest = Never;
        for (int bus = 0; bus < _busMasks.Length; bus++)
        {
            earliest = (_wantRead & _busMasks[bus]) == 0 ? earliest : Math.Min(earliest, _timers.BusRead(bus));
        }

        return Math.Max(earliest, tick);
    }

    private long EarliestOnBus(int bus, ulong banks, long tick, long earliest)
    {
        long least = Math.Max(_timers.BusRead(bus), tick);
        for (ulong part = _wantRead & banks; part != 0 && earliest > least; part &= part - 1)
        {
            earliest = Math.Min(earliest, _timers.ReadAt(BitOperations.TrailingZeroCount(part)));
        }

        least = Math.Max(_timers.BusWrite(bus), tick);
        for (ulong part = _wantWrite & banks; part != 0 && earliest > least; part &= part - 1)
        {
            earliest = Math.Min(earliest, _timers.WriteAt(BitOperations.TrailingZeroCount(part)));
        }

        least = Math.Max(_timers.BusActivate(bus), tick);
        for (ulong part = _wantActivate & banks; part != 0 && earliest > least; part &= part - 1)
        {
            earliest = Math.Min(earliest, _timers.ActivateAt(BitOperations.TrailingZeroCount(part)));
        }

        return earliest;
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
        if (_draining > 0)
        {
            int slot = from[place];
            if (_pendingReads.MayHold(_requests[slot].Address) && FindRead(_requests[slot].Address, _requests[slot].Bank) != None)
            {
                _draining = 0;
                if (_queued > 0 || !startsToWrite || (_reads.Banks & _room) == 0)
                {
                    return;
                }

                from = _reads;
                place = FirstWithRoom(from);
            }
            else
            {
                _draining--;
            }
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
        ref Request request = ref _requests[slot];
        int bank = request.Bank;
        ref Bank state = ref _bank[bank];
        from.RemoveAt(place, bank);
        (request.Previous, request.Next, request.Order) = (state.Tail, None, _nextOrder++);
        if (state.Tail == None)
        {
            state.Head = slot;
        }
        else
        {
            _requests[state.Tail].Next = slot;
        }

        state.Tail = slot;
        _queued++;
        if (++state.Length == _depth)
        {
            _room &= ~(1UL << bank);
        }

        Want(bank, ref state, slot);
    }

    /// <summary>What a bank wants changes only with the first request of a kind.</summary>
    private void Want(int bank, ref Bank state, int slot)
    {
        ulong bit = 1UL << bank;
        (ulong activate, ulong precharge, ulong read, ulong write) = (_wantActivate, _wantPrecharge, _wantRead, _wantWrite);
        if (state.OpenRow == None)
        {
            _wantActivate |= bit;
        }
        else if (_requests[slot].Row == state.OpenRow)
        {
            NoteHit(bank, ref state, slot);
            if ((_wantPrecharge & bit) != 0)
            {
                ChoosePrecharge(bank, ref state);
            }
        }
        else if (state.Head == slot)
        {
            ChoosePrecharge(bank, ref state);
        }

        ulong added = (_wantActivate & ~activate) | (_wantPrecharge & ~precharge) | (_wantRead & ~read) | (_wantWrite & ~write);
        if (added != 0 && (_blocked & bit) == 0)
        {
            _commandAt = Math.Min(_commandAt, EarliestOf(bank));
        }
    }

    private long EarliestOf(int bank)
    {
        ulong bit = 1UL << bank;
        long activate = (_wantActivate & bit) != 0 ? _timers.ActivateAt(bank) : Never;
        long precharge = (_wantPrecharge & bit) != 0 ? _timers.PrechargeAt(bank) : Never;
        long read = (_wantRead & bit) != 0 ? _timers.ReadAt(bank) : Never;
        long write = (_wantWrite & bit) != 0 ? _timers.WriteAt(bank) : Never;
        return Math.Min(Math.Min(activate, precharge), Math.Min(read, write));
    }
}
