using System.Runtime.CompilerServices;

namespace Systolic.Components;

/// <summary>
/// The controller of one pseudo-channel for long streams, as engines that move blocks see memory: accesses of several bursts are served in order, rows are opened
/// ahead of need, writes wait in a buffer and go in batches, a due refresh comes between two accesses and, where the device can, takes only a unit that nobody waits for.
/// </summary>
/// <remarks>
/// One row command and one column command may issue per tick; both in the order of the accesses. So every command's tick follows from those before by maxima and sums, access by
/// access, without stepping; the tests step the same rules tick by tick and compare every completion. Rules: docs/memory.md.
/// </remarks>
internal sealed partial class StreamController
{
    private const long Never = long.MinValue / 4;
    private const int Closed = -1;
    private const int Window = 4;
    private const int DrainedShare = 4;

    private readonly DramTiming _timing;
    private readonly int _groups;
    private readonly Divisor _byGroups;
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
    private readonly Queue<StreamAccess> _writes = new();
    private int _access;
    private int _activate;
    private long _writesAccepted;
    private long _writesIssued;
    private long _rowBus;
    private long _rowOrder;
    private long _lastActivate = Never;
    private long _lastColumn = Never;
    private long _lastRead = Never;
    private long _lastWrite = Never;
    private int _lastStack;
    private DramTally _tally;

    /// <summary>All banks closed at tick 0.</summary>
    /// <param name="standard">The device.</param>
    /// <param name="lookAhead">Accesses whose rows may be opened before the oldest one's last burst.</param>
    /// <param name="writeBuffer">Writes that wait; full, it is emptied to a quarter.</param>
    /// <param name="refreshPhase">The first refresh, in refresh intervals.</param>
    /// <exception cref="ArgumentException">The bank groups cannot keep the data bus busy in turn.</exception>
    public StreamController(DramStandard standard, int lookAhead, int writeBuffer, double refreshPhase = 1)
    {
        DramOrganization parts = standard.Organization;
        _timing = standard.Timing;
        Units = new StreamUnits(standard);
        _groups = Units.Groups;
        _byGroups = new Divisor(_groups);
        _activateTicks = standard.Bus.ActivateTicks;
        _columnSpacing = Math.Max(_timing.Burst, _timing.CcdShort);
        _prechargeSpacing = Math.Max(1, _timing.Ppd);
        int units = Units.Count;
        (_rows, _closeFrom, _opened) = (new int[units], Filled(units), Filled(units * _groups));
        (_due, _closed) = (new ulong[(units + BitsOfWord - 1) / BitsOfWord], new ulong[(units + BitsOfWord - 1) / BitsOfWord]);
        for (int unit = 0; unit < units; unit++)
        {
            SetClosed(unit);
        }

        BeginRound();
        (_groupActivate, _groupColumn, _activates) = (Filled(parts.BankGroups), Filled(parts.BankGroups), Filled(Window));
        (_left, _written) = (Filled(lookAhead), Filled(writeBuffer));
        _banks = standard.RefreshesBanks;
        _refreshInterval = _banks ? _timing.Refi / units : _timing.Refi;
        _refreshNext = _refreshDue = (long)(_refreshInterval * refreshPhase);
    }

    /// <summary>The banks that are opened together.</summary>
    public StreamUnits Units { get; }

    /// <summary>What it did so far; hits, misses and conflicts count accesses.</summary>
    public DramCounts Counts => _tally.Counts;

    /// <summary>Takes a read that arrives at <paramref name="tick"/>, no earlier than any before; returns the tick after its last data.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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

    /// <summary>Writes what still waits; for the counts, after everything else.</summary>
    public DramCounts Finish()
    {
        Drain(0, _lastColumn);
        return Counts;
    }

    private void Drain(int remaining, long tick)
    {
        while (_writes.Count > remaining)
        {
            _written[(int)(_writesIssued++ % _written.Length)] = Serve(_writes.Dequeue(), tick);
        }
    }

    /// <summary>Places all commands of an access; returns the tick of its last column command.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Serve(in StreamAccess access, long tick)
    {
        int place = _access;
        _access = place + 1 == _left.Length ? 0 : place + 1;
        long start = Math.Max(Math.Max(tick, _left[place] + 1), _rowOrder);
        if (start >= _refreshNext)
        {
            start = _banks ? RefreshUnits(access.Unit, tick, start) : RefreshAll(start);
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
            SetClosed(access.Unit);
        }

        return _left[place] = _lastColumn = last;
    }

    /// <summary>Closes the unit's banks if they are open, opens the row in each; returns when the row bus is free.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Open(int unit, int row, long start)
    {
        _ = _rows[unit] == Closed ? _tally.RowMisses++ : _tally.RowConflicts++;
        (long closed, int spacing) = Close(unit, start);
        DramTiming timing = _timing;
        Span<long> opened = Opened(unit), activated = _groupActivate.AsSpan(Units.FirstGroup(unit), _groups);
        (long bus, long last, long refreshed) = (_rowBus, _lastActivate, _lastRefresh + timing.Rrefd);
        for (int group = 0; group < opened.Length; group++)
        {
            ref long fourBefore = ref _activates[_activate];
            _activate = (_activate + 1) % Window;
            long at = Later(Later(closed, bus), Later(opened[group] + timing.Rc, refreshed));
            at = Later(at, Later(last + timing.RrdShort, Later(activated[group] + timing.RrdLong, fourBefore + timing.Faw)));
            fourBefore = last = activated[group] = opened[group] = at;
            bus = at + _activateTicks;
            closed += spacing;
        }

        _tally.Activates += _groups;
        _rows[unit] = row;
        _closed[unit / BitsOfWord] &= ~Bit(unit);
        _closeFrom[unit] = last + timing.Ras;
        _lastActivate = last;
        return _rowBus = bus;
    }

    /// <summary>Closes the unit's banks if they are open; returns from when on the first of them is closed, and how much later each of the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (long Closed, int Spacing) Close(int unit, long start)
    {
        if (_rows[unit] == Closed)
        {
            return (Later(start, _closeFrom[unit] + _timing.Rp), 0);
        }

        long at = Later(Later(start, _rowBus), _closeFrom[unit]);
        _rowBus = at + ((_groups - 1) * (long)_prechargeSpacing) + 1;
        _tally.Precharges += _groups;
        return (at + _timing.Rp, _prechargeSpacing);
    }

    /// <summary>Places the column commands; returns the last one's tick. After a turn through the groups the data bus alone sets the pace.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Stream(in StreamAccess access, long start)
    {
        int stack = Units.Stack(access.Unit);
        (int activate, int sameGroup) = access.IsWrite ? (_timing.RcdWrite, _timing.CcdLongWrite) : (_timing.RcdRead, _timing.CcdLong);
        int fromLast = stack == _lastStack ? _columnSpacing : Math.Max(_columnSpacing, access.IsWrite ? _timing.CcdStackWrite : _timing.CcdStack);
        long at = Math.Max(start, _lastColumn + fromLast);
        at = Math.Max(at, access.IsWrite ? _lastRead + _timing.ReadToWrite : _lastWrite + _timing.Cwl + _timing.Burst + _timing.WtrLong);
        ReadOnlySpan<long> opened = Opened(access.Unit);
        Span<long> columns = _groupColumn.AsSpan(Units.FirstGroup(access.Unit), _groups);
        int turn = Math.Min(access.Bursts, _groups);
        int group = (int)_byGroups.Remainder(access.FirstBurst);
        for (int i = 0; i < turn; i++)
        {
            at = Later(at, Later(opened[group] + activate, columns[group] + sameGroup));
            columns[group] = at;
            group = group + 1 == _groups ? 0 : group + 1;
            at += _columnSpacing;
        }

        // Of the rest, only the last burst of each group is felt later.
        int rest = access.Bursts - turn, passed = Math.Max(0, rest - _groups);
        group = (int)_byGroups.Remainder(group + passed);
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

    /// <summary>When each bank of a unit was opened.</summary>
    private Span<long> Opened(int unit) => _opened.AsSpan(unit * _groups, _groups);

    /// <summary>The greater of two ticks, without a branch: in a loop the compiler makes one of <see cref="Math.Max(long, long)"/>, and which is greater cannot be foreseen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Later(long one, long other)
    {
        long more = other - one;
        return one + (more & ~(more >> 63));
    }

    private static long[] Filled(int length)
    {
        var ticks = new long[length];
        Array.Fill(ticks, Never);
        return ticks;
    }
}
