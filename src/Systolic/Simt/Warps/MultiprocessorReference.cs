namespace Systolic.Simt;

/// <summary>The reference for <see cref="Multiprocessor"/>: cycle by cycle, every scheduler asks every warp anew whether it may issue.</summary>
/// <remarks>Slow and obvious: no time at which something becomes possible is remembered or looked for. What an instruction takes is the same (<see cref="MultiprocessorUnits"/>).</remarks>
internal sealed class MultiprocessorReference
{
    private const int Patience = 1 << 20;
    private readonly MultiprocessorConfig _config;
    private readonly CtaProgram _program;
    private readonly Queue<Supply> _waiting;
    private readonly Cta?[] _slots;
    private readonly MultiprocessorUnits _units;
    private readonly long[] _stack = new long[MultiprocessorRun.Causes];
    private readonly List<Warp>[] _subCores;
    private long _end;
    private long _issued;
    private int _launched;

    private MultiprocessorReference(MultiprocessorConfig config, CtaProgram program, int resident, IEnumerable<CtaBatch> queue)
    {
        (_config, _program, _slots, _units) = (config, program, new Cta?[resident], new MultiprocessorUnits(config));
        _waiting = new Queue<Supply>(queue.SelectMany(batch => Enumerable.Repeat(batch.Supply, (int)batch.Count)));
        _subCores = [.. Enumerable.Range(0, config.SubCores).Select(_ => new List<Warp>())];
    }

    /// <inheritdoc cref="Multiprocessor.Run(MultiprocessorConfig, CtaProgram, int, IReadOnlyList{CtaBatch}, List{WarpIssue})"/>
    public static MultiprocessorRun Run(MultiprocessorConfig config, CtaProgram program, int resident, IReadOnlyList<CtaBatch> queue, List<WarpIssue>? trace = null) =>
        new MultiprocessorReference(config, program, resident, queue).Run(trace);

    private MultiprocessorRun Run(List<WarpIssue>? trace)
    {
        long[] busyUntil = new long[_config.SubCores];
        int[] last = [.. Enumerable.Repeat(-1, _config.SubCores)];
        for (int slot = 0; slot < _slots.Length; slot++)
        {
            Launch(slot, 0);
        }

        long latest = 0;
        for (long now = 0; _slots.Any(cta => cta is not null); now++)
        {
            for (int s = 0; s < _config.SubCores; s++)
            {
                if (now < busyUntil[s])
                {
                    continue;
                }

                Warp? chosen = Choose(s, last[s], now);
                if (chosen is null)
                {
                    continue;
                }

                _stack[(int)chosen.Held] += now - busyUntil[s];
                _stack[(int)WarpStall.Issue] += chosen.Next.Issues;
                busyUntil[s] = now + chosen.Next.Issues;
                last[s] = chosen.Place;
                latest = now;
                trace?.Add(new WarpIssue(now, s, chosen.Cta.Slot, chosen.Index, chosen.Segment, chosen.Instruction));
                Issue(chosen, s, now);
            }

            if (now - latest > Patience)
            {
                throw Multiprocessor.Stuck(_program);
            }
        }

        _stack[(int)WarpStall.Idle] += busyUntil.Sum(free => _end - free);
        return new MultiprocessorRun(_end, _issued, _issued, _stack);
    }

    private Warp? Choose(int s, int last, long now)
    {
        var ready = new List<Warp>();
        foreach (Warp warp in _subCores[s])
        {
            WarpStall? held = HeldBy(warp, s, now);
            warp.Held = held ?? warp.Held;
            if (held is null)
            {
                ready.Add(warp);
            }
        }

        int places = _slots.Length * _program.Warps.Length;
        return _config.Scheduling == WarpScheduling.RoundRobin
            ? ready.MinBy(warp => (warp.Place - last - 1 + places) % places)
            : ready.Find(warp => warp.Place == last) ?? ready.MinBy(warp => (warp.Cta.Number, warp.Index));
    }

    /// <summary>The first thing that keeps a warp from issuing in this cycle; null for none.</summary>
    private WarpStall? HeldBy(Warp warp, int s, long now)
    {
        WarpInstruction next = warp.Next;
        if (warp.Syncing is { } sync && !sync.IsComplete(now))
        {
            return sync.Cause;
        }

        if (next.Use == BarrierUse.Wait)
        {
            int phase = warp.Waited[next.Barrier] - _program.Barriers[next.Barrier].Credit;
            if (phase >= 0 && !warp.Cta.Phase(next.Barrier, phase).IsComplete(now))
            {
                return warp.Cta.Phase(next.Barrier, phase).Cause;
            }
        }

        int group = warp.Groups.Count - 1 - next.GroupsLeft;
        if (next.GroupsLeft >= 0 && group >= 0 && warp.Groups[group] > now)
        {
            return warp.GroupCause;
        }

        // Of several scoreboards the one that clears last is the cause.
        (long time, WarpStall cause) = (now, WarpStall.Issue);
        for (int board = 0; board < 6; board++)
        {
            if ((next.Waits & (1 << board)) != 0 && warp.Boards[board].Time > time)
            {
                (time, cause) = warp.Boards[board];
            }
        }

        return time > now ? cause
            : warp.Earliest > now ? warp.EarliestCause
            : _units.FreeAt(s, next) > now ? MultiprocessorUnits.BusyCause(next)
            : null;
    }

    private void Issue(Warp warp, int s, long now)
    {
        WarpInstruction instruction = warp.Next;
        long done = _units.Perform(s, instruction, warp.Cta.Supply, now);
        WarpStall cause = MultiprocessorUnits.Cause(instruction.Pipe);
        _issued++;
        if (instruction.Sets >= 0 && done > warp.Boards[instruction.Sets].Time)
        {
            warp.Boards[instruction.Sets] = (done, cause);
        }

        if (instruction.Joins)
        {
            (warp.Open, warp.GroupCause) = (Math.Max(warp.Open, done), cause);
        }

        if (instruction.Commits)
        {
            warp.Groups.Add(warp.Open);
        }

        warp.Syncing = null;
        if (instruction.Use == BarrierUse.Wait)
        {
            warp.Waited[instruction.Barrier]++;
        }
        else if (instruction.Use != BarrierUse.None)
        {
            Phase phase = warp.Cta.Phase(instruction.Barrier, warp.Arrived[instruction.Barrier]++);
            phase.Arrivals.Add((done, cause));
            warp.Syncing = instruction.Use == BarrierUse.Sync ? phase : null;
        }

        (warp.Earliest, warp.EarliestCause) = (now + Math.Max(instruction.Stall, instruction.Issues), WarpStall.Dependency);
        _end = Math.Max(_end, Math.Max(done, warp.Earliest));
        if (!warp.Advance())
        {
            _subCores[s].Remove(warp);
            warp.Cta.End = Math.Max(warp.Cta.End, warp.Earliest);
            if (--warp.Cta.Alive == 0)
            {
                _slots[warp.Cta.Slot] = null;
                Launch(warp.Cta.Slot, warp.Cta.End + _config.Turnaround);
            }
        }
    }

    private void Launch(int slot, long time)
    {
        if (!_waiting.TryDequeue(out Supply supply))
        {
            return;
        }

        var cta = new Cta(slot, _launched++, supply, _program);
        _slots[slot] = cta;
        for (int i = 0; i < _program.Warps.Length; i++)
        {
            int place = (slot * _program.Warps.Length) + i;
            _subCores[place % _config.SubCores].Add(new Warp(cta, i, place, _program.Warps[i]) { Earliest = time });
        }
    }

    private sealed class Phase(int expected)
    {
        public List<(long Time, WarpStall Cause)> Arrivals { get; } = [];

        public WarpStall Cause => Arrivals.Count < expected ? WarpStall.Barrier : Arrivals.MaxBy(arrival => arrival.Time).Cause;

        public bool IsComplete(long now) => Arrivals.Count == expected && Arrivals.TrueForAll(arrival => arrival.Time <= now);
    }

    private sealed class Cta(int slot, int number, Supply supply, CtaProgram program)
    {
        private readonly List<Phase>[] _phases = [.. program.Barriers.Select(_ => new List<Phase>())];

        public int Slot => slot;

        public int Number => number;

        public Supply Supply => supply;

        public int Alive { get; set; } = program.Warps.Length;

        public long End { get; set; }

        public Phase Phase(int barrier, int index)
        {
            while (_phases[barrier].Count <= index)
            {
                _phases[barrier].Add(new Phase(program.Barriers[barrier].Arrivals));
            }

            return _phases[barrier][index];
        }
    }

    private sealed class Warp(Cta cta, int index, int place, WarpProgram program)
    {
        private int _iteration;
        private int _repeat;

        public Cta Cta => cta;

        public int Index => index;

        public int Place => place;

        public int Segment { get; private set; }

        public int Instruction { get; private set; }

        public WarpInstruction Next => program.Segments[Segment].Body[Instruction];

        public WarpStall Held { get; set; } = WarpStall.Launch;

        public long Earliest { get; set; }

        public WarpStall EarliestCause { get; set; } = WarpStall.Launch;

        public Phase? Syncing { get; set; }

        public int[] Arrived { get; } = new int[CtaProgram.MaximumBarriers];

        public int[] Waited { get; } = new int[CtaProgram.MaximumBarriers];

        public (long Time, WarpStall Cause)[] Boards { get; } = new (long, WarpStall)[6];

        public List<long> Groups { get; } = [];

        public long Open { get; set; }

        public WarpStall GroupCause { get; set; }

        public bool Advance()
        {
            if (++Instruction < program.Segments[Segment].Body.Length)
            {
                return true;
            }

            Instruction = 0;
            if (++_iteration < program.Segments[Segment].Count)
            {
                return true;
            }

            _iteration = 0;
            if (++Segment < program.Segments.Length)
            {
                return true;
            }

            Segment = program.RepeatFrom;
            return ++_repeat < program.Repeats;
        }
    }
}
