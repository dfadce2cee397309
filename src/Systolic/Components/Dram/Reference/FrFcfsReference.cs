namespace Systolic.Components;

/// <summary>The rules of Ramulator 2.1, stepped tick by tick over plain lists: slow and to be read beside docs/dram.md.</summary>
/// <remarks>The clock of the tool is one ahead: tick t is its cycle t + 1. Ready times are kept in that clock.</remarks>
internal sealed class FrFcfsReference : IDramChannel
{
    private const int Closed = -1;
    private const int Activating = -2;

    private readonly DramStandard _standard;
    private readonly DramPolicy _policy;
    private readonly DramOrganization _parts;
    private readonly DramReadiness _readiness;
    private readonly DramTwoPhase? _twoPhase;
    private readonly int[] _openRow;
    private readonly List<DramRequest> _reads = [];
    private readonly List<DramRequest> _writes = [];
    private readonly List<DramRequest> _active = [];
    private readonly List<DramRequest> _activating = [];
    private readonly Queue<(DramCommand Command, int Bank)> _maintenance = [];
    private readonly Queue<int> _bankRefreshes = [];
    private readonly CompletionList _completions = new();
    private readonly RefreshTurn _refreshTurn;
    private bool _writing;
    private long _lastRead;
    private long _dataClockEnd;
    private DramRequest? _synchronized;
    private (int Bank, bool All, long Clock) _risingRowCommand = (-1, false, -1);
    private DramCounts _counts;

    public FrFcfsReference(DramStandard standard, DramPolicy policy)
    {
        (_standard, _policy, _parts, _twoPhase) = (standard, policy, standard.Organization, standard.Bus.TwoPhase);
        _readiness = new DramReadiness(standard);
        _openRow = [.. Enumerable.Repeat(Closed, _parts.TotalBanks)];
        _refreshTurn = new RefreshTurn(standard, policy.Refresh);
    }

    /// <inheritdoc/>
    public DramCounts Counts => _counts;

    /// <inheritdoc/>
    public long NextCompletion => _completions.First;

    /// <inheritdoc/>
    public string? OldestWaiting => _reads.Concat(_writes).Concat(_active).Concat(_activating).MinBy(request => request.Accepted)?.ToString();

    /// <inheritdoc/>
    public long NextTick(long tick) => tick;

    /// <inheritdoc/>
    public bool TryTake(long end, out DramCompletion completion) => _completions.TryTake(end, out completion);

    /// <inheritdoc/>
    public bool TryEnqueue(long address, int bank, int row, bool isWrite, long tag, long tick)
    {
        if (_writes.Exists(write => write.Address == address))
        {
            Merge(isWrite, tag, tick);
            return true;
        }

        (List<DramRequest> queue, int size) = isWrite ? (_writes, _policy.WriteQueue) : (_reads, _policy.ReadQueue);
        if (queue.Count >= size)
        {
            return false;
        }

        queue.Add(new DramRequest(address, bank, row, isWrite, tag, tick));
        return true;
    }

    /// <inheritdoc/>
    public long Execute(long tick)
    {
        long clock = tick + 1;
        AddDueRefresh(clock);
        if (_twoPhase is not null)
        {
            ExecuteTwoPhase(_twoPhase, clock);
        }
        else if (_standard.Bus.Split)
        {
            bool rising = !_standard.Bus.HalfClock || clock % 2 == 1;
            if (rising)
            {
                IssueOne(clock, IsColumn, _active);
            }

            (DramCommand Command, int Bank)? issued = IssueOne(clock, (command, bank) => !IsColumn(command, bank) && (rising || MayCloseOnFallingEdge(command, bank, clock)), []);
            if (issued is not null && _standard.Bus.HalfClock && rising)
            {
                bool all = issued.Value.Command is DramCommand.PrechargeAll or DramCommand.RefreshAll;
                _risingRowCommand = (issued.Value.Bank, all, clock + (issued.Value.Command == DramCommand.Activate ? 3 : 1));
            }
        }
        else
        {
            IssueOne(clock, (_, _) => true, _active);
        }

        return clock;
    }

    private static bool IsColumn(DramCommand command, int bank) => command is DramCommand.Read or DramCommand.Write;

    /// <summary>Half clocks: only precharges start on a falling edge, and beside the row command of the rising edge only to another bank or pseudo-channel.</summary>
    private bool MayCloseOnFallingEdge(DramCommand command, int bank, long clock)
    {
        if (command is not (DramCommand.Precharge or DramCommand.PrechargeAll))
        {
            return false;
        }

        (int other, bool all, long paired) = _risingRowCommand;
        return clock != paired || other / _parts.BanksPerPseudoChannel != bank / _parts.BanksPerPseudoChannel
            || (!all && command == DramCommand.Precharge && bank != other);
    }

    private void Merge(bool isWrite, long tag, long tick)
    {
        _counts = _counts with { Merged = _counts.Merged + 1 };
        if (isWrite)
        {
            _completions.Add(new DramCompletion(tag, tick - 1, 0, true));
            return;
        }

        // Reads return in order: one that needs no command waits for those before it.
        _lastRead = Math.Max(_lastRead, tick);
        _completions.Add(new DramCompletion(tag, _lastRead, _lastRead - tick + 1, false));
    }

    private void AddDueRefresh(long clock)
    {
        while (_refreshTurn.TryTake(clock, out DramCommand command, out int bank))
        {
            _maintenance.Enqueue((command, bank));
        }
    }

    /// <summary>Requests whose row was opened for them go first, then refreshes, then the reads or the writes; nothing new starts while a refresh waits.</summary>
    private (DramCommand Command, int Bank)? IssueOne(long clock, Func<DramCommand, int, bool> fits, List<DramRequest> active)
    {
        if (Best(active, clock, fits) is { } opened)
        {
            return Issue(opened, active, clock);
        }

        if (_maintenance.Count > 0)
        {
            return IssueMaintenance(clock, fits);
        }

        ChooseMode();
        List<DramRequest> buffer = _writing ? _writes : _reads;
        return Best(buffer, clock, (command, bank) => !ClosesActive(command, bank) && fits(command, bank)) is { } best ? Issue(best, buffer, clock) : null;
    }

    private (DramCommand Command, int Bank)? IssueMaintenance(long clock, Func<DramCommand, int, bool> fits)
    {
        (DramCommand final, int bank) = _maintenance.Peek();
        DramCommand command = MaintenanceStep(final, bank);
        if (!_readiness.IsReady(command, bank, clock) || ClosesActive(command, bank) || !fits(command, bank))
        {
            return null;
        }

        _readiness.Issue(command, bank, clock);
        if (command == final)
        {
            _maintenance.Dequeue();
            _counts = final == DramCommand.RefreshAll
                ? _counts with { RefreshesAll = _counts.RefreshesAll + 1 }
                : _counts with { RefreshesBank = _counts.RefreshesBank + 1 };
        }
        else
        {
            int count = command == DramCommand.PrechargeAll ? _parts.BanksPerPseudoChannel : 1;
            Array.Fill(_openRow, Closed, bank, count);
            _counts = _counts with { Precharges = _counts.Precharges + 1 };
        }

        return (command, bank);
    }

    private DramCommand MaintenanceStep(DramCommand final, int bank)
    {
        if (final == DramCommand.RefreshBank)
        {
            return _openRow[bank] == Closed ? final : DramCommand.Precharge;
        }

        return Array.TrueForAll(_openRow[bank..(bank + _parts.BanksPerPseudoChannel)], row => row == Closed) ? final : DramCommand.PrechargeAll;
    }

    private bool ClosesActive(DramCommand command, int bank) => command switch
    {
        DramCommand.Precharge => _active.Exists(request => request.Bank == bank),
        DramCommand.PrechargeAll => _active.Exists(request => request.Bank / _parts.BanksPerPseudoChannel == bank / _parts.BanksPerPseudoChannel),
        _ => false,
    };

    /// <summary>Writing starts above the high watermark or when no read waits, and stops below the low one once a read waits.</summary>
    private void ChooseMode()
    {
        // Single precision, as in the tool.
        if (!_writing)
        {
            _writing = _writes.Count > (float)_policy.HighWatermark * _policy.WriteQueue || _reads.Count == 0;
        }
        else if (_writes.Count < (float)_policy.LowWatermark * _policy.WriteQueue && _reads.Count != 0)
        {
            _writing = false;
        }
    }

    /// <summary>The oldest request whose next command fits and may issue now.</summary>
    private DramRequest? Best(List<DramRequest> buffer, long clock, Func<DramCommand, int, bool> fits)
    {
        DramRequest? best = null;
        foreach (DramRequest request in buffer)
        {
            DramCommand command = Needed(request);
            bool older = best is null || request.Accepted < best.Accepted;
            if (older && !IsHalfOpen(request) && fits(command, request.Bank) && !ClosesWantedRow(buffer, request, command) && _readiness.IsReady(command, request.Bank, clock))
            {
                best = request;
            }
        }

        return best;
    }

    private bool IsHalfOpen(DramRequest request) => _openRow[request.Bank] == Activating;

    private bool ClosesWantedRow(List<DramRequest> buffer, DramRequest request, DramCommand command) =>
        _policy.Scheduling == DramScheduling.FrFcfsRowHit && command == DramCommand.Precharge
        && buffer.Exists(other => other.Bank == request.Bank && other.Row == _openRow[request.Bank] && other.Accepted <= request.Accepted);

    private DramCommand Needed(DramRequest request) => _openRow[request.Bank] is var row && row < 0
        ? DramCommand.Activate
        : row == request.Row ? request.Access : DramCommand.Precharge;

    private (DramCommand Command, int Bank) Issue(DramRequest request, List<DramRequest> from, long clock)
    {
        DramCommand command = Needed(request);
        Count(request, command);
        _readiness.Issue(command, request.Bank, clock);
        switch (command)
        {
            case DramCommand.Precharge:
                _openRow[request.Bank] = Closed;
                break;
            case DramCommand.Activate:
                from.Remove(request);
                Open(request, clock);
                break;
            default:
                from.Remove(request);
                Complete(request, clock);
                break;
        }

        return (command, request.Bank);
    }

    private void Open(DramRequest request, long clock)
    {
        if (_twoPhase is null)
        {
            _openRow[request.Bank] = request.Row;
            _active.Add(request);
            return;
        }

        _openRow[request.Bank] = Activating;
        request.Deadline = clock + _twoPhase.LatestSecondHalf;
        _activating.Add(request);
    }

    private void Complete(DramRequest request, long clock)
    {
        if (request.IsWrite)
        {
            _completions.Add(new DramCompletion(request.Tag, clock - 1, clock - request.Accepted, true));
            return;
        }

        long departs = Math.Max(_lastRead + 1, clock + _standard.Timing.ReadLatency);
        _lastRead = departs - 1;
        _completions.Add(new DramCompletion(request.Tag, _lastRead, departs - request.Accepted, false));
    }

    private void Count(DramRequest request, DramCommand command)
    {
        bool first = !request.IsCounted;
        request.IsCounted = true;
        _counts = _counts with
        {
            Activates = _counts.Activates + (command == DramCommand.Activate ? 1 : 0),
            Precharges = _counts.Precharges + (command == DramCommand.Precharge ? 1 : 0),
            Reads = _counts.Reads + (command == DramCommand.Read ? 1 : 0),
            Writes = _counts.Writes + (command == DramCommand.Write ? 1 : 0),
            RowHits = _counts.RowHits + (first && command == request.Access ? 1 : 0),
            RowMisses = _counts.RowMisses + (first && command == DramCommand.Activate ? 1 : 0),
            RowConflicts = _counts.RowConflicts + (first && command == DramCommand.Precharge ? 1 : 0),
        };
    }

    /// <summary>Two-part activates: the second half has a latest tick and else fills idle ticks; a read or write after a pause takes a tick to start the data clock.</summary>
    private void ExecuteTwoPhase(DramTwoPhase rules, long clock)
    {
        DramRequest? urgent = Earliest(_activating.Where(request => request.Deadline <= clock));
        if (_synchronized is { } held)
        {
            _synchronized = null;
            IssueAccess(held, rules, clock);
            return;
        }

        if (urgent is not null)
        {
            FinishActivate(urgent);
            return;
        }

        if (IssueTwoPhase(rules, clock))
        {
            return;
        }

        if (Earliest(_activating) is { } idle)
        {
            FinishActivate(idle);
        }
    }

    private bool IssueTwoPhase(DramTwoPhase rules, long clock)
    {
        if (Best(_active, clock, MayInterleave) is { } opened)
        {
            return StartAccess(opened, rules, clock);
        }

        if (_maintenance.Count > 0)
        {
            return IssueMaintenance(clock, MayInterleave) is not null;
        }

        ChooseMode();
        List<DramRequest> buffer = _writing ? _writes : _reads;
        if (Best(buffer, clock, (command, bank) => !ClosesActive(command, bank) && MayInterleave(command, bank)) is not { } best)
        {
            return false;
        }

        if (Needed(best) == best.Access)
        {
            return StartAccess(best, rules, clock);
        }

        Issue(best, buffer, clock);
        return true;
    }

    /// <summary>Between the halves of an activate there is no other activate, and its bank is left alone.</summary>
    private bool MayInterleave(DramCommand command, int bank) => _activating.Count == 0 || command switch
    {
        DramCommand.Activate => false,
        DramCommand.PrechargeAll or DramCommand.RefreshAll => !_activating.Exists(request => request.Bank / _parts.BanksPerPseudoChannel == bank / _parts.BanksPerPseudoChannel),
        DramCommand.Precharge or DramCommand.RefreshBank => !_activating.Exists(request => request.Bank == bank),
        _ => true,
    };

    private bool StartAccess(DramRequest request, DramTwoPhase rules, long clock)
    {
        if (clock < _dataClockEnd)
        {
            IssueAccess(request, rules, clock);
        }
        else if (_activating.Exists(half => half.Deadline <= clock + 1))
        {
            FinishActivate(Earliest(_activating)!);
        }
        else
        {
            _synchronized = request;
        }

        return true;
    }

    private void IssueAccess(DramRequest request, DramTwoPhase rules, long clock)
    {
        DramTiming timing = _standard.Timing;
        _dataClockEnd = Math.Max(_dataClockEnd, clock + (request.IsWrite ? timing.Cwl : timing.Cl) + timing.Burst + rules.ClockPostamble);
        Issue(request, _active.Contains(request) ? _active : request.IsWrite ? _writes : _reads, clock);
    }

    private void FinishActivate(DramRequest request)
    {
        _activating.Remove(request);
        _openRow[request.Bank] = request.Row;
        _active.Add(request);
    }

    private static DramRequest? Earliest(IEnumerable<DramRequest> requests) => requests.OrderBy(request => request.Deadline).ThenBy(request => request.Accepted).FirstOrDefault();
}
