namespace Systolic.Components;

/// <summary>When a refresh is due and of what, as Ramulator 2.1 does it; times are its cycles.</summary>
internal sealed class RefreshTurn
{
    private readonly DramOrganization _parts;
    private readonly DramRefresh _kind;
    private readonly int _interval;
    private readonly int _refreshTime;
    private readonly bool _together;
    private readonly long[] _setAllowed;
    private long _nextInterval;
    private int _step;
    private int _pseudoChannel;

    public RefreshTurn(DramStandard standard, DramRefresh kind)
    {
        (_parts, _kind) = (standard.Organization, kind);
        _interval = kind == DramRefresh.PerBank ? standard.Timing.RefiBank : standard.Timing.Refi;
        _refreshTime = standard.Timing.RfcBank;
        _together = kind == DramRefresh.AllBank || standard.RefreshesPseudoChannelsTogether;
        _setAllowed = new long[_parts.Stacks];
        Due = kind == DramRefresh.Off ? long.MaxValue : _interval;
        _nextInterval = Due;
    }

    /// <summary>The cycle of the next one.</summary>
    public long Due { get; private set; }

    /// <summary>Takes a refresh that is due in this cycle: its command and the first bank it is for.</summary>
    public bool TryTake(long clock, out DramCommand command, out int bank)
    {
        command = _kind == DramRefresh.AllBank ? DramCommand.RefreshAll : DramCommand.RefreshBank;
        bank = 0;
        if (clock < Due)
        {
            return false;
        }

        if (_kind == DramRefresh.AllBank)
        {
            bank = _pseudoChannel * _parts.BanksPerPseudoChannel;
            AdvancePseudoChannel(clock, later: 0);
            return true;
        }

        return _together ? TakePaired(clock, out bank) : TakeSingle(out bank);
    }

    /// <summary>See <see cref="IRepeatingChannel.Describe"/>.</summary>
    public void Describe(DramState state)
    {
        state.AddTime(Due);
        state.AddTime(_nextInterval);
        state.Add(_step);
        state.Add(_pseudoChannel);
        foreach (long allowed in _setAllowed)
        {
            state.AddReady(allowed);
        }
    }

    /// <summary>See <see cref="IRepeatingChannel.Skip"/>.</summary>
    public void Skip(DramShift shift)
    {
        (Due, _nextInterval) = (shift.Of(Due), shift.Of(_nextInterval));
        shift.Apply(_setAllowed);
    }

    private bool TakeSingle(out int bank)
    {
        bank = _step;
        _step = (_step + 1) % _parts.TotalBanks;
        Due += _interval;
        return true;
    }

    /// <summary>The same bank of every pseudo-channel, one a cycle; a die waits for its last refresh before the next round.</summary>
    private bool TakePaired(long clock, out int bank)
    {
        int perStack = _parts.BankGroups * _parts.Banks;
        int stack = _step / perStack;
        bank = _pseudoChannel * _parts.BanksPerPseudoChannel + _step;
        if (_pseudoChannel == 0 && clock < _setAllowed[stack])
        {
            (Due, _nextInterval) = (_setAllowed[stack], _setAllowed[stack]);
            return false;
        }

        bool last = _pseudoChannel == _parts.PseudoChannels - 1;
        AdvancePseudoChannel(clock, later: 1);
        if (last)
        {
            if (_step % perStack == perStack - 1)
            {
                _setAllowed[stack] = clock + _refreshTime;
            }

            _step = (_step + 1) % _parts.BanksPerPseudoChannel;
        }

        return true;
    }

    private void AdvancePseudoChannel(long clock, int later)
    {
        _pseudoChannel = (_pseudoChannel + 1) % _parts.PseudoChannels;
        if (_pseudoChannel != 0)
        {
            Due = clock + later;
            return;
        }

        _nextInterval += _interval;
        Due = _nextInterval;
    }
}
