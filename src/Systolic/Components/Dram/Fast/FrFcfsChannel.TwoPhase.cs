namespace Systolic.Components;

/// <summary>Two-part activates and the start of the data clock. Between the halves there is no other activate, so that one bank at most is half open.</summary>
internal sealed partial class FrFcfsChannel
{
    private int _half = None;
    private long _halfDeadline;
    private int _synchronized = None;
    private long _dataClockEnd;

    private void ExecuteTwoPhase(DramTwoPhase rules, long clock)
    {
        if (_synchronized != None)
        {
            int held = _synchronized;
            _synchronized = None;
            IssueAccess(held, rules, clock);
        }
        else if (_half != None && _halfDeadline <= clock)
        {
            FinishActivate();
        }
        else if (!IssueTwoPhase(rules, clock) && _half != None)
        {
            FinishActivate();
        }
    }

    private bool IssueTwoPhase(DramTwoPhase rules, long clock)
    {
        int slot = OldestActive(clock);
        if (slot != None)
        {
            StartAccess(slot, rules, clock);
            return true;
        }

        if (_maintenance.Count > 0)
        {
            return IssueMaintenance(clock, rising: true);
        }

        ChooseMode();
        RequestBuffer buffer = Buffer;
        slot = OldestOf(buffer, clock);
        if (slot == None)
        {
            return false;
        }

        if (_openRow[_requests[slot].Bank] == _requests[slot].Row)
        {
            StartAccess(slot, rules, clock);
        }
        else
        {
            IssueRowCommand(slot, buffer, clock);
        }

        return true;
    }

    private void StartAccess(int slot, DramTwoPhase rules, long clock)
    {
        if (clock < _dataClockEnd)
        {
            IssueAccess(slot, rules, clock);
        }
        else if (_half != None && _halfDeadline <= clock + 1)
        {
            FinishActivate();
        }
        else
        {
            _synchronized = slot;
        }
    }

    private void IssueAccess(int slot, DramTwoPhase rules, long clock)
    {
        ref ChannelRequest request = ref _requests[slot];
        DramTiming timing = _standard.Timing;
        _dataClockEnd = Math.Max(_dataClockEnd, clock + (request.IsWrite ? timing.Cwl : timing.Cl) + timing.Burst + rules.ClockPostamble);
        if (_active[request.Bank] == slot)
        {
            IssueActive(slot, clock);
        }
        else
        {
            Access(slot, request.IsWrite ? _writes : _reads, clock);
        }
    }

    private void FinishActivate()
    {
        int slot = _half;
        _half = None;
        Open(slot);
    }
}
