using System.Globalization;

namespace Systolic.Components;

/// <summary>The rules of <see cref="FrFcfsReference"/> from event to event: banks that want a command are bits, and ticks in which none can issue are skipped.</summary>
internal sealed partial class FrFcfsChannel : IDramChannel
{
    private const long Never = long.MaxValue;
    private const int None = -1;
    private const int Closed = -1;
    private const int HalfOpen = -2;

    private readonly DramStandard _standard;
    private readonly DramTimers _timers;
    private readonly DramTwoPhase? _twoPhase;
    private readonly bool _split;
    private readonly bool _halfClock;
    private readonly bool _protectsHits;
    private readonly int _readLatency;
    private readonly float _high;
    private readonly float _low;
    private readonly ulong _busMask;
    private readonly int _buses;
    private readonly ChannelRequest[] _requests;
    private readonly RequestBuffer _reads;
    private readonly RequestBuffer _writes;
    private readonly AddressFilter _writeAddresses = new();
    private readonly CompletionQueue _completions = new();
    private readonly RefreshTurn _refreshTurn;
    private readonly Queue<(DramCommand Command, int Bank)> _maintenance = [];
    private readonly int[] _openRow;
    private readonly int[] _active;
    private ulong _open;
    private ulong _activeReads;
    private ulong _activeWrites;
    private int _free;
    private bool _issued;
    private bool _writing;
    private long _lastRead;
    private long _nextOrder;
    private long _commandAt;

    // In cycles of the tool, which are one ahead of ticks.
    private long _refreshDue;

    private DramTally _tally;

    public FrFcfsChannel(DramStandard standard, DramPolicy policy)
    {
        DramOrganization parts = standard.Organization;
        (_standard, _timers, _twoPhase) = (standard, new DramTimers(standard), standard.Bus.TwoPhase);
        (_split, _halfClock, _readLatency) = (standard.Bus.Split, standard.Bus.HalfClock, standard.Timing.ReadLatency);
        _protectsHits = policy.Scheduling == DramScheduling.FrFcfsRowHit;
        (_high, _low) = ((float)policy.HighWatermark * policy.WriteQueue, (float)policy.LowWatermark * policy.WriteQueue);
        _busMask = parts.BanksPerPseudoChannel == 64 ? ulong.MaxValue : (1UL << parts.BanksPerPseudoChannel) - 1;
        _buses = parts.PseudoChannels;
        _requests = new ChannelRequest[policy.ReadQueue + policy.WriteQueue + parts.TotalBanks];
        _reads = new RequestBuffer(policy.ReadQueue, parts.TotalBanks, _requests);
        _writes = new RequestBuffer(policy.WriteQueue, parts.TotalBanks, _requests);
        _refreshTurn = new RefreshTurn(standard, policy.Refresh);
        _refreshDue = _refreshTurn.Due;
        (_openRow, _active) = (new int[parts.TotalBanks], new int[parts.TotalBanks]);
        Array.Fill(_openRow, Closed);
        Array.Fill(_active, None);
        for (int i = 0; i < _requests.Length; i++)
        {
            _requests[i].Next = i + 1 < _requests.Length ? i + 1 : None;
        }
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
            foreach (int slot in (int[])[_reads.OldestOfAll(), _writes.OldestOfAll(), _half, .. _active])
            {
                if (slot != None && (oldest == None || _requests[slot].Accepted < _requests[oldest].Accepted))
                {
                    oldest = slot;
                }
            }

            return oldest == None ? null : string.Create(CultureInfo.InvariantCulture,
                $"{(_requests[oldest].IsWrite ? "write" : "read")} of address {_requests[oldest].Address} (bank {_requests[oldest].Bank}, row {_requests[oldest].Row}), accepted in tick {_requests[oldest].Accepted}");
        }
    }

    /// <inheritdoc/>
    public bool TryTake(long end, out DramCompletion completion) => _completions.TryTake(end, out completion);

    /// <inheritdoc/>
    public long NextTick(long tick) => Math.Max(tick, Math.Min(_commandAt, _refreshDue == Never ? Never : _refreshDue - 1));

    /// <inheritdoc/>
    public bool TryEnqueue(long address, int bank, int row, bool isWrite, long tag, long tick)
    {
        if (_writeAddresses.MayHold(address) && _writes.Holds(address, bank))
        {
            Merge(isWrite, tag, tick);
            return true;
        }

        RequestBuffer buffer = isWrite ? _writes : _reads;
        if (buffer.Count >= buffer.Size)
        {
            return false;
        }

        int slot = _free;
        ref ChannelRequest request = ref _requests[slot];
        _free = request.Next;
        (request.Address, request.Tag, request.Accepted, request.Order) = (address, tag, tick, _nextOrder++);
        (request.Row, request.Bank, request.IsWrite, request.IsCounted) = (row, bank, isWrite, false);
        if (isWrite)
        {
            _writeAddresses.Add(address);
        }

        buffer.Add(slot, _openRow[bank], _openRow[bank] == HalfOpen);
        if (isWrite == _writing)
        {
            long ready = EarliestFor(bank, row, isWrite);
            _bufferAt = Math.Min(_bufferAt, ready);
            _commandAt = Math.Min(_commandAt, _maintenance.Count > 0 || ready == Never ? Never : ready - 1);
        }

        if (!IsSettled())
        {
            _commandAt = tick;
        }

        return true;
    }

    /// <inheritdoc/>
    public long Execute(long tick)
    {
        long clock = tick + 1;
        if (clock >= _refreshDue)
        {
            AddDueRefreshes(clock);
        }

        if (tick < _commandAt)
        {
            return NextTick(tick + 1);
        }

        _issued = false;
        if (_twoPhase is not null)
        {
            ExecuteTwoPhase(_twoPhase, clock);
        }
        else if (_split)
        {
            bool rising = !_halfClock || (clock & 1) == 1;
            if (rising)
            {
                IssueColumn(clock);
            }

            IssueRow(clock, rising);
        }
        else
        {
            IssueAny(clock);
        }

        _commandAt = IsSettled() ? EarliestCommand(clock + 1, exact: !_issued) - 1 : tick + 1;
        return NextTick(tick + 1);
    }

    private void AddDueRefreshes(long clock)
    {
        while (clock >= _refreshTurn.Due && _refreshTurn.TryTake(clock, out DramCommand command, out int bank))
        {
            _maintenance.Enqueue((command, bank));
            _commandAt = clock - 1;
        }

        _refreshDue = _refreshTurn.Due;
    }

    private void Merge(bool isWrite, long tag, long tick)
    {
        _tally.Merged++;
        if (isWrite)
        {
            _completions.AddAcknowledgement(new DramCompletion(tag, tick - 1, 0, true));
            return;
        }

        _lastRead = Math.Max(_lastRead, tick);
        _completions.AddRead(new DramCompletion(tag, _lastRead, _lastRead - tick + 1, false));
    }

    private void ChooseMode()
    {
        bool writes = _writing ? _writes.Count >= _low || _reads.Count == 0 : _writes.Count > _high || _reads.Count == 0;
        if (writes != _writing)
        {
            (_writing, _bufferAt, _bufferChanged) = (writes, 0, true);
        }
    }

    /// <summary>Choosing the mode once more changes nothing.</summary>
    private bool IsSettled() => _maintenance.Count > 0 || (_writing ? _writes.Count >= _low || _reads.Count == 0 : _writes.Count <= _high && _reads.Count != 0);

    private RequestBuffer Buffer => _writing ? _writes : _reads;

    private void SetRow(int bank, int row)
    {
        _openRow[bank] = row;
        (_bufferAt, _bufferChanged) = (0, true);
        _open = row == Closed ? _open & ~(1UL << bank) : _open | (1UL << bank);
        _reads.Classify(bank, row, row == HalfOpen);
        _writes.Classify(bank, row, row == HalfOpen);
    }

    private void Release(int slot)
    {
        _requests[slot].Next = _free;
        _free = slot;
    }
}
