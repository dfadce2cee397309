namespace Systolic.Components;

/// <summary>The channel as a state.</summary>
internal sealed partial class BankQueueChannel : IRepeatingChannel
{
    private DramCounts _skipped;

    /// <inheritdoc/>
    public long Refreshes => _tally.RefreshesAll + _tally.RefreshesBank;

    /// <inheritdoc/>
    public void Describe(DramState state)
    {
        _timers.Describe(state);
        for (int bank = 0; bank < _banks; bank++)
        {
            Describe(state, _bank[bank]);
            DescribeFirst(state, bank);
        }

        Describe(state, _reads);
        Describe(state, _writes);
        foreach (ulong banks in (ReadOnlySpan<ulong>)[_wantActivate, _wantPrecharge, _wantRead, _wantWrite, _blocked, _open, _room])
        {
            state.AddBanks(banks);
        }

        state.Add(_turn);
        state.Add(_draining);
        state.AddReady(_commandAt);
        state.AddTime(_refreshDue);
        state.Add(_nextRefresh);
        state.Add(_refreshes.Count);
        foreach ((DramCommand command, int bank) in _refreshes)
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
        (_commandAt, _refreshDue) = (shift.Of(_commandAt), shift.Of(_refreshDue));
        foreach (ref Bank bank in _bank.AsSpan())
        {
            bank.OpenRow = shift.OfRow(bank.OpenRow);
            for (int slot = bank.Head; slot != None; slot = _requests[slot].Next)
            {
                Skip(slot, shift);
            }
        }

        foreach (WaitingRequests waiting in (ReadOnlySpan<WaitingRequests>)[_reads, _writes])
        {
            for (int i = 0; i < waiting.Count; i++)
            {
                Skip(waiting[i], shift);
            }
        }
    }

    private void Describe(DramState state, in Bank bank)
    {
        state.AddRow(bank.OpenRow);
        state.Add(Math.Min(bank.Accesses, Math.Max(1, _policy.RowHitCap)));
        state.Add(bank.ClosedForRow ? 1 : 0);
        state.Add(bank.Length);
        for (int slot = bank.Head; slot != None; slot = _requests[slot].Next)
        {
            Describe(state, slot);
        }
    }

    private void DescribeFirst(DramState state, int bank)
    {
        ulong bit = 1UL << bank;
        Describe(state, (_wantRead & bit) == 0 ? None : _bank[bank].FirstRead);
        Describe(state, (_wantWrite & bit) == 0 ? None : _bank[bank].FirstWrite);
    }

    private void Describe(DramState state, WaitingRequests waiting)
    {
        state.Add(waiting.Count);
        for (int i = 0; i < waiting.Count; i++)
        {
            Describe(state, waiting[i]);
        }
    }

    /// <summary>A request and the reads of the same burst.</summary>
    private void Describe(DramState state, int slot)
    {
        for (; slot != None; slot = _requests[slot].Same)
        {
            state.AddAddress(_requests[slot].Address);
            state.AddTime(_requests[slot].Accepted);
            state.Add(_requests[slot].IsWrite ? 1 : 0);
        }

        state.Add(None);
    }

    private void Skip(int slot, DramShift shift)
    {
        AddressFilter pending = _requests[slot].IsWrite ? _pendingWrites : _pendingReads;
        pending.Remove(_requests[slot].Address);
        pending.Add(_requests[slot].Address + shift.Bytes);
        for (; slot != None; slot = _requests[slot].Same)
        {
            ref Request request = ref _requests[slot];
            request.Address += shift.Bytes;
            request.Row += shift.Rows;
            request.Accepted += shift.Ticks;
            request.Tag += shift.Requests;
        }
    }
}
