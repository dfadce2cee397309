namespace Systolic.Components;

/// <summary>
/// The controller of one pseudo-channel for long streams, as engines that move blocks see memory: accesses of several bursts are served in order, rows are opened
/// ahead of need, writes wait in a buffer and go in batches, a due refresh comes between two accesses.
/// </summary>
/// <remarks>
/// One row command and one column command may issue per tick; both in the order of the accesses. So every command's tick follows from those before by maxima and sums, access by
/// access, without stepping; the tests step the same rules tick by tick and compare every completion. Rules: docs/memory.md.
/// </remarks>
internal sealed class StreamController
{
    private const long Never = long.MinValue / 4;
    private const int Closed = -1;
    private const int Window = 4;
    private const int DrainedShare = 4;

    private readonly DramTiming _timing;
    private readonly int _groups;
    private readonly int _activateTicks;
    private readonly int _columnSpacing;
    private readonly int _prechargeSpacing;
    private readonly int[] _rows;
    private readonly long[] _closeFrom;
    private readonly long[] _opened;
    private readonly long[] _groupActivate;
    private readonly long[] _groupColumn;
    private readonly long[] _activates;
    private readonly long[] _left;
    private readonly long[] _written;
    private readonly long[] _unitDue;
    private readonly Queue<StreamAccess> _writes = new();
    private long _accesses;
    private long _activateCount;
    private long _writesAccepted;
    private long _writesIssued;
    private long _rowBus;
    private long _rowOrder;
    private long _lastActivate = Never;
    private long _lastColumn = Never;
    private long _lastRead = Never;
    private long _lastWrite = Never;
    private int _lastStack;
    private long _refreshDue = long.MaxValue;
    private DramTally _tally;

    /// <summary>All banks closed at tick 0.</summary>
    /// <param name="standard">The device.</param>
    /// <param name="lookAhead">Accesses whose rows may be opened before the oldest one's last burst.</param>
    /// <param name="writeBuffer">Writes that wait; full, it is emptied to a quarter.</param>
    /// <param name="refreshPhase">The first refresh, in refresh intervals.</param>
    /// <param name="refresh">What is refreshed at once: all banks, or those of a unit, the units evenly in turn.</param>
    /// <exception cref="ArgumentException">The bank groups cannot keep the data bus busy in turn.</exception>
    public StreamController(DramStandard standard, int lookAhead, int writeBuffer, double refreshPhase = 1, DramRefresh refresh = DramRefresh.AllBank)
    {
        DramOrganization parts = standard.Organization;
        _timing = standard.Timing;
        Units = new StreamUnits(standard);
        _groups = Units.Groups;
        _activateTicks = standard.Bus.ActivateTicks;
        _columnSpacing = Math.Max(_timing.Burst, _timing.CcdShort);
        _prechargeSpacing = Math.Max(1, _timing.Ppd);
        int units = Units.Count;
        (_rows, _closeFrom, _opened) = (new int[units], Filled(units), Filled(units * _groups));
        Array.Fill(_rows, Closed);
        (_groupActivate, _groupColumn, _activates) = (Filled(parts.BankGroups), Filled(parts.BankGroups), Filled(Window));
        (_left, _written) = (Filled(lookAhead), Filled(writeBuffer));
        _unitDue = new long[refresh == DramRefresh.PerBank ? units : 0];
        for (int unit = 0; unit < _unitDue.Length; unit++)
        {
            _unitDue[unit] = (long)(_timing.Refi * (refreshPhase + ((double)unit / units)));
        }

        if (refresh == DramRefresh.AllBank)
        {
            _refreshDue = (long)(_timing.Refi * refreshPhase);
        }
    }

    /// <summary>The banks that are opened together.</summary>
    public StreamUnits Units { get; }

    /// <summary>What it did so far; hits, misses and conflicts count accesses.</summary>
    public DramCounts Counts => _tally.Counts;

    /// <summary>Takes a read that arrives at <paramref name="tick"/>, no earlier than any before; returns the tick after its last data.</summary>
    public long Read(in StreamAccess access, long tick)
    {
        _tally.Reads += access.Bursts;
        return Serve(access, tick) + _timing.ReadLatency;
    }

    /// <summary>Takes a write that arrives at <paramref name="tick"/>, no earlier than any before; returns the tick in which the buffer has a place for it.</summary>
    public long Write(in StreamAccess access, long tick)
    {
        long place = Math.Max(tick, _written[(int)(_writesAccepted++ % _written.Length)]);
        _tally.Writes += access.Bursts;
        _writes.Enqueue(access);
        if (_writes.Count == _written.Length)
        {
            Drain(_written.Length / DrainedShare, tick);
        }
        else if (_lastColumn < tick)
        {
            Drain(0, tick);
        }

        return place;
    }

    private void Drain(int remaining, long tick)
    {
        while (_writes.Count > remaining)
        {
            _written[(int)(_writesIssued++ % _written.Length)] = Serve(_writes.Dequeue(), tick);
        }
    }

    /// <summary>Places all commands of an access; returns the tick of its last column command.</summary>
    private long Serve(in StreamAccess access, long tick)
    {
        int place = (int)(_accesses++ % _left.Length);
        long start = Math.Max(Math.Max(tick, _left[place] + 1), _rowOrder);
        if (start >= _refreshDue)
        {
            start = Math.Max(start, Refresh(start));
        }

        if (_unitDue.Length > 0 && start >= _unitDue[access.Unit])
        {
            RefreshUnit(access.Unit, start);
        }

        if (_rows[access.Unit] == access.Row)
        {
            _tally.RowHits++;
            _rowOrder = start;
        }
        else
        {
            _rowOrder = Open(access.Unit, access.Row, start);
        }

        long last = Stream(access, start);
        _closeFrom[access.Unit] = Math.Max(_closeFrom[access.Unit], last + (access.IsWrite ? _timing.WriteToPrecharge : _timing.Rtp));
        if (access.FirstBurst + access.Bursts == Units.RowBursts)
        {
            _rows[access.Unit] = Closed;
        }

        return _left[place] = _lastColumn = last;
    }

    /// <summary>Closes the unit's banks if they are open, opens the row in each; returns when the row bus is free.</summary>
    private long Open(int unit, int row, long start)
    {
        bool open = _rows[unit] != Closed;
        long closing = Math.Max(Math.Max(start, _rowBus), _closeFrom[unit]);
        if (open)
        {
            _rowBus = closing + ((_groups - 1) * (long)_prechargeSpacing) + 1;
            _tally.RowConflicts++;
            _tally.Precharges += _groups;
        }
        else
        {
            _tally.RowMisses++;
        }

        Span<long> opened = _opened.AsSpan(unit * _groups, _groups);
        Span<long> activated = _groupActivate.AsSpan(Units.FirstGroup(unit), _groups);
        for (int group = 0; group < _groups; group++)
        {
            long at = open ? closing + (group * (long)_prechargeSpacing) + _timing.Rp : Math.Max(start, _closeFrom[unit] + _timing.Rp);
            at = Math.Max(Math.Max(at, _rowBus), opened[group] + _timing.Rc);
            at = Math.Max(at, Math.Max(_lastActivate + _timing.RrdShort, activated[group] + _timing.RrdLong));
            at = Math.Max(at, _activates[(int)(_activateCount % Window)] + _timing.Faw);
            _activates[(int)(_activateCount++ % Window)] = _lastActivate = activated[group] = opened[group] = at;
            _rowBus = at + _activateTicks;
        }

        _tally.Activates += _groups;
        _rows[unit] = row;
        _closeFrom[unit] = _lastActivate + _timing.Ras;
        return _rowBus;
    }

    /// <summary>Places the column commands; returns the last one's tick. After a turn through the groups the data bus alone sets the pace.</summary>
    private long Stream(in StreamAccess access, long start)
    {
        int stack = Units.Stack(access.Unit);
        (int activate, int sameGroup) = access.IsWrite ? (_timing.RcdWrite, _timing.CcdLongWrite) : (_timing.RcdRead, _timing.CcdLong);
        int fromLast = stack == _lastStack ? _columnSpacing : Math.Max(_columnSpacing, access.IsWrite ? _timing.CcdStackWrite : _timing.CcdStack);
        long at = Math.Max(start, _lastColumn + fromLast);
        at = Math.Max(at, access.IsWrite ? _lastRead + _timing.ReadToWrite : _lastWrite + _timing.Cwl + _timing.Burst + _timing.WtrLong);
        ReadOnlySpan<long> opened = _opened.AsSpan(access.Unit * _groups, _groups);
        Span<long> columns = _groupColumn.AsSpan(Units.FirstGroup(access.Unit), _groups);
        int turn = Math.Min(access.Bursts, _groups);
        int group = access.FirstBurst % _groups;
        for (int i = 0; i < turn; i++)
        {
            at = Math.Max(at, Math.Max(opened[group] + activate, columns[group] + sameGroup));
            columns[group] = at;
            group = group + 1 == _groups ? 0 : group + 1;
            at += _columnSpacing;
        }

        // Of the rest, only the last burst of each group is felt later.
        int rest = access.Bursts - turn, passed = Math.Max(0, rest - _groups);
        group = (group + passed) % _groups;
        at += passed * (long)_columnSpacing;
        for (int i = passed; i < rest; i++)
        {
            columns[group] = at;
            group = group + 1 == _groups ? 0 : group + 1;
            at += _columnSpacing;
        }

        _lastStack = stack;
        at -= _columnSpacing;
        return access.IsWrite ? _lastWrite = at : _lastRead = at;
    }

    /// <summary>Refreshes as soon as one is due and the accesses before are done; returns when rows may be opened again.</summary>
    private long Refresh(long start)
    {
        while (start >= _refreshDue)
        {
            long at = Math.Max(Math.Max(_refreshDue, _lastColumn + 1), _rowBus);
            bool open = false;
            for (int unit = 0; unit < _rows.Length; unit++)
            {
                at = Math.Max(at, _closeFrom[unit]);
                open |= _rows[unit] != Closed;
                _rows[unit] = Closed;
            }

            _tally.Precharges += open ? 1 : 0;
            _rowBus = at + _timing.RpAll + _timing.Rfc;
            _refreshDue += _timing.Refi;
            _tally.RefreshesAll++;
        }

        return _rowBus;
    }

    /// <summary>A unit's refreshes that were due go on while others work, each as soon as its rows may be closed; rows may be opened again after the last.</summary>
    private void RefreshUnit(int unit, long start)
    {
        ref long due = ref _unitDue[unit];
        for (; start >= due; due += _timing.Refi)
        {
            _closeFrom[unit] = Math.Max(due, _closeFrom[unit]) + _timing.RfcBank + ((_groups - 1) * (long)_timing.RefreshBankSpacing);
            _tally.RefreshesBank += _groups;
        }

        _rows[unit] = Closed;
    }

    private static long[] Filled(int length)
    {
        var ticks = new long[length];
        Array.Fill(ticks, Never);
        return ticks;
    }
}
