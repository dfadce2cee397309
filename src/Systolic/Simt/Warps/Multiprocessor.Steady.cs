namespace Systolic.Simt;

/// <summary>Steady states: when all that decides the future is as it was some iterations ago, as many periods as the loops still hold pass at once.</summary>
internal sealed partial class Multiprocessor
{
    private const int KeptSnapshots = 64;
    private readonly List<Snapshot> _iterations = [];
    private readonly List<Snapshot> _repeats = [];
    private readonly StateBuffer _state = new();
    private readonly (bool Arrives, bool Waits)[] _uses;
    private Boundary _boundary;
    private int _leader;

    /// <summary>What the first live warp has just ended.</summary>
    private enum Boundary
    {
        None,
        Iteration,
        Segment,
        Repeat,
    }

    /// <summary>Looks for the state among those before; returns the cycles that were added.</summary>
    private long Recognise(long now)
    {
        bool outer = _boundary == Boundary.Repeat;
        if (_boundary != Boundary.Iteration)
        {
            _iterations.Clear();
        }

        if (outer && FindLeader())
        {
            _repeats.Clear();
        }

        if (_boundary == Boundary.Segment || _running == 0)
        {
            return 0;
        }

        Describe(now, outer);
        List<Snapshot> known = outer ? _repeats : _iterations;
        long skipped = 0;
        for (int i = known.Count - 1; i >= 0; i--)
        {
            if (known[i].State.AsSpan().SequenceEqual(_state.Values))
            {
                long periods = outer ? Repeats(known[i]) : Iterations(known[i]);
                skipped = periods * (now - known[i].Time);
                if (periods > 0)
                {
                    Skip(known[i], periods, skipped);
                }

                known.Clear();
                break;
            }
        }

        if (known.Count == KeptSnapshots)
        {
            known.RemoveAt(0);
        }

        known.Add(new Snapshot(
            [.. _state.Values], now + skipped, _launched, _issued, [.. _stack], Array.ConvertAll(_warps, warp => warp.Iteration), Array.ConvertAll(_warps, warp => warp.Repeat)));
        return skipped;
    }

    /// <summary>The first live warp leads; true if it is another than before.</summary>
    private bool FindLeader()
    {
        int before = _leader;
        _leader = Math.Max(0, Array.FindIndex(_warps, Alive));
        return _leader != before;
    }

    private static bool Alive(WarpState warp) => warp.Program is not null && warp.Repeat < warp.Program.Repeats;

    /// <summary>Periods of iterations in which no warp leaves its loop.</summary>
    private long Iterations(Snapshot then)
    {
        long periods = Never;
        for (int w = 0; w < _warps.Length; w++)
        {
            ref WarpState warp = ref _warps[w];
            int done = warp.Iteration - then.Iterations[w];
            if (done < 0 || warp.Repeat != then.Repeats[w] || then.Launched != _launched)
            {
                return 0;
            }

            if (done > 0)
            {
                periods = Math.Min(periods, (warp.Program.Segments[warp.Segment].Count - 1 - warp.Iteration) / done);
            }
        }

        return periods == Never ? 0 : periods;
    }

    /// <summary>Periods of tiles or CTAs in which no warp ends its program but those that are replaced, and the queue holds enough.</summary>
    private long Repeats(Snapshot then)
    {
        long launched = _launched - then.Launched;
        long periods = launched > 0 ? _left / launched : Never;
        for (int w = 0; w < _warps.Length; w++)
        {
            int done = _warps[w].Repeat - then.Repeats[w];
            if (done < 0 || (done > 0 && launched > 0))
            {
                return 0;
            }

            if (done > 0)
            {
                periods = Math.Min(periods, (_warps[w].Program.Repeats - 1 - _warps[w].Repeat) / done);
            }
        }

        return periods == Never ? 0 : periods;
    }

    private void Skip(Snapshot then, long periods, long cycles)
    {
        long launched = periods * (_launched - then.Launched);
        _skipped += periods * (_issued - then.Issued);
        _issued += periods * (_issued - then.Issued);
        (_launched, _left) = (_launched + launched, _left - launched);
        for (int i = 0; i < _stack.Length; i++)
        {
            _stack[i] += periods * (_stack[i] - then.Stack[i]);
        }

        foreach (Scheduler scheduler in _schedulers)
        {
            scheduler.Free += HasWork(scheduler) ? cycles : 0;
            scheduler.Next = Later(scheduler.Next, cycles);
        }

        for (int w = 0; w < _warps.Length; w++)
        {
            ref WarpState warp = ref _warps[w];
            warp.Iteration += (int)periods * (warp.Iteration - then.Iterations[w]);
            warp.Repeat += (int)periods * (warp.Repeat - then.Repeats[w]);
            (warp.Ready, warp.Earliest) = (Later(warp.Ready, cycles), warp.Earliest + cycles);
            _boards[w].Shift(cycles);
        }

        for (int i = 0; i < _slots.Length; i++)
        {
            _slots[i].Launch += launched;
            _slots[i].End += cycles;
        }

        foreach (PhaseRing barrier in _barriers)
        {
            barrier.Shift(cycles);
        }

        _units.Shift(cycles);
        _end += cycles;
    }

    private static long Later(long time, long by) => time == Never ? Never : time + by;

    private bool HasWork(Scheduler scheduler) => Array.Exists(scheduler.Warps, w => Alive(_warps[w]));

    /// <summary>All that decides what happens from now on, relative to now; how far loops have come only where repeats are compared.</summary>
    private void Describe(long now, bool outer)
    {
        _state.Clear();
        _state.Add(_batch);
        _state.AddTime(_end, now);
        _units.Describe(_state, now);
        foreach (Scheduler scheduler in _schedulers)
        {
            _state.Add(HasWork(scheduler) ? scheduler.Free - now : 0);
            _state.Add(scheduler.Last);
        }

        foreach (Slot slot in _slots)
        {
            _state.Add(slot.Alive);
            _state.Add(_launched - slot.Launch);
            _state.Add(slot.Batch);
            _state.AddTime(slot.End, now);
        }

        foreach (PhaseRing barrier in _barriers)
        {
            barrier.Describe(_state, now);
        }

        for (int w = 0; w < _warps.Length; w++)
        {
            Describe(w, now, outer);
        }
    }

    private void Describe(int w, long now, bool outer)
    {
        ref WarpState warp = ref _warps[w];
        if (!Alive(warp))
        {
            _state.Add(-1);
            return;
        }

        _state.Add(warp.Segment);
        _state.Add(warp.Instruction);
        _state.Add(outer ? warp.Iteration : -1);
        _state.Add(warp.Sync);
        _state.AddTime(warp.Ready, now);
        _state.Add(warp.Ready > now ? (long)warp.Cause : 0);
        _state.AddTime(warp.Earliest, now);
        _state.Add(warp.Earliest > now ? (long)warp.EarliestCause : 0);
        _boards[w].Describe(_state, now);
        for (int b = 0; b < _program.Barriers.Length; b++)
        {
            int complete = BarrierOf(w, b).Complete;
            _state.Add(_uses[At(w, b)].Arrives ? _arrived[At(w, b)] - complete : 0);
            _state.Add(_uses[At(w, b)].Waits ? _waited[At(w, b)] - complete : 0);
        }
    }

    /// <summary>A state, and the counts as they stood.</summary>
    private sealed record Snapshot(long[] State, long Time, long Launched, long Issued, long[] Stack, int[] Iterations, int[] Repeats);
}
