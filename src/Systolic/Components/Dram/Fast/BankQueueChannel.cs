using System.Globalization;

namespace Systolic.Components;

/// <summary>The rules of <see cref="BankQueueReference"/> from event to event: banks that want a command are bits, and ticks in which none can issue are skipped.</summary>
internal sealed partial class BankQueueChannel : IDramChannel
{
    private const long Never = long.MaxValue;
    private const int None = -1;

    private readonly DramPolicy _policy;
    private readonly DramTimers _timers;
    private readonly int _banks;
    private readonly int _depth;
    private readonly int _readLatency;
    private readonly bool _split;
    private readonly WaitingRequests _reads;
    private readonly WaitingRequests _writes;
    private readonly AddressFilter _pendingReads = new();
    private readonly AddressFilter _pendingWrites = new();
    private readonly CompletionQueue _completions = new();
    private readonly Bank[] _bank;
    private Request[] _requests = new Request[64];
    private int _free;
    private ulong _room;
    private int _queued;
    private int _turn;
    private long _nextOrder;
    private int _draining;
    private long _commandAt = Never;

    private ulong _wantActivate, _wantPrecharge, _wantRead, _wantWrite;
    private DramTally _tally;

    public BankQueueChannel(DramStandard standard, DramPolicy policy)
    {
        DramOrganization parts = standard.Organization;
        (_policy, _timers, _banks, _depth) = (policy, new DramTimers(standard), parts.TotalBanks, policy.BankQueue);
        (_readLatency, _split) = (standard.Timing.ReadLatency, standard.Bus.Split);
        _reads = new WaitingRequests(policy.ReadQueue, _banks);
        _writes = new WaitingRequests(policy.WriteQueue, _banks);
        _bank = new Bank[_banks];
        Array.Fill(_bank, new Bank { OpenRow = None, Head = None, Tail = None });
        _room = _banks == 64 ? ulong.MaxValue : (1UL << _banks) - 1;
        LinkFree(0);
        StartRefreshes(standard);
    }

    /// <inheritdoc/>
    public DramCounts Counts => _skipped + _tally.Counts;

    /// <inheritdoc/>
    public long NextCompletion => _completions.First;

    /// <inheritdoc/>
    public string? OldestWaiting
    {
        get
        {
            int oldest = None;
            foreach (Bank bank in _bank)
            {
                for (int slot = bank.Head; slot != None; slot = _requests[slot].Next)
                {
                    Older(ref oldest, slot);
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

        bool written = _pendingWrites.MayHold(address) && FindWrite(address, bank);
        if (isWrite || written)
        {
            _completions.AddAcknowledgement(new DramCompletion(tag, tick + 1, 1, isWrite));
        }

        if (written)
        {
            _tally.Merged++;
            return true;
        }

        int slot = Take();
        ref Request request = ref _requests[slot];
        (request.Address, request.Tag, request.Accepted, request.Row, request.Bank, request.IsWrite, request.Same) = (address, tag, tick, row, bank, isWrite, None);
        if (isWrite)
        {
            _pendingWrites.Add(address);
        }
        else if (_pendingReads.MayHold(address) && FindRead(address, bank) is >= 0 and int first)
        {
            _tally.Merged++;
            while (_requests[first].Same != None)
            {
                first = _requests[first].Same;
            }

            _requests[first].Same = slot;
            return true;
        }
        else
        {
            _pendingReads.Add(address);
        }

        waiting.Add(slot, bank);
        return true;
    }

    /// <inheritdoc/>
    public long Execute(long tick)
    {
        if (tick >= _refreshDue)
        {
            AddDueRefresh(tick);
        }

        if (tick >= _commandAt)
        {
            Kind first = _refreshes.Count > 0 && TryRefresh(tick) ? Kind.Row : IssueFromQueues(tick, Kind.Row | Kind.Column);
            if (first != Kind.None && _split)
            {
                IssueFromQueues(tick, first ^ (Kind.Row | Kind.Column));
            }

            _commandAt = EarliestCommand(tick + 1, exact: first == Kind.None);
        }

        MoveOne();
        return NextTick(tick + 1);
    }

    private void Older(ref int oldest, int slot)
    {
        if (!_requests[slot].IsWrite && (oldest < 0 || _requests[slot].Accepted < _requests[oldest].Accepted))
        {
            oldest = slot;
        }
    }

    private bool FindWrite(long address, int bank) => Find(_writes, address, bank, isWrite: true) != None;

    private int FindRead(long address, int bank) => Find(_reads, address, bank, isWrite: false);

    /// <summary>The request of an address that waits in its first queue or in that of its bank.</summary>
    private int Find(WaitingRequests waiting, long address, int bank, bool isWrite)
    {
        for (int slot = _bank[bank].Head; slot != None; slot = _requests[slot].Next)
        {
            if (_requests[slot].Address == address && _requests[slot].IsWrite == isWrite)
            {
                return slot;
            }
        }

        for (int i = 0; i < waiting.Count; i++)
        {
            if (_requests[waiting[i]].Address == address)
            {
                return waiting[i];
            }
        }

        return None;
    }

    private int Take()
    {
        if (_free == None)
        {
            int old = _requests.Length;
            Array.Resize(ref _requests, old * 2);
            LinkFree(old);
        }

        int slot = _free;
        _free = _requests[slot].Next;
        return slot;
    }

    private void LinkFree(int from)
    {
        for (int i = from; i < _requests.Length; i++)
        {
            _requests[i].Next = i + 1 < _requests.Length ? i + 1 : None;
        }

        _free = from;
    }

    private void Release(int slot)
    {
        _requests[slot].Next = _free;
        _free = slot;
    }

    /// <summary>The bus of a command, as a set.</summary>
    [Flags]
    private enum Kind
    {
        None = 0,
        Row = 1,
        Column = 2,
    }

    /// <summary>A request, in the list of its bank or of free slots; "same" leads to the next read of the same burst.</summary>
    private struct Request
    {
        public long Address;
        public long Tag;
        public long Accepted;
        public long Order;
        public int Row;
        public int Bank;
        public int Previous;
        public int Next;
        public int Same;
        public bool IsWrite;
    }

    /// <summary>A bank: its open row, accesses since it was opened, its queue, and in that the requests that hit the row.</summary>
    private struct Bank
    {
        public int OpenRow;
        public int Accesses;
        public int Head;
        public int Tail;
        public int Length;
        public int Hits;
        public int WriteHits;
        public int FirstRead;
        public int FirstWrite;
        public bool ClosedForRow;
    }
}
