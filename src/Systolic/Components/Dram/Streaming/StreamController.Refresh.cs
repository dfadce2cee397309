using System.Numerics;

namespace Systolic.Components;

/// <content>
/// Refreshes. A device that refreshes single banks is refreshed unit by unit, each once a round: of those that nobody waits for the one used last, which a stream needs
/// last. An open row waits until the channel has been idle for the time between two refreshes, the unit of the next access until the refresh is overdue.
/// </content>
internal sealed partial class StreamController
{
    // JEDEC: up to eight refreshes may be postponed.
    private const int Postponed = 8;
    private const int BitsOfWord = 64;

    // Before every tick.
    private const long None = 2 * Never;

    private readonly bool _banks;
    private readonly long _refreshInterval;

    // A bit for each unit: to be refreshed in this round; without an open row.
    private readonly ulong[] _due;
    private readonly ulong[] _closed;
    private int _toRefresh;
    private long _refreshDue;
    private long _refreshNext;
    private long _lastRefresh = Never;

    /// <summary>Refreshes units until none is due or none can be taken, then not before another interval; returns when the next access may be begun.</summary>
    private long RefreshUnits(int wanted, long tick, long start)
    {
        while (start >= _refreshNext)
        {
            SkipIdle(tick);
            long from = Math.Max(_refreshNext, Math.Max(_rowOrder, _rowBus));
            long overdue = Math.Max(from, _refreshDue + (Postponed * (long)_timing.Refi));
            (int unit, long at) = Choose(wanted, tick, from, overdue, start);
            if (Math.Min(at, overdue) > start)
            {
                _refreshNext = start + _refreshInterval;
                break;
            }

            Refresh(unit, at);
            start = Math.Max(start, _rowBus);
        }

        return start;
    }

    /// <summary>The unit that can be refreshed first, and when; of several the one used last.</summary>
    private (int Unit, long At) Choose(int wanted, long tick, long from, long overdue, long start)
    {
        long closing = Math.Min(overdue, _lastColumn + _refreshInterval);
        (int kept, bool openToo) = (from >= tick && from < overdue ? wanted : -1, closing <= from);
        (int chosen, long latest) = (-1, None);
        for (int word = 0; word < _due.Length; word++)
        {
            ulong left = openToo ? _due[word] : _due[word] & _closed[word];
            left &= kept / BitsOfWord == word && kept >= 0 ? ~Bit(kept) : ulong.MaxValue;
            for (; left != 0; left &= left - 1)
            {
                int unit = (word * BitsOfWord) + BitOperations.TrailingZeroCount(left);
                long used = _closeFrom[unit];
                // All ones where it was used later than the chosen one and nobody waits for it: which are cannot be foreseen, and a branch would be.
                long takes = ((latest - used) & ~(from - used)) >> 63;
                chosen ^= (chosen ^ unit) & (int)takes;
                latest ^= (latest ^ used) & takes;
            }
        }

        // The next access does not wait for a later one.
        bool canWait = start > from || from == overdue;
        return chosen >= 0 ? (chosen, from) : canWait ? ChooseLater(wanted, tick, from, overdue, closing) : (chosen, long.MaxValue);
    }

    /// <summary>As <see cref="Choose"/> when none can be refreshed at once.</summary>
    private (int Unit, long At) ChooseLater(int wanted, long tick, long from, long overdue, long closing)
    {
        (int chosen, long earliest) = (-1, long.MaxValue);
        for (int word = 0; word < _due.Length; word++)
        {
            for (ulong left = _due[word]; left != 0; left &= left - 1)
            {
                int unit = (word * BitsOfWord) + BitOperations.TrailingZeroCount(left);
                long ready = Math.Max(_closeFrom[unit], _rows[unit] == Closed ? from : Math.Max(from, closing));
                ready = unit == wanted && ready >= tick ? Math.Max(ready, overdue) : ready;
                if (ready < earliest || (ready == earliest && _closeFrom[unit] > _closeFrom[chosen]))
                {
                    (chosen, earliest) = (unit, ready);
                }
            }
        }

        return (chosen, earliest);
    }

    private void Refresh(int unit, long start)
    {
        DramTiming timing = _timing;
        (long closed, int spacing) = Close(unit, start);
        Span<long> opened = Opened(unit);
        (long bus, long refreshed, long activated) = (_rowBus, _lastRefresh, _lastActivate + timing.RrdShort);
        for (int group = 0; group < opened.Length; group++)
        {
            long at = Later(Later(closed, bus), opened[group] + timing.Rc);
            refreshed = Later(at, Later(activated, refreshed + timing.RefreshBankSpacing));
            bus = refreshed + 1;
            // As if opened when the bank's cycle time ends with its refresh.
            opened[group] = refreshed + timing.RfcBank - timing.Rc;
            closed += spacing;
        }

        (_rowBus, _lastRefresh) = (bus, refreshed);
        _tally.RefreshesBank += _groups;
        SetClosed(unit);
        _due[unit / BitsOfWord] &= ~Bit(unit);
        _refreshNext = _refreshDue += _refreshInterval;
        if (--_toRefresh == 0)
        {
            BeginRound();
        }
    }

    /// <summary>Refreshes that a pause leaves time for, and that are over when the next access comes, are only counted, up to the end of a round: in which order they came is not felt.</summary>
    private void SkipIdle(long tick)
    {
        long idle = tick - _refreshDue - _timing.RfcBank - _refreshInterval;
        if (idle < _toRefresh * _refreshInterval || Math.Max(_refreshNext, Math.Max(_rowOrder, _rowBus)) > _refreshDue)
        {
            return;
        }

        for (int unit = 0; unit < _rows.Length; unit++)
        {
            if (_rows[unit] != Closed || _closeFrom[unit] > _refreshDue)
            {
                return;
            }
        }

        int units = _rows.Length;
        long skipped = _toRefresh + (((idle / _refreshInterval) - _toRefresh) / units * units);
        _refreshNext = _refreshDue += skipped * _refreshInterval;
        _tally.RefreshesBank += skipped * _groups;
        BeginRound();
    }

    private void BeginRound()
    {
        _toRefresh = _rows.Length;
        for (int unit = 0; unit < _rows.Length; unit++)
        {
            _due[unit / BitsOfWord] |= Bit(unit);
        }
    }

    private void SetClosed(int unit)
    {
        _rows[unit] = Closed;
        _closed[unit / BitsOfWord] |= Bit(unit);
    }

    private static ulong Bit(int unit) => 1UL << (unit % BitsOfWord);

    /// <summary>Refreshes all banks as soon as it is due and the accesses before are done; returns when the next access may be begun.</summary>
    private long RefreshAll(long start)
    {
        while (start >= _refreshNext)
        {
            long at = Math.Max(Math.Max(_refreshNext, _lastColumn + 1), _rowBus);
            bool open = false;
            for (int unit = 0; unit < _rows.Length; unit++)
            {
                at = Math.Max(at, _closeFrom[unit]);
                open |= _rows[unit] != Closed;
                SetClosed(unit);
            }

            _tally.Precharges += open ? 1 : 0;
            _rowBus = at + _timing.RpAll + _timing.Rfc;
            _refreshNext += _refreshInterval;
            _tally.RefreshesAll++;
            start = Math.Max(start, _rowBus);
        }

        return start;
    }
}
