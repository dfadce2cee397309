using System.Globalization;
using System.Numerics;

namespace Systolic.Components;

/// <summary>The rules of <see cref="BankQueueReference"/> from event to event: banks that want a command are bits, and ticks in which none can issue are skipped.</summary>
internal sealed partial class BankQueueChannel : IDramChannel
{
    private const long Never = long.MaxValue;

    private readonly DramPolicy _policy;
    private readonly DramTimers _timers;
    private readonly int _banks;
    private readonly int _depth;
    private readonly int _readLatency;
    private readonly bool _split;
    private readonly WaitingRequests _reads;
    private readonly WaitingRequests _writes;
    private readonly AddressMap _pendingReads = new();
    private readonly AddressMap _pendingWrites = new();
    private readonly CompletionQueue _completions = new();
    private readonly Bank[] _bank;
    private readonly int[] _queue;
    private Request[] _requests = new Request[64];
    private int _free;
    private ulong _room;
    private int _queued;
    private int _turn;
    private int _draining;
    private long _commandAt = Never;

    private ulong _wantActivate, _wantPrecharge, _wantRead, _wantWrite;
    private long _activates, _precharges, _readBursts, _writeBursts, _refreshesAll, _refreshesBank, _hits, _misses, _conflicts, _merged;

    public BankQueueChannel(DramStandard standard, DramPolicy policy)
    {
        DramOrganization parts = standard.Organization;
        (_policy, _timers, _banks, _depth) = (policy, new DramTimers(standard), parts.TotalBanks, policy.BankQueue);
        (_readLatency, _split) = (standard.Timing.ReadLatency, standard.Bus.Split);
        _reads = new WaitingRequests(policy.ReadQueue, _banks);
        _writes = new WaitingRequests(policy.WriteQueue, _banks);
        _bank = new Bank[_banks];
        Array.Fill(_bank, new Bank { OpenRow = -1 });
        _queue = new int[_banks * _depth];
        _room = _banks == 64 ? ulong.MaxValue : (1UL << _banks) - 1;
        LinkFree(0);
        StartRefreshes(standard);
    }

    /// <inheritdoc/>
    public DramCounts Counts => new()
    {
        Activates = _activates,
        Precharges = _precharges,
        Reads = _readBursts,
        Writes = _writeBursts,
        RefreshesAll = _refreshesAll,
        RefreshesBank = _refreshesBank,
        RowHits = _hits,
        RowMisses = _misses,
        RowConflicts = _conflicts,
        Merged = _merged,
    };

    /// <inheritdoc/>
    public long NextCompletion => _completions.First;

    /// <inheritdoc/>
    public string? OldestWaiting
    {
        get
        {
            int oldest = -1;
            for (int bank = 0; bank < _banks; bank++)
            {
                for (int i = 0; i < _bank[bank].Length; i++)
                {
                    Older(ref oldest, _queue[bank * _depth + i]);
                }
            }

            for (int i = 0; i < _reads.Count; i++)
            {
                Older(ref oldest, _reads[i]);
            }

            return oldest < 0 ? null : string.Create(CultureInfo.InvariantCulture,
                $"read of address {_requests[oldest].Address} (bank {_requests[oldest].Bank}, row {_requests[oldest].Row}), accepted in tick {_requests[oldest].Accepted}");
        }
    }

    /// <inheritdoc/>
    public bool TryTake(long end, out DramCompletion completion) => _completions.TryTake(end, out completion);

    /// <inheritdoc/>
    public long NextTick(long tick) => Math.Max(tick, MayMove() ? tick : Math.Min(_commandAt, _refreshDue));

    /// <inheritdoc/>
    public bool TryEnqueue(long address, int bank, int row, bool isWrite, long tag, long tick)
    {
        WaitingRequests waiting = isWrite ? _writes : _reads;
        if (waiting.IsFull)
        {
            return false;
        }

        bool written = _pendingWrites.Find(address) >= 0;
        if (isWrite || written)
        {
            _completions.AddAcknowledgement(new DramCompletion(tag, tick + 1, 1, isWrite));
        }

        if (written)
        {
            _merged++;
            return true;
        }

        int slot = Take();
        _requests[slot] = new Request { Address = address, Tag = tag, Accepted = tick, Row = row, Bank = bank, IsWrite = isWrite, Link = -1 };
        if (isWrite)
        {
            _pendingWrites.Add(address, slot);
            waiting.Add(slot, bank);
            return true;
        }

        int first = _pendingReads.Find(address);
        if (first < 0)
        {
            _pendingReads.Add(address, slot);
            waiting.Add(slot, bank);
            return true;
        }

        _merged++;
        while (_requests[first].Link >= 0)
        {
            first = _requests[first].Link;
        }

        _requests[first].Link = slot;
        return true;
    }

    /// <inheritdoc/>
    public void Execute(long tick)
    {
        if (tick >= _refreshDue)
        {
            AddDueRefresh(tick);
        }

        if (tick >= _commandAt)
        {
            bool? first = _refreshes.Count > 0 && TryRefresh(tick) ? false : IssueFromQueues(tick, other: null);
            if (first is not null && _split)
            {
                IssueFromQueues(tick, other: first);
            }

            _commandAt = EarliestCommand(tick + 1);
        }

        MoveOne();
    }

    private void Older(ref int oldest, int slot)
    {
        if (!_requests[slot].IsWrite && (oldest < 0 || _requests[slot].Accepted < _requests[oldest].Accepted))
        {
            oldest = slot;
        }
    }

    private int Take()
    {
        if (_free < 0)
        {
            int old = _requests.Length;
            Array.Resize(ref _requests, old * 2);
            LinkFree(old);
        }

        int slot = _free;
        _free = _requests[slot].Link;
        return slot;
    }

    private void LinkFree(int from)
    {
        for (int i = from; i < _requests.Length; i++)
        {
            _requests[i].Link = i + 1 < _requests.Length ? i + 1 : -1;
        }

        _free = from;
    }

    private void Release(int slot)
    {
        _requests[slot].Link = _free;
        _free = slot;
    }

    /// <summary>A request; the link leads to the next read of the same burst, or to the next free slot.</summary>
    private struct Request
    {
        public long Address;
        public long Tag;
        public long Accepted;
        public int Row;
        public int Bank;
        public int Link;
        public bool IsWrite;
    }

    /// <summary>A bank: its open row or -1, accesses since it was opened, and what its queue wants of it.</summary>
    private struct Bank
    {
        public int OpenRow;
        public int Accesses;
        public int Length;
        public int ReadPlace;
        public int WritePlace;
        public bool ClosedForRow;
    }
}
