using System.Numerics;

namespace Systolic.Components;

/// <summary>A refresh that is due blocks its banks, closes their rows, and issues.</summary>
internal sealed partial class BankQueueChannel
{
    private readonly Queue<(DramCommand Command, int Bank)> _refreshes = [];
    private ulong[] _busMasks = [];
    private DramOrganization? _parts;
    private int _refreshInterval;
    private int _refreshTargets;
    private int _nextRefresh;
    private long _refreshDue = Never;
    private ulong _blocked;
    private ulong _open;

    private void StartRefreshes(DramStandard standard)
    {
        DramOrganization parts = standard.Organization;
        _parts = parts;
        ulong bus = parts.BanksPerPseudoChannel == 64 ? ulong.MaxValue : (1UL << parts.BanksPerPseudoChannel) - 1;
        _busMasks = [.. Enumerable.Range(0, parts.PseudoChannels).Select(i => bus << (i * parts.BanksPerPseudoChannel))];
        (_refreshInterval, _refreshTargets) = _policy.Refresh switch
        {
            DramRefresh.AllBank => (standard.Timing.Refi / parts.PseudoChannels, parts.PseudoChannels),
            DramRefresh.PerBank => (standard.Timing.RefiBank, parts.TotalBanks),
            _ => (0, 0),
        };
        _refreshDue = _refreshTargets == 0 ? Never : _refreshInterval;
    }

    private void AddDueRefresh(long tick)
    {
        _refreshes.Enqueue(_policy.Refresh == DramRefresh.AllBank
            ? (DramCommand.RefreshAll, _nextRefresh * _parts!.BanksPerPseudoChannel)
            : (DramCommand.RefreshBank, RefreshOrder.Bank(_parts!, _nextRefresh)));
        _nextRefresh = (_nextRefresh + 1) % _refreshTargets;
        _refreshDue += _refreshInterval;
        _commandAt = tick;
    }

    private ulong RefreshMask() => _refreshes.Peek() is var (command, bank) && command == DramCommand.RefreshAll ? _busMasks[bank >> _timers.BusBits] : 1UL << bank;

    private bool TryRefresh(long tick)
    {
        ulong banks = RefreshMask();
        _blocked = banks;
        for (ulong part = banks & _open; part != 0; part &= part - 1)
        {
            int open = BitOperations.TrailingZeroCount(part);
            if (_timers.PrechargeAt(open) <= tick)
            {
                Close(open, forRow: false, tick);
                return true;
            }
        }

        (DramCommand command, int bank) = _refreshes.Peek();
        if ((banks & _open) != 0 || _timers.MaintenanceAt(command, bank) > tick)
        {
            return false;
        }

        _timers.Maintain(command, bank, tick);
        _refreshes.Dequeue();
        _blocked = 0;
        _tally.Refresh(command);
        return true;
    }

    private long EarliestRefreshStep()
    {
        if (_refreshes.Count == 0)
        {
            return Never;
        }

        ulong open = RefreshMask() & _open;
        if (open == 0)
        {
            return _timers.MaintenanceAt(_refreshes.Peek().Command, _refreshes.Peek().Bank);
        }

        long earliest = Never;
        for (; open != 0; open &= open - 1)
        {
            earliest = Math.Min(earliest, _timers.PrechargeAt(BitOperations.TrailingZeroCount(open)));
        }

        return earliest;
    }
}
