namespace Systolic.Components;

/// <summary>The channel as a state.</summary>
internal sealed partial class FrFcfsChannel : IRepeatingChannel
{
    private DramCounts _skipped;

    /// <inheritdoc/>
    public long Refreshes => _tally.RefreshesAll + _tally.RefreshesBank;

    /// <inheritdoc/>
    public void Describe(DramState state)
    {
        _timers.Describe(state);
        _refreshTurn.Describe(state);
        Describe(state, _reads);
        Describe(state, _writes);
        for (int bank = 0; bank < _openRow.Length; bank++)
        {
            state.AddRow(_openRow[bank]);
            Describe(state, _active[bank]);
        }

        Describe(state, _half);
        Describe(state, _synchronized);
        foreach (ulong banks in (ReadOnlySpan<ulong>)[_open, _activeReads, _activeWrites])
        {
            state.AddBanks(banks);
        }

        foreach (long time in (ReadOnlySpan<long>)[_lastRead, _commandAt, _activeAt, _bufferAt, _half == None ? 0 : _halfDeadline, _dataClockEnd, _risingPair])
        {
            state.AddReady(time);
        }

        foreach (bool flag in (ReadOnlySpan<bool>)[_writing, _servedActive, _bufferChanged, _halfClock && (state.Tick & 1) == 1, _risingAll])
        {
            state.Add(flag ? 1 : 0);
        }

        state.Add(_risingBank);
        state.AddTime(_refreshDue);
        state.Add(_maintenance.Count);
        foreach ((DramCommand command, int bank) in _maintenance)
        {
            state.Add((int)command);
            state.Add(bank);
        }
    }

    /// <inheritdoc/>
    public void Skip(DramShift shift, DramCounts counts)
    {
        _skipped += counts;
        _timers.Skip(shift);
        _refreshTurn.Skip(shift);
        (_lastRead, _commandAt, _activeAt, _bufferAt) = (shift.Of(_lastRead), shift.Of(_commandAt), shift.Of(_activeAt), shift.Of(_bufferAt));
        (_halfDeadline, _dataClockEnd, _risingPair, _refreshDue) = (shift.Of(_halfDeadline), shift.Of(_dataClockEnd), shift.Of(_risingPair), shift.Of(_refreshDue));
        for (int bank = 0; bank < _openRow.Length; bank++)
        {
            _openRow[bank] = shift.OfRow(_openRow[bank]);
            if (_active[bank] != None)
            {
                Skip(_active[bank], shift);
            }

            SkipList(_reads.Oldest(bank), shift);
            SkipList(_writes.Oldest(bank), shift);
        }

        if (_half != None)
        {
            Skip(_half, shift);
        }
    }

    private void Describe(DramState state, RequestBuffer buffer)
    {
        state.AddBanks(buffer.Closed);
        state.AddBanks(buffer.Hits);
        state.AddBanks(buffer.Misses);
        for (int bank = 0; bank < _openRow.Length; bank++)
        {
            for (int slot = buffer.Oldest(bank); slot != None; slot = _requests[slot].Next)
            {
                Describe(state, slot);
            }

            state.Add(None);
            Describe(state, (buffer.Hits >> bank & 1) == 0 ? None : buffer.OldestHit(bank));
            Describe(state, (buffer.Misses >> bank & 1) == 0 ? None : buffer.OldestMiss(bank));
        }
    }

    private void Describe(DramState state, int slot)
    {
        if (slot == None)
        {
            state.Add(None);
            return;
        }

        ref ChannelRequest request = ref _requests[slot];
        state.AddAddress(request.Address);
        state.AddTime(request.Accepted);
        state.Add(_nextOrder - request.Order);
        state.Add((request.IsWrite ? 2 : 0) + (request.IsCounted ? 1 : 0));
    }

    private void SkipList(int slot, DramShift shift)
    {
        for (; slot != None; slot = _requests[slot].Next)
        {
            if (_requests[slot].IsWrite)
            {
                _writeAddresses.Remove(_requests[slot].Address);
                _writeAddresses.Add(_requests[slot].Address + shift.Bytes);
            }

            Skip(slot, shift);
        }
    }

    private void Skip(int slot, DramShift shift)
    {
        ref ChannelRequest request = ref _requests[slot];
        request.Address += shift.Bytes;
        request.Row += shift.Rows;
        request.Accepted += shift.Ticks;
        request.Tag += shift.Requests;
    }
}
