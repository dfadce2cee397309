using Systolic.Components;

namespace Systolic.Tests.Components.Dram;

/// <summary>The rules of <see cref="StreamController"/> tick by tick: in every tick one row command and one column command at most, if every constraint allows it now.</summary>
internal sealed class SteppedStream(DramStandard standard, int lookAhead, int writeBuffer, DramRefresh refresh)
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
    private readonly Queue<(bool Activate, int Group, long From)> _rowCommands = new();
    private int _rowNext;
    private int _columnNext;
    private long _rowBus;
    private long _lastActivate = Never;
    private long _lastRead = Never;
    private long _lastWrite = Never;
    private long _lastColumn = Never;
    private int _lastStack;
    private readonly long[] _unitDue = [.. Enumerable.Range(0, new StreamUnits(standard).Count)
        .Select(unit => (long)(standard.Timing.Refi * (1 + ((double)unit / new StreamUnits(standard).Count))))];

    private long _due = refresh == DramRefresh.AllBank ? standard.Timing.Refi : long.MaxValue;
    private long _refreshAt = -1;
    private long _now;

    /// <summary>Ticks in which reads are complete, in order of arrival.</summary>
    public Dictionary<int, long> Reads { get; } = [];

    /// <summary>Ticks in which the column commands of writes were done, in order of arrival.</summary>
    public List<long> Written { get; } = [];

    public int Refreshes { get; private set; }

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

            RefreshUnits();
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
            if (!inProgress && _now >= _due)
            {
                Refresh();
                return;
            }

            if (_rowNext == _order.Count || (!inProgress && (_now < _order[_rowNext].Appended || (_rowNext >= lookAhead && _order[_rowNext - lookAhead].Last >= _now))))
            {
                return;
            }

            Job job = _order[_rowNext];
            job.Started = true;
            Unit unit = UnitOf(job);
            if (unit.Row != job.Access.Row)
            {
                bool wanted = _order.Skip(_columnNext).Take(_rowNext - _columnNext).Any(earlier => earlier.Access.Unit == job.Access.Unit);
                if (wanted || (unit.Row >= 0 && _now < unit.CloseFrom))
                {
                    return;
                }

                Plan(unit);
                unit.Row = job.Access.Row;
                break;
            }

            _rowNext++;
        }

        if (_rowCommands.TryPeek(out (bool Activate, int Group, long From) command) && _now >= _rowBus && _now >= command.From)
        {
            Issue(command.Activate, command.Group);
        }
    }

    // Precharges at fixed distances from the first, then an activate of each bank.
    private void Plan(Unit unit)
    {
        int spacing = Math.Max(1, _t.Ppd);
        for (int group = 0; group < _groups && unit.Row >= 0; group++)
        {
            _rowCommands.Enqueue((false, group, _now + (group * spacing)));
        }

        for (int group = 0; group < _groups; group++)
        {
            _rowCommands.Enqueue((true, group, unit.Row >= 0 ? _now + (group * spacing) + _t.Rp : unit.CloseFrom + _t.Rp));
        }
    }

    private void Issue(bool activate, int group)
    {
        Unit unit = UnitOf(_order[_rowNext]);
        if (!activate)
        {
            _rowCommands.Dequeue();
            _rowBus = _now + 1;
            return;
        }

        int place = _parts.FirstGroup(_order[_rowNext].Access.Unit) + group;
        bool window = _activates.Count < 4 || _now >= _activates[^4] + _t.Faw;
        if (window && _now >= unit.Opened[group] + _t.Rc && _now >= _lastActivate + _t.RrdShort && _now >= _groupActivate.GetValueOrDefault(place, Never) + _t.RrdLong)
        {
            _rowCommands.Dequeue();
            _activates.Add(_now);
            _lastActivate = _groupActivate[place] = unit.Opened[group] = _now;
            _rowBus = _now + standard.Bus.ActivateTicks;
            unit.CloseFrom = Math.Max(unit.CloseFrom, _now + _t.Ras);
            _rowNext += _rowCommands.Count == 0 ? 1 : 0;
        }
    }

    // A unit that no access in progress needs closes its rows and is refreshed, whatever the others do.
    private void RefreshUnits()
    {
        for (int i = 0; refresh == DramRefresh.PerBank && i < _unitDue.Length; i++)
        {
            Unit unit = UnitOf(i);
            if (_now >= _unitDue[i] && _now >= unit.CloseFrom && !_order.Skip(_columnNext).Take(_rowNext - _columnNext + 1).Any(job => job.Started && job.Access.Unit == i))
            {
                unit.Row = -1;
                unit.CloseFrom = _now + _t.RfcBank + ((_groups - 1) * _t.RefreshBankSpacing);
                _unitDue[i] += _t.Refi;
            }
        }
    }

    private void Refresh()
    {
        if (_columnNext < _rowNext)
        {
            return;
        }

        if (_refreshAt < 0)
        {
            if (_units.Values.Any(unit => _now < unit.CloseFrom))
            {
                return;
            }

            _refreshAt = _now + _t.RpAll;
        }

        if (_now >= _refreshAt)
        {
            foreach (Unit unit in _units.Values)
            {
                unit.Row = -1;
            }

            _rowBus = _now + _t.Rfc;
            _due += _t.Refi;
            _refreshAt = -1;
            Refreshes++;
        }
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
        bool opened = UnitOf(job).Row == access.Row && UnitOf(job).Opened[group] >= 0 && (_rowNext > _columnNext || !_rowCommands.Any(c => c.Activate && c.Group == group));
        bool turned = access.IsWrite ? _now >= _lastRead + _t.ReadToWrite : _now >= _lastWrite + _t.Cwl + _t.Burst + _t.WtrLong;
        if (!opened || !turned || _now < _lastColumn + spacing
            || _now < UnitOf(job).Opened[group] + (access.IsWrite ? _t.RcdWrite : _t.RcdRead)
            || _now < _groupColumn.GetValueOrDefault(place, Never) + (access.IsWrite ? _t.CcdLongWrite : _t.CcdLong))
        {
            return;
        }

        _lastColumn = _groupColumn[place] = _now;
        _lastStack = stack;
        _ = access.IsWrite ? _lastWrite = _now : _lastRead = _now;
        if (++job.Issued == access.Bursts)
        {
            Unit unit = UnitOf(job);
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

    private Unit UnitOf(Job job) => UnitOf(job.Access.Unit);

    private Unit UnitOf(int number)
    {
        if (!_units.TryGetValue(number, out Unit? unit))
        {
            _units[number] = unit = new Unit(_groups);
        }

        return unit;
    }
}
