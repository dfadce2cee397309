namespace Systolic.Simt;

/// <summary>One streaming multiprocessor executing warp programs: the fast simulation.</summary>
/// <remarks>
/// Goes from issue to issue: of every warp it knows the first cycle in which nothing of its own holds it back, of every scheduler the first in which one of its warps may issue. When
/// the relative state repeats at a loop boundary, whole periods are added at once (Multiprocessor.Steady). Equal to <see cref="MultiprocessorReference"/> in every issue.
/// </remarks>
internal sealed partial class Multiprocessor
{
    private const long Never = long.MaxValue;
    private readonly MultiprocessorConfig _config;
    private readonly CtaProgram _program;
    private readonly CtaBatch[] _queue;
    private readonly List<WarpIssue>? _trace;
    private readonly MultiprocessorUnits _units;
    private readonly WarpState[] _warps;
    private readonly WarpScoreboards[] _boards;
    private readonly PhaseRing[] _barriers;
    private readonly int[] _arrived;
    private readonly int[] _waited;
    private readonly Scheduler[] _schedulers;
    private readonly Slot[] _slots;
    private readonly long[] _stack = new long[MultiprocessorRun.Causes];
    private int _batch;
    private long _left;
    private long _launched;
    private long _issued;
    private long _skipped;
    private long _end;
    private int _running;

    private Multiprocessor(MultiprocessorConfig config, CtaProgram program, int resident, IReadOnlyList<CtaBatch> queue, List<WarpIssue>? trace)
    {
        (_config, _program, _trace) = (config, program, trace);
        _queue = [.. queue.Where(batch => batch.Count > 0)];
        _left = _queue.Length > 0 ? _queue[0].Count : 0;
        _units = new MultiprocessorUnits(config);
        _slots = new Slot[resident];
        int warps = resident * program.Warps.Length;
        _warps = new WarpState[warps];
        _boards = new WarpScoreboards[warps];
        _arrived = new int[warps * CtaProgram.MaximumBarriers];
        _waited = new int[warps * CtaProgram.MaximumBarriers];
        _uses = new (bool, bool)[warps * CtaProgram.MaximumBarriers];
        _barriers = [.. Enumerable.Range(0, resident * program.Barriers.Length).Select(_ => new PhaseRing())];
        _schedulers = [.. Enumerable.Range(0, config.SubCores).Select(_ => new Scheduler())];
        for (int w = 0; w < warps; w++)
        {
            _warps[w].SubCore = w % config.SubCores;
            _warps[w].Ready = Never;
            for (int b = 0; b < program.Barriers.Length; b++)
            {
                WarpProgram own = program.Warps[w % program.Warps.Length];
                _uses[At(w, b)] = (own.Uses(b, waits: false), own.Uses(b, waits: true));
            }
        }

        foreach (Scheduler scheduler in _schedulers)
        {
            scheduler.Warps = [.. Enumerable.Range(0, warps).Where(w => _schedulers[_warps[w].SubCore] == scheduler)];
        }
    }

    /// <summary>Executes CTAs on one multiprocessor until all have ended.</summary>
    /// <param name="config">The multiprocessor.</param>
    /// <param name="program">What each CTA does.</param>
    /// <param name="resident">CTAs that run at the same time.</param>
    /// <param name="queue">CTAs to run, each started when one before it has ended.</param>
    /// <param name="trace">Receives every issue; then no period is skipped.</param>
    /// <exception cref="InvalidOperationException">The warps wait for something that never happens.</exception>
    public static MultiprocessorRun Run(MultiprocessorConfig config, CtaProgram program, int resident, IReadOnlyList<CtaBatch> queue, List<WarpIssue>? trace = null) =>
        new Multiprocessor(config, program, resident, queue, trace).Run(Never);

    /// <summary>The same, but when more than <paramref name="budget"/> issues have to be gone through one by one, the rest is taken to go on at the rate of the second half of these.</summary>
    public static MultiprocessorRun Run(MultiprocessorConfig config, CtaProgram program, int resident, IReadOnlyList<CtaBatch> queue, long budget) =>
        new Multiprocessor(config, program, resident, queue, null).Run(budget);

    private MultiprocessorRun Run(long budget)
    {
        for (int slot = 0; slot < _slots.Length; slot++)
        {
            Launch(slot, 0);
        }

        (long issued, long cycle) half = default;
        while (_running > 0)
        {
            long now = Step();
            long simulated = _issued - _skipped;
            if (half.issued == 0 && simulated > budget / 2)
            {
                half = (_issued, now);
            }
            else if (simulated > budget && now > half.cycle)
            {
                return Extrapolate(half.issued, half.cycle, now);
            }
        }

        foreach (Scheduler scheduler in _schedulers)
        {
            _stack[(int)WarpStall.Idle] += _end - scheduler.Free;
        }

        return new MultiprocessorRun(_end, _issued, _issued - _skipped, _stack);
    }

    private MultiprocessorRun Extrapolate(long issued, long cycle, long now)
    {
        long left = (_program.Warps.Sum(warp => warp.Issues) * _queue.Sum(batch => batch.Count)) - _issued;
        double cycles = now + (left * (double)(now - cycle) / (_issued - issued));
        long[] stack = Array.ConvertAll(_stack, part => (long)(part * cycles / now));
        return new MultiprocessorRun((long)cycles, _issued + left, _issued - _skipped, stack) { IsExact = false };
    }

    /// <summary>Goes to the next cycle in which something issues, and returns it.</summary>
    private long Step()
    {
        long now = Never;
        foreach (Scheduler scheduler in _schedulers)
        {
            now = Math.Min(now, scheduler.Next);
        }

        if (now == Never)
        {
            throw Stuck(_program);
        }

        for (int s = 0; s < _schedulers.Length; s++)
        {
            if (_schedulers[s].Next == now)
            {
                Schedule(s, now);
            }
        }

        if (_boundary != Boundary.None && _trace is null)
        {
            now += Recognise(now);
        }

        _boundary = Boundary.None;
        return now;
    }

    /// <summary>The error of both simulations when no warp can go on.</summary>
    public static InvalidOperationException Stuck(CtaProgram program) => new(FormattableString.Invariant(
        $"A CTA of {program.Warps.Length} warps waits for a barrier phase that never completes. Compare its arrivals with those that the barriers expect."));

    private void Schedule(int s, long now)
    {
        Scheduler scheduler = _schedulers[s];
        int chosen = Choose(scheduler, now);
        if (chosen >= 0)
        {
            Issue(scheduler, s, chosen, now);
        }

        scheduler.Next = NextIssue(scheduler, s);
    }

    /// <summary>The warp that the scheduler's rule picks among those that may issue; -1 for none.</summary>
    private int Choose(Scheduler scheduler, long now)
    {
        int chosen = -1;
        long least = Never;
        int[] warps = scheduler.Warps;
        for (int i = 0; i < warps.Length; i++)
        {
            ref WarpState warp = ref _warps[warps[i]];
            if (warp.Ready > now || _units.FreeAt(warp.SubCore, warp.Body[warp.Instruction]) > now)
            {
                continue;
            }

            long rank = _config.Scheduling == WarpScheduling.RoundRobin ? (i - scheduler.Last - 1 + warps.Length) % warps.Length : i == scheduler.Last ? -1 : Age(warps[i]);
            if (rank < least)
            {
                (least, chosen) = (rank, i);
            }
        }

        return chosen;
    }

    private long Age(int warp) => (_slots[warp / _program.Warps.Length].Launch * _warps.Length) + warp;

    private long NextIssue(Scheduler scheduler, int s)
    {
        long next = Never;
        foreach (int w in scheduler.Warps)
        {
            ref WarpState warp = ref _warps[w];
            if (warp.Ready < next)
            {
                next = Math.Min(next, Math.Max(warp.Ready, _units.FreeAt(s, warp.Body[warp.Instruction])));
            }
        }

        return next == Never ? Never : Math.Max(next, scheduler.Free);
    }

    private void Issue(Scheduler scheduler, int s, int index, long now)
    {
        int w = scheduler.Warps[index];
        ref WarpState warp = ref _warps[w];
        ref readonly WarpInstruction instruction = ref warp.Body[warp.Instruction];
        ref Slot slot = ref _slots[w / _program.Warps.Length];
        if (now > scheduler.Free)
        {
            _stack[(int)(warp.Ready == now ? warp.Cause : MultiprocessorUnits.BusyCause(instruction))] += now - scheduler.Free;
        }

        _stack[(int)WarpStall.Issue] += instruction.Issues;
        _issued++;
        scheduler.Free = now + instruction.Issues;
        scheduler.Last = index;
        _trace?.Add(new WarpIssue(now, s, w / _program.Warps.Length, w % _program.Warps.Length, warp.Segment, warp.Instruction));
        long done = _units.Perform(s, instruction, _queue[slot.Batch].Supply, now);
        WarpStall cause = MultiprocessorUnits.Cause(instruction.Pipe);
        _boards[w].Complete(instruction, done, cause);
        warp.Sync = -1;
        if (instruction.Use != BarrierUse.None)
        {
            AtBarrier(w, instruction, done, cause);
        }

        warp.Earliest = now + Math.Max(instruction.Stall, instruction.Issues);
        warp.EarliestCause = WarpStall.Dependency;
        _end = Math.Max(_end, Math.Max(done, warp.Earliest));
        if (Advance(ref warp, w))
        {
            Prepare(w);
            return;
        }

        warp.Ready = Never;
        slot.End = Math.Max(slot.End, warp.Earliest);
        if (--slot.Alive == 0)
        {
            _running--;
            Launch(w / _program.Warps.Length, slot.End + _config.Turnaround);
        }
    }

    /// <summary>Moves to the next instruction; false at the end of the program.</summary>
    private bool Advance(ref WarpState warp, int w)
    {
        if (++warp.Instruction < warp.Body.Length)
        {
            return true;
        }

        warp.Instruction = 0;
        bool leads = w == _leader;
        if (++warp.Iteration < warp.Program.Segments[warp.Segment].Count)
        {
            _boundary = leads && _boundary == Boundary.None ? Boundary.Iteration : _boundary;
            return true;
        }

        warp.Iteration = 0;
        _boundary = leads ? Boundary.Segment : _boundary;
        if (++warp.Segment == warp.Program.Segments.Length)
        {
            warp.Segment = warp.Program.RepeatFrom;
            _boundary = leads ? Boundary.Repeat : _boundary;
            if (++warp.Repeat == warp.Program.Repeats)
            {
                return false;
            }
        }

        warp.Body = warp.Program.Segments[warp.Segment].Body;
        return true;
    }

    /// <summary>When the warp's next instruction is held back by nothing of its own, and what holds it back last.</summary>
    private void Prepare(int w)
    {
        ref WarpState warp = ref _warps[w];
        ref readonly WarpInstruction next = ref warp.Body[warp.Instruction];
        (warp.Ready, warp.Cause) = (-1, WarpStall.Dependency);
        if (warp.Sync >= 0)
        {
            Hold(ref warp, BarrierOf(w, warp.Sync).Completion(_arrived[At(w, warp.Sync)] - 1, _program.Barriers[warp.Sync].Arrivals));
        }

        if (next.Use == BarrierUse.Wait)
        {
            BarrierSpec barrier = _program.Barriers[next.Barrier];
            Hold(ref warp, BarrierOf(w, next.Barrier).Completion(_waited[At(w, next.Barrier)] - barrier.Credit, barrier.Arrivals));
        }

        if (warp.Ready != Never)
        {
            Hold(ref warp, _boards[w].Release(next));
            Hold(ref warp, (warp.Earliest, warp.EarliestCause));
        }
    }

    private static void Hold(ref WarpState warp, (long Time, WarpStall Cause) by)
    {
        if (by.Time > warp.Ready)
        {
            (warp.Ready, warp.Cause) = by;
        }
    }

    private void AtBarrier(int w, in WarpInstruction instruction, long done, WarpStall cause)
    {
        if (instruction.Use == BarrierUse.Wait)
        {
            _waited[At(w, instruction.Barrier)]++;
            return;
        }

        if (instruction.Use == BarrierUse.Sync)
        {
            _warps[w].Sync = instruction.Barrier;
        }

        int phase = _arrived[At(w, instruction.Barrier)]++;
        if (!BarrierOf(w, instruction.Barrier).Arrive(phase, _program.Barriers[instruction.Barrier].Arrivals, done, cause))
        {
            return;
        }

        // The phase is complete: its time is known, so those that waited without an end can be placed.
        int first = w / _program.Warps.Length * _program.Warps.Length;
        for (int other = first; other < first + _program.Warps.Length; other++)
        {
            ref WarpState waiting = ref _warps[other];
            if (other != w && waiting.Ready == Never && waiting.Repeat < waiting.Program.Repeats)
            {
                Prepare(other);
                Scheduler scheduler = _schedulers[waiting.SubCore];
                scheduler.Next = Math.Min(scheduler.Next, Math.Max(waiting.Ready, scheduler.Free));
            }
        }
    }

    private void Launch(int slot, long time)
    {
        while (_left == 0)
        {
            if (_batch + 1 >= _queue.Length)
            {
                return;
            }

            _left = _queue[++_batch].Count;
        }

        _left--;
        _running++;
        _slots[slot] = new Slot { Alive = _program.Warps.Length, Launch = _launched++, Batch = _batch };
        for (int b = 0; b < _program.Barriers.Length; b++)
        {
            _barriers[(slot * _program.Barriers.Length) + b].Clear();
        }

        for (int i = 0; i < _program.Warps.Length; i++)
        {
            int w = (slot * _program.Warps.Length) + i;
            WarpProgram program = _program.Warps[i];
            _warps[w] = new WarpState { SubCore = _warps[w].SubCore, Program = program, Body = program.Segments[0].Body, Earliest = time, EarliestCause = WarpStall.Launch, Sync = -1 };
            _boards[w] = new WarpScoreboards();
            Array.Clear(_arrived, At(w, 0), CtaProgram.MaximumBarriers);
            Array.Clear(_waited, At(w, 0), CtaProgram.MaximumBarriers);
            Prepare(w);
            Scheduler scheduler = _schedulers[_warps[w].SubCore];
            scheduler.Next = Math.Min(scheduler.Next, Math.Max(_warps[w].Ready, scheduler.Free));
        }
    }

    private static int At(int warp, int barrier) => (warp * CtaProgram.MaximumBarriers) + barrier;

    private PhaseRing BarrierOf(int warp, int barrier) => _barriers[(warp / _program.Warps.Length * _program.Barriers.Length) + barrier];

    /// <summary>A scheduler: its warps, when it is free, and when one of them may issue.</summary>
    private sealed class Scheduler
    {
        public int[] Warps = [];
        public long Free;
        public long Next = Never;
        public int Last = -1;
    }

    /// <summary>A place for a CTA.</summary>
    private struct Slot
    {
        public int Alive;
        public long Launch;
        public long End;
        public int Batch;
    }

    /// <summary>A warp: where it is, and when it may go on.</summary>
    private struct WarpState
    {
        public WarpProgram Program;
        public WarpInstruction[] Body;
        public int SubCore;
        public int Segment;
        public int Instruction;
        public int Iteration;
        public int Repeat;
        public int Sync;
        public long Earliest;
        public WarpStall EarliestCause;
        public long Ready;
        public WarpStall Cause;
    }
}
