namespace Systolic.Components;

/// <summary>The rules of DRAMsim3, stepped tick by tick over plain lists: slow and to be read beside docs/dram.md.</summary>
internal sealed class BankQueueReference : IDramChannel
{
    private readonly DramStandard _standard;
    private readonly DramPolicy _policy;
    private readonly DramOrganization _parts;
    private readonly DramReadiness _readiness;
    private readonly List<DramRequest> _reads = [];
    private readonly List<DramRequest> _writes = [];
    private readonly List<DramRequest>[] _queues;
    private readonly int[] _openRow;
    private readonly int[] _accesses;
    private readonly bool[] _closedForRow;
    private readonly Dictionary<long, List<DramRequest>> _pendingReads = [];
    private readonly HashSet<long> _pendingWrites = [];
    private readonly Queue<(DramCommand Command, int Bank)> _refreshes = [];
    private readonly CompletionList _completions = new();
    private int _turn;
    private int _draining;
    private bool _refreshBlocks;
    private int _nextRefresh;
    private DramCounts _counts;

    public BankQueueReference(DramStandard standard, DramPolicy policy)
    {
        (_standard, _policy, _parts) = (standard, policy, standard.Organization);
        _readiness = new DramReadiness(standard);
        _queues = [.. Enumerable.Range(0, _parts.TotalBanks).Select(_ => new List<DramRequest>())];
        _openRow = [.. Enumerable.Repeat(-1, _parts.TotalBanks)];
        _accesses = new int[_parts.TotalBanks];
        _closedForRow = new bool[_parts.TotalBanks];
    }

    /// <inheritdoc/>
    public DramCounts Counts => _counts;

    /// <inheritdoc/>
    public long NextCompletion => _completions.First;

    /// <inheritdoc/>
    public string? OldestWaiting => _pendingReads.Values.SelectMany(reads => reads).MinBy(read => read.Accepted)?.ToString();

    /// <inheritdoc/>
    public long NextTick(long tick) => tick;

    /// <inheritdoc/>
    public bool TryTake(long end, out DramCompletion completion) => _completions.TryTake(end, out completion);

    /// <inheritdoc/>
    public bool TryEnqueue(long address, int bank, int row, bool isWrite, long tag, long tick)
    {
        (List<DramRequest> queue, int size) = isWrite ? (_writes, _policy.WriteQueue) : (_reads, _policy.ReadQueue);
        if (queue.Count >= size)
        {
            return false;
        }

        var request = new DramRequest(address, bank, row, isWrite, tag, tick);
        if (isWrite || _pendingWrites.Contains(address))
        {
            _completions.Add(new DramCompletion(tag, tick + 1, 1, isWrite));
        }

        if (_pendingWrites.Contains(address))
        {
            _counts = _counts with { Merged = _counts.Merged + 1 };
            return true;
        }

        if (isWrite)
        {
            _pendingWrites.Add(address);
            _writes.Add(request);
        }
        else if (_pendingReads.TryGetValue(address, out List<DramRequest>? same))
        {
            same.Add(request);
            _counts = _counts with { Merged = _counts.Merged + 1 };
        }
        else
        {
            _pendingReads.Add(address, [request]);
            _reads.Add(request);
        }

        return true;
    }

    /// <inheritdoc/>
    public long Execute(long tick)
    {
        AddDueRefresh(tick);
        bool? first = TryRefresh(tick) ? false : IssueFromQueues(tick, other: null);
        if (first is not null && _standard.Bus.Split)
        {
            IssueFromQueues(tick, other: first);
        }

        MoveOne();
        return tick + 1;
    }

    private void AddDueRefresh(long tick)
    {
        int targets = _policy.Refresh switch
        {
            DramRefresh.AllBank => _parts.PseudoChannels,
            DramRefresh.PerBank => _parts.TotalBanks,
            _ => 0,
        };
        int interval = _policy.Refresh == DramRefresh.PerBank ? _standard.Timing.RefiBank : _standard.Timing.Refi / _parts.PseudoChannels;
        if (targets == 0 || tick == 0 || tick % interval != 0)
        {
            return;
        }

        int bank = _policy.Refresh == DramRefresh.AllBank ? _nextRefresh * _parts.BanksPerPseudoChannel : RefreshOrder.Bank(_parts, _nextRefresh);
        _refreshes.Enqueue((_policy.Refresh == DramRefresh.AllBank ? DramCommand.RefreshAll : DramCommand.RefreshBank, bank));
        _nextRefresh = (_nextRefresh + 1) % targets;
    }

    /// <summary>A refresh that is due goes first: its banks take no requests until their rows are closed and it is issued.</summary>
    private bool TryRefresh(long tick)
    {
        if (_refreshes.Count == 0)
        {
            return false;
        }

        _refreshBlocks = true;
        (DramCommand command, int bank) = _refreshes.Peek();
        int end = bank + (command == DramCommand.RefreshAll ? _parts.BanksPerPseudoChannel : 1);
        bool allClosed = true;
        for (int i = bank; i < end; i++)
        {
            if (_openRow[i] < 0)
            {
                continue;
            }

            allClosed = false;
            if (_readiness.IsReady(DramCommand.Precharge, i, tick))
            {
                Close(i, forRow: false, tick);
                return true;
            }
        }

        if (!allClosed || !_readiness.IsReady(command, bank, tick))
        {
            return false;
        }

        _readiness.Issue(command, bank, tick);
        _refreshes.Dequeue();
        _refreshBlocks = false;
        _counts = command == DramCommand.RefreshAll
            ? _counts with { RefreshesAll = _counts.RefreshesAll + 1 }
            : _counts with { RefreshesBank = _counts.RefreshesBank + 1 };
        return true;
    }

    /// <summary>Queues take turns; the first that has a command ready issues it, unless the bus of that kind is taken.</summary>
    /// <param name="tick">Now.</param>
    /// <param name="other">Null for any command; else a command of the other kind than this (column: true) issues, and any command takes the turn.</param>
    /// <returns>Whether a column command was found; null if nothing was.</returns>
    private bool? IssueFromQueues(long tick, bool? other)
    {
        for (int i = 0; i < _queues.Length; i++)
        {
            _turn = (_turn + 1) % _queues.Length;
            if (IsBlocked(_turn) || FirstReady(_turn, tick) is not ({ } request, var command))
            {
                continue;
            }

            bool column = command is DramCommand.Read or DramCommand.Write;
            if (other is null || other != column)
            {
                Issue(request, command, tick);
            }

            return column;
        }

        return null;
    }

    private bool IsBlocked(int bank)
    {
        if (!_refreshBlocks)
        {
            return false;
        }

        (DramCommand command, int first) = _refreshes.Peek();
        return bank >= first && bank < first + (command == DramCommand.RefreshAll ? _parts.BanksPerPseudoChannel : 1);
    }

    private (DramRequest Request, DramCommand Command)? FirstReady(int bank, long tick)
    {
        List<DramRequest> queue = _queues[bank];
        for (int i = 0; i < queue.Count; i++)
        {
            DramRequest request = queue[i];
            DramCommand command = Needed(request);
            if (!_readiness.IsReady(command, bank, tick)
                || (command == DramCommand.Precharge && !MayClose(bank, i))
                || (command == DramCommand.Write && queue.Take(i).Any(earlier => !earlier.IsWrite && earlier.Address == request.Address)))
            {
                continue;
            }

            return (request, command);
        }

        return null;
    }

    private DramCommand Needed(DramRequest request) =>
        _openRow[request.Bank] < 0 ? DramCommand.Activate : _openRow[request.Bank] == request.Row ? request.Access : DramCommand.Precharge;

    /// <summary>Only the oldest request of a bank may close it, and not while younger ones hit the open row, unless that has served its share.</summary>
    private bool MayClose(int bank, int place) =>
        place == 0 && (_accesses[bank] >= _policy.RowHitCap || _queues[bank].TrueForAll(request => request.Row != _openRow[bank]));

    private void Issue(DramRequest request, DramCommand command, long tick)
    {
        if (command == DramCommand.Precharge)
        {
            Close(request.Bank, forRow: true, tick);
            return;
        }

        _readiness.Issue(command, request.Bank, tick);
        if (command == DramCommand.Activate)
        {
            _openRow[request.Bank] = request.Row;
            _counts = _counts with { Activates = _counts.Activates + 1 };
            return;
        }

        Count(request);
        _queues[request.Bank].Remove(request);
        if (request.IsWrite)
        {
            _pendingWrites.Remove(request.Address);
            return;
        }

        foreach (DramRequest read in _pendingReads[request.Address])
        {
            long done = tick + _standard.Timing.ReadLatency;
            _completions.Add(new DramCompletion(read.Tag, done, done - read.Accepted, false));
        }

        _pendingReads.Remove(request.Address);
    }

    private void Count(DramRequest request)
    {
        int bank = request.Bank;
        bool hit = _accesses[bank]++ > 0;
        _counts = _counts with
        {
            Reads = _counts.Reads + (request.IsWrite ? 0 : 1),
            Writes = _counts.Writes + (request.IsWrite ? 1 : 0),
            RowHits = _counts.RowHits + (hit ? 1 : 0),
            RowMisses = _counts.RowMisses + (!hit && !_closedForRow[bank] ? 1 : 0),
            RowConflicts = _counts.RowConflicts + (!hit && _closedForRow[bank] ? 1 : 0),
        };
    }

    private void Close(int bank, bool forRow, long tick)
    {
        _readiness.Issue(DramCommand.Precharge, bank, tick);
        (_openRow[bank], _accesses[bank], _closedForRow[bank]) = (-1, 0, forRow);
        _counts = _counts with { Precharges = _counts.Precharges + 1 };
    }

    /// <summary>One request a tick moves into the queue of its bank: a write while a batch is written, else a read.</summary>
    private void MoveOne()
    {
        bool idle = Array.TrueForAll(_queues, queue => queue.Count == 0);
        bool startsToWrite = _writes.Count >= _policy.WriteQueue || (_writes.Count > _policy.IdleWrites && idle);
        if (_draining == 0 && startsToWrite)
        {
            _draining = _writes.Count;
        }

        if (_draining == 0)
        {
            Move(_reads, HasRoom(_reads));
            return;
        }

        DramRequest? write = HasRoom(_writes);
        if (write is not null && _pendingReads.ContainsKey(write.Address))
        {
            // The write waits for an earlier read. If that read is not even in a queue, the tool would wait for ever: it goes first here.
            _draining = 0;
            Move(_reads, idle && startsToWrite ? HasRoom(_reads) : null);
        }
        else if (write is not null)
        {
            _draining--;
            Move(_writes, write);
        }
    }

    private DramRequest? HasRoom(List<DramRequest> waiting) => waiting.Find(request => _queues[request.Bank].Count < _policy.BankQueue);

    private void Move(List<DramRequest> from, DramRequest? request)
    {
        if (request is not null)
        {
            from.Remove(request);
            _queues[request.Bank].Add(request);
        }
    }
}
