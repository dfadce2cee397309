using Systolic.Components;

namespace Systolic.Tests.Components.Dram;

/// <summary>The rules of <see cref="StreamController"/> tick by tick: in every tick one row command and one column command at most, if every constraint allows it now.</summary>
internal sealed class SteppedStream(DramStandard standard, int lookAhead, int writeBuffer)
{
    private const long Never = -1_000_000;
    private readonly DramTiming _t = standard.Timing;
    private readonly StreamUnits _parts = new(standard);
    private readonly int _groups = new StreamUnits(standard).Groups;
    private readonly List<Job> _order = [];
    private readonly Queue<Job> _buffer = new();
    private readonly Dictionary<int, Unit> _units = [];
    private readonly List<long> _activates = [];
    private readonly Dictionary<int, long> _groupActivate = [];
    private readonly Dictionary<int, long> _groupColumn = [];
    private readonly Queue<(Kind Kind, int Group, long From)> _rowCommands = new();
    private readonly HashSet<int> _refreshed = [];
    private int _rowNext;
    private int _rowUnit;
    private int _columnNext;
    private long _rowBus;
    private long _lastActivate = Never;
    private long _lastRead = Never;
    private long _lastWrite = Never;
    private long _lastColumn = Never;
    private long _lastRefresh = Never;
    private int _lastStack;
    private long _due = standard.RefreshesBanks ? standard.Timing.Refi / new StreamUnits(standard).Count : standard.Timing.Refi;
    private long _refreshAt = -1;
    private long _tryFrom;
    private int _refreshes;
    private long _now;

    /// <summary>Ticks in which reads are complete, in order of arrival.</summary>
    public Dictionary<int, long> Reads { get; } = [];

    /// <summary>Ticks in which the column commands of writes were done, in order of arrival.</summary>
    public List<long> Written { get; } = [];

    /// <summary>Refreshes of all banks, or of a unit's, before the last access was begun.</summary>
    public int Refreshes { get; private set; }

    private enum Kind
    {
        Precharge,
        Activate,
        Refresh,
    }

    private sealed class Job(StreamAccess access, int number, long appended)
    {
        public StreamAccess Access { get; } = access;

        public int Number { get; } = number;

        public long Appended { get; set; } = appended;

        public int Issued { get; set; }

        public long Last { get; set; } = long.MaxValue;

        public bool Started { get; set; }
    }

    private sealed class Unit(int groups)
    {
        public int Row { get; set; } = -1;

        public long CloseFrom { get; set; } = Never;

        public long[] Opened { get; } = [.. Enumerable.Repeat(Never, groups)];

        public long[] RefreshedUntil { get; } = [.. Enumerable.Repeat(Never, groups)];
    }

    /// <summary>Steps until all reads are done; arrivals in order of ticks.</summary>
    public void Run(IReadOnlyList<(StreamAccess Access, long Tick)> arrivals)
    {
        int next = 0;
        for (_now = 0; next < arrivals.Count || _columnNext < _order.Count; _now++)
        {
            for (; next < arrivals.Count && arrivals[next].Tick == _now; next++)
            {
                Arrive(new Job(arrivals[next].Access, next, _now));
            }

            Row();
            Column();
            (_now < 2_000_000).Should().BeTrue();
        }
    }

    private void Arrive(Job job)
    {
        if (!job.Access.IsWrite)
        {
            _order.Add(job);
            return;
        }

        _buffer.Enqueue(job);
        int keep = _buffer.Count == writeBuffer ? writeBuffer / 4 : _columnNext == _order.Count ? 0 : _buffer.Count;
        while (_buffer.Count > keep)
        {
            Job write = _buffer.Dequeue();
            write.Appended = _now;
            _order.Add(write);
        }
    }

    private void Row()
    {
        while (_rowCommands.Count == 0 && _now >= _rowBus)
        {
            bool inProgress = _rowNext < _order.Count && _order[_rowNext].Started;
            if (!inProgress && _now >= _due && _now >= _tryFrom)
            {
                bool mayWait = standard.RefreshesBanks ? RefreshUnit() : RefreshAll();
                if (_rowCommands.Count > 0)
                {
                    break;
                }

                if (!mayWait)
                {
                    return;
                }
            }

            if (_rowNext == _order.Count || (!inProgress && (_now < _order[_rowNext].Appended || (_rowNext >= lookAhead && _order[_rowNext - lookAhead].Last >= _now))))
            {
                return;
            }

            Job job = _order[_rowNext];
            (job.Started, Refreshes) = (true, _refreshes);
            _tryFrom = !inProgress && _now >= _due && _now >= _tryFrom ? _now + (_t.Refi / _parts.Count) : _tryFrom;
            Unit unit = At(job.Access.Unit);
            if (unit.Row != job.Access.Row)
            {
                if (IsWanted(job.Access.Unit) || (unit.Row >= 0 && _now < unit.CloseFrom))
                {
                    return;
                }

                Plan(job.Access.Unit, Kind.Activate, job.Access.Row);
                break;
            }

            _rowNext++;
        }

        if (_rowCommands.TryPeek(out (Kind Kind, int Group, long From) command) && _now >= _rowBus && _now >= command.From && MayIssue(command.Kind, command.Group))
        {
            Issue(command.Kind, command.Group);
        }
    }

    /// <summary>The rows of a unit are open for column commands that are still to come.</summary>
    private bool IsWanted(int unit) => _order.Skip(_columnNext).Take(_rowNext - _columnNext).Any(earlier => earlier.Access.Unit == unit);

    // Precharges at fixed distances from the first, then an activate or a refresh of each bank.
    private void Plan(int number, Kind kind, int row)
    {
        _rowUnit = number;
        Unit unit = At(number);
        int spacing = Math.Max(1, _t.Ppd);
        for (int group = 0; group < _groups && unit.Row >= 0; group++)
        {
            _rowCommands.Enqueue((Kind.Precharge, group, _now + (group * spacing)));
        }

        for (int group = 0; group < _groups; group++)
        {
            _rowCommands.Enqueue((kind, group, unit.Row >= 0 ? _now + (group * spacing) + _t.Rp : unit.CloseFrom + _t.Rp));
        }

        unit.Row = row;
    }

    private bool MayIssue(Kind kind, int group)
    {
        Unit unit = At(_rowUnit);
        bool cycle = _now >= unit.Opened[group] + _t.Rc && _now >= unit.RefreshedUntil[group] && _now >= _lastActivate + _t.RrdShort;
        bool window = _activates.Count < 4 || _now >= _activates[^4] + _t.Faw;
        return kind switch
        {
            Kind.Precharge => true,
            Kind.Refresh => cycle && _now >= _lastRefresh + _t.RefreshBankSpacing,
            _ => cycle && window && _now >= _lastRefresh + _t.Rrefd && _now >= _groupActivate.GetValueOrDefault(_parts.FirstGroup(_rowUnit) + group, Never) + _t.RrdLong,
        };
    }

    private void Issue(Kind kind, int group)
    {
        Unit unit = At(_rowUnit);
        _rowCommands.Dequeue();
        _rowBus = _now + (kind == Kind.Activate ? standard.Bus.ActivateTicks : 1);
        if (kind == Kind.Activate)
        {
            _activates.Add(_now);
            _lastActivate = _groupActivate[_parts.FirstGroup(_rowUnit) + group] = unit.Opened[group] = _now;
            unit.CloseFrom = Math.Max(unit.CloseFrom, _now + _t.Ras);
            _rowNext += _rowCommands.Count == 0 ? 1 : 0;
        }
        else if (kind == Kind.Refresh)
        {
            _lastRefresh = _now;
            unit.RefreshedUntil[group] = _now + _t.RfcBank;
        }
    }

    /// <summary>Plans the refresh of a unit; returns whether accesses may go before it.</summary>
    private bool RefreshUnit()
    {
        bool overdue = _now >= _due + (8 * _t.Refi);
        int next = _rowNext < _order.Count && !overdue ? _order[_rowNext].Access.Unit : -1;
        bool closesRows = overdue || (_columnNext == _rowNext && _now >= _lastColumn + (_t.Refi / _parts.Count));
        int[] candidates = [.. Enumerable.Range(0, _parts.Count).Where(unit =>
            unit != next && !_refreshed.Contains(unit) && _now >= At(unit).CloseFrom && !IsWanted(unit) && (At(unit).Row < 0 || closesRows))];
        if (candidates.Length == 0)
        {
            return !overdue;
        }

        int chosen = candidates.MaxBy(unit => At(unit).CloseFrom);
        Plan(chosen, Kind.Refresh, -1);
        _due += _t.Refi / _parts.Count;
        _refreshes++;
        _refreshed.Add(chosen);
        if (_refreshed.Count == _parts.Count)
        {
            _refreshed.Clear();
        }

        return true;
    }

    private bool RefreshAll()
    {
        if (_columnNext < _rowNext || (_refreshAt < 0 && _units.Values.Any(unit => _now < unit.CloseFrom)))
        {
            return false;
        }

        _refreshAt = _refreshAt < 0 ? _now + _t.RpAll : _refreshAt;
        if (_now >= _refreshAt)
        {
            foreach (Unit unit in _units.Values)
            {
                unit.Row = -1;
            }

            _rowBus = _now + _t.Rfc;
            _due += _t.Refi;
            _refreshAt = -1;
            _refreshes++;
        }

        return false;
    }

    private void Column()
    {
        if (_columnNext == _order.Count || !_order[_columnNext].Started)
        {
            return;
        }

        Job job = _order[_columnNext];
        StreamAccess access = job.Access;
        int group = (access.FirstBurst + job.Issued) % _groups, stack = _parts.Stack(access.Unit), place = _parts.FirstGroup(access.Unit) + group;
        int spacing = Math.Max(_t.Burst, _t.CcdShort);
        spacing = stack == _lastStack ? spacing : Math.Max(spacing, access.IsWrite ? _t.CcdStackWrite : _t.CcdStack);
        bool opened = At(job.Access.Unit).Row == access.Row && At(job.Access.Unit).Opened[group] >= 0 && (_rowNext > _columnNext || !_rowCommands.Any(c => c.Kind == Kind.Activate && c.Group == group));
        bool turned = access.IsWrite ? _now >= _lastRead + _t.ReadToWrite : _now >= _lastWrite + _t.Cwl + _t.Burst + _t.WtrLong;
        if (!opened || !turned || _now < _lastColumn + spacing
            || _now < At(job.Access.Unit).Opened[group] + (access.IsWrite ? _t.RcdWrite : _t.RcdRead)
            || _now < _groupColumn.GetValueOrDefault(place, Never) + (access.IsWrite ? _t.CcdLongWrite : _t.CcdLong))
        {
            return;
        }

        _lastColumn = _groupColumn[place] = _now;
        _lastStack = stack;
        _ = access.IsWrite ? _lastWrite = _now : _lastRead = _now;
        if (++job.Issued == access.Bursts)
        {
            Unit unit = At(job.Access.Unit);
            unit.CloseFrom = Math.Max(unit.CloseFrom, _now + (access.IsWrite ? _t.WriteToPrecharge : _t.Rtp));
            unit.Row = access.FirstBurst + access.Bursts == _parts.RowBursts ? -1 : unit.Row;
            job.Last = _now;
            _columnNext++;
            if (access.IsWrite)
            {
                Written.Add(_now);
            }
            else
            {
                Reads[job.Number] = _now + _t.ReadLatency;
            }
        }
    }

    private Unit At(int unit) => _units.TryGetValue(unit, out Unit? known) ? known : _units[unit] = new Unit(_groups);
}
