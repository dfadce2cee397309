using System.Numerics;

namespace Systolic.Components;

/// <summary>Which command issues next, and when one can at the earliest; times are cycles of the tool, one ahead of ticks.</summary>
internal sealed partial class FrFcfsChannel
{
    private long _activeAt = Never;
    private bool _servedActive;
    private long _bufferAt;
    private bool _bufferChanged = true;
    private int _risingBank = None;
    private bool _risingAll;
    private long _risingPair = -1;

    private void IssueColumn(long clock)
    {
        int slot = OldestActive(clock);
        if (slot != None)
        {
            IssueActive(slot, clock);
        }
        else if (_maintenance.Count == 0)
        {
            ChooseMode();
            RequestBuffer buffer = Buffer;
            slot = MayScan(clock) ? OldestHit(buffer, clock, None) : None;
            if (slot != None)
            {
                Access(slot, buffer, clock);
            }
        }
    }

    private void IssueRow(long clock, bool rising)
    {
        if (_maintenance.Count > 0)
        {
            IssueMaintenance(clock, rising);
            return;
        }

        ChooseMode();
        RequestBuffer buffer = Buffer;
        if ((buffer.Closed | buffer.Misses) == 0 || !MayScan(clock))
        {
            return;
        }

        int slot = rising ? OldestClosed(buffer, clock, None) : None;
        slot = OldestMiss(buffer, clock, slot, rising);
        if (slot != None)
        {
            int bank = _requests[slot].Bank;
            bool opens = _openRow[bank] == Closed;
            IssueRowCommand(slot, buffer, clock);
            NoteRising(bank, all: false, rising, clock + (opens ? 3 : 1));
        }
    }

    private void IssueAny(long clock)
    {
        int slot = OldestActive(clock);
        if (slot != None)
        {
            IssueActive(slot, clock);
            return;
        }

        if (_maintenance.Count > 0)
        {
            IssueMaintenance(clock, rising: true);
            return;
        }

        ChooseMode();
        RequestBuffer buffer = Buffer;
        slot = OldestOf(buffer, clock);
        if (slot == None)
        {
            return;
        }

        if (_openRow[_requests[slot].Bank] == _requests[slot].Row)
        {
            Access(slot, buffer, clock);
        }
        else
        {
            IssueRowCommand(slot, buffer, clock);
        }
    }

    private int OldestOf(RequestBuffer buffer, long clock) => !MayScan(clock)
        ? None
        : OldestMiss(buffer, clock, _half == None ? OldestClosed(buffer, clock, OldestHit(buffer, clock, None)) : OldestHit(buffer, clock, None), rising: true);

    /// <summary>A request of the buffer may be ready. Ready times never go back, so that a bound holds until a row, the mode or what is served changes.</summary>
    private bool MayScan(long clock)
    {
        _bufferChanged |= clock >= _bufferAt;
        return clock >= _bufferAt;
    }

    private void NoteRising(int bank, bool all, bool rising, long pair)
    {
        if (_halfClock && rising)
        {
            (_risingBank, _risingAll, _risingPair) = (bank, all, pair);
        }
    }

    private bool MayCloseOnFallingEdge(int bank, bool all, long clock) => clock != _risingPair || _risingBank >> _timers.BusBits != bank >> _timers.BusBits
        || (!_risingAll && !all && bank != _risingBank);

    /// <summary>Among the requests whose row was opened for them, the first accepted one that can be served.</summary>
    private int OldestActive(long clock)
    {
        if (clock < _activeAt)
        {
            return None;
        }

        int oldest = None;
        long earliest = Never;
        for (ulong part = _activeReads | _activeWrites; part != 0; part &= part - 1)
        {
            int bank = BitOperations.TrailingZeroCount(part);
            long ready = ActiveAt(bank);
            earliest = Math.Min(earliest, ready);
            if (ready <= clock)
            {
                oldest = OlderActive(oldest, _active[bank]);
            }
        }

        _activeAt = earliest;
        return oldest;
    }

    private long ActiveAt(int bank) => (_activeReads & (1UL << bank)) != 0 ? _timers.ReadAt(bank) : _timers.WriteAt(bank);

    /// <summary>Ready times never go back, so that a bound holds until one of those requests is served.</summary>
    private long EarliestActive()
    {
        if (!_servedActive)
        {
            return _activeAt;
        }

        _servedActive = false;
        _activeAt = Never;
        for (ulong part = _activeReads | _activeWrites; part != 0; part &= part - 1)
        {
            _activeAt = Math.Min(_activeAt, ActiveAt(BitOperations.TrailingZeroCount(part)));
        }

        return _activeAt;
    }

    private int OlderActive(int left, int right)
    {
        if (left == None)
        {
            return right;
        }

        ref ChannelRequest a = ref _requests[left];
        ref ChannelRequest b = ref _requests[right];
        return a.Accepted < b.Accepted || (a.Accepted == b.Accepted && a.Order < b.Order) ? left : right;
    }

    private int Older(int left, int right) => left == None || _requests[right].Order < _requests[left].Order ? right : left;

    private int OldestHit(RequestBuffer buffer, long clock, int oldest)
    {
        for (ulong part = _writing ? _timers.MayWrite(buffer.Hits, clock) : _timers.MayRead(buffer.Hits, clock); part != 0; part &= part - 1)
        {
            int bank = BitOperations.TrailingZeroCount(part);
            if ((_writing ? _timers.WriteAt(bank) : _timers.ReadAt(bank)) <= clock)
            {
                oldest = Older(oldest, buffer.OldestHit(bank));
            }
        }

        return oldest;
    }

    private int OldestClosed(RequestBuffer buffer, long clock, int oldest)
    {
        for (ulong part = _timers.MayActivate(buffer.Closed, clock); part != 0; part &= part - 1)
        {
            int bank = BitOperations.TrailingZeroCount(part);
            if (_timers.ActivateAt(bank) <= clock)
            {
                oldest = Older(oldest, buffer.Oldest(bank));
            }
        }

        return oldest;
    }

    private int OldestMiss(RequestBuffer buffer, long clock, int oldest, bool rising)
    {
        for (ulong part = _timers.MayPrecharge(buffer.Misses & ~(_activeReads | _activeWrites), clock); part != 0; part &= part - 1)
        {
            int bank = BitOperations.TrailingZeroCount(part);
            if (_timers.BankPrecharge(bank) <= clock && !ProtectsRow(buffer, bank) && (rising || MayCloseOnFallingEdge(bank, all: false, clock)))
            {
                oldest = Older(oldest, buffer.OldestMiss(bank));
            }
        }

        return oldest;
    }

    private bool ProtectsRow(RequestBuffer buffer, int bank) => _protectsHits && (buffer.Hits & (1UL << bank)) != 0
        && _requests[buffer.OldestHit(bank)].Accepted <= _requests[buffer.OldestMiss(bank)].Accepted;

    private void IssueActive(int slot, long clock)
    {
        int bank = _requests[slot].Bank;
        ulong bit = 1UL << bank;
        _active[bank] = None;
        _servedActive = true;
        _bufferChanged |= ((_reads.Misses | _writes.Misses) & bit) != 0;
        _activeReads &= ~bit;
        _activeWrites &= ~bit;
        Transfer(slot, clock);
    }

    private void Access(int slot, RequestBuffer buffer, long clock)
    {
        ref ChannelRequest request = ref _requests[slot];
        _tally.RowHits += request.IsCounted ? 0 : 1;
        Leave(slot, buffer);
        Transfer(slot, clock);
    }

    private void Leave(int slot, RequestBuffer buffer)
    {
        buffer.Remove(slot);
        if (_requests[slot].IsWrite)
        {
            _writeAddresses.Remove(_requests[slot].Address);
        }
    }

    private void Transfer(int slot, long clock)
    {
        _issued = true;
        ref ChannelRequest request = ref _requests[slot];
        if (request.IsWrite)
        {
            _tally.Writes++;
            _timers.Write(request.Bank, clock);
            _completions.AddAcknowledgement(new DramCompletion(request.Tag, clock - 1, clock - request.Accepted, true));
        }
        else
        {
            _tally.Reads++;
            _timers.Read(request.Bank, clock);
            _lastRead = Math.Max(_lastRead, clock + _readLatency - 1);
            _completions.AddRead(new DramCompletion(request.Tag, _lastRead, _lastRead + 1 - request.Accepted, false));
        }

        Release(slot);
    }

    private void IssueRowCommand(int slot, RequestBuffer buffer, long clock)
    {
        ref ChannelRequest request = ref _requests[slot];
        int bank = request.Bank;
        if (_openRow[bank] != Closed)
        {
            _tally.RowConflicts += request.IsCounted ? 0 : 1;
            request.IsCounted = true;
            _tally.Precharges++;
            _timers.Precharge(bank, clock);
            SetRow(bank, Closed);
            return;
        }

        _tally.RowMisses += request.IsCounted ? 0 : 1;
        request.IsCounted = true;
        _tally.Activates++;
        _timers.Activate(bank, clock);
        Leave(slot, buffer);
        if (_twoPhase is null)
        {
            Open(slot);
        }
        else
        {
            (_half, _halfDeadline) = (slot, clock + _twoPhase.LatestSecondHalf);
            SetRow(bank, HalfOpen);
        }
    }

    private void Open(int slot)
    {
        ref ChannelRequest request = ref _requests[slot];
        request.Order = _nextOrder++;
        _active[request.Bank] = slot;
        (request.IsWrite ? ref _activeWrites : ref _activeReads) |= 1UL << request.Bank;
        _activeAt = Math.Min(_activeAt, ActiveAt(request.Bank));
        SetRow(request.Bank, request.Row);
    }

    private bool IssueMaintenance(long clock, bool rising)
    {
        (DramCommand final, int bank) = _maintenance.Peek();
        DramCommand command = MaintenanceStep(final, bank);
        bool closes = command is DramCommand.Precharge or DramCommand.PrechargeAll;
        bool all = command is DramCommand.PrechargeAll or DramCommand.RefreshAll;
        if (_timers.MaintenanceAt(command, bank) > clock || IsHeld(command, bank) || !(rising || (closes && MayCloseOnFallingEdge(bank, all, clock))))
        {
            return false;
        }

        _timers.Maintain(command, bank, clock);
        NoteRising(bank, all, rising, clock + 1);
        if (closes)
        {
            _tally.Precharges++;
            CloseAll(all ? _busMask << (bank >> _timers.BusBits << _timers.BusBits) : 1UL << bank);
            return true;
        }

        _maintenance.Dequeue();
        _tally.Refresh(final);
        return true;
    }

    private void CloseAll(ulong banks)
    {
        for (ulong part = banks & _open; part != 0; part &= part - 1)
        {
            SetRow(BitOperations.TrailingZeroCount(part), Closed);
        }
    }

    private DramCommand MaintenanceStep(DramCommand final, int bank) => final == DramCommand.RefreshBank
        ? (_open & (1UL << bank)) == 0 ? final : DramCommand.Precharge
        : (_open & (_busMask << bank)) == 0 ? final : DramCommand.PrechargeAll;

    /// <summary>A step waits for requests whose row was opened for them, and for a half-open bank.</summary>
    private bool IsHeld(DramCommand command, int bank)
    {
        ulong banks = command is DramCommand.PrechargeAll or DramCommand.RefreshAll ? _busMask << bank : 1UL << bank;
        ulong active = command is DramCommand.Precharge or DramCommand.PrechargeAll ? _activeReads | _activeWrites : 0;
        return (banks & active) != 0 || (_half != None && (banks & (1UL << _requests[_half].Bank)) != 0);
    }

    /// <summary>The first cycle from <paramref name="clock"/> in which a command can issue; not exact, an earlier one.</summary>
    private long EarliestCommand(long clock, bool exact)
    {
        RequestBuffer buffer = Buffer;
        if (!exact && (buffer.Closed | buffer.Misses | _activeReads | _activeWrites) == 0 && _maintenance.Count == 0 && _half == None)
        {
            return EarliestStream(buffer.Hits, clock);
        }

        if (_half != None || _synchronized != None)
        {
            return clock;
        }

        long earliest = EarliestActive() is < Never and long active ? Rising(active) : Never;
        return Math.Max(clock, _maintenance.Count > 0 ? Math.Min(earliest, EarliestMaintenance()) : Math.Min(earliest, EarliestOfBuffer(buffer, clock)));
    }

    private long EarliestStream(ulong hits, long clock)
    {
        long earliest = Never;
        for (int bus = 0; bus < _buses; bus++)
        {
            if ((hits & (_busMask << (bus << _timers.BusBits))) != 0)
            {
                earliest = Math.Min(earliest, _writing ? _timers.BusWrite(bus) : _timers.BusRead(bus));
            }
        }

        return Rising(Math.Max(earliest, clock));
    }

    private long EarliestMaintenance()
    {
        (DramCommand final, int bank) = _maintenance.Peek();
        DramCommand command = MaintenanceStep(final, bank);
        return IsHeld(command, bank) ? Never : _timers.MaintenanceAt(command, bank);
    }

    private long EarliestOfBuffer(RequestBuffer buffer, long clock)
    {
        if (!_bufferChanged)
        {
            return _bufferAt;
        }

        long earliest = Never;
        ulong closable = buffer.Misses & ~(_activeReads | _activeWrites);
        for (int bus = 0; bus < _buses && earliest > clock; bus++)
        {
            ulong banks = _busMask << (bus << _timers.BusBits);
            long least = Math.Max(clock, _timers.BusPrecharge(bus));
            for (ulong part = closable & banks; part != 0 && earliest > least; part &= part - 1)
            {
                int bank = BitOperations.TrailingZeroCount(part);
                earliest = ProtectsRow(buffer, bank) ? earliest : Math.Min(earliest, Math.Max(least, _timers.BankPrecharge(bank)));
            }

            least = Math.Max(clock, _writing ? _timers.BusWrite(bus) : _timers.BusRead(bus));
            for (ulong part = buffer.Hits & banks; part != 0 && earliest > least; part &= part - 1)
            {
                int bank = BitOperations.TrailingZeroCount(part);
                earliest = Math.Min(earliest, Rising(_writing ? _timers.WriteAt(bank) : _timers.ReadAt(bank)));
            }

            least = Math.Max(clock, _timers.BusActivate(bus));
            for (ulong part = buffer.Closed & banks; part != 0 && earliest > least; part &= part - 1)
            {
                earliest = Math.Min(earliest, Rising(_timers.ActivateAt(BitOperations.TrailingZeroCount(part))));
            }
        }

        (_bufferAt, _bufferChanged) = (earliest, false);
        return earliest;
    }

    /// <summary>The earliest cycle for the next command of a request that has just come.</summary>
    private long EarliestFor(int bank, int row, bool isWrite) => _openRow[bank] switch
    {
        HalfOpen => Never,
        Closed => Rising(_timers.ActivateAt(bank)),
        int open when open == row => Rising(isWrite ? _timers.WriteAt(bank) : _timers.ReadAt(bank)),
        _ => _timers.PrechargeAt(bank),
    };

    private long Rising(long clock) => _halfClock ? clock | 1 : clock;
}
