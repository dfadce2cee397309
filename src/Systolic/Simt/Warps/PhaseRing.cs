namespace Systolic.Simt;

/// <summary>The phases of one barrier that are open or were complete last.</summary>
internal sealed class PhaseRing
{
    private const int Kept = 32;
    private readonly int[] _arrivals = new int[Kept];
    private readonly int[] _phases = new int[Kept];
    private readonly long[] _times = new long[Kept];
    private readonly WarpStall[] _causes = new WarpStall[Kept];
    private int _complete;

    /// <summary>Makes it a new barrier.</summary>
    public void Clear()
    {
        _complete = 0;
        Array.Clear(_arrivals);
        for (int i = 0; i < Kept; i++)
        {
            _phases[i] = i;
        }
    }

    /// <summary>Counts an arrival at a phase, done at <paramref name="done"/>; true if it completes the phase.</summary>
    public bool Arrive(int phase, int expected, long done, WarpStall cause)
    {
        int at = phase % Kept;
        if (_phases[at] != phase || _arrivals[at] == 0)
        {
            if (phase - _complete >= Kept)
            {
                throw new InvalidOperationException(FormattableString.Invariant($"A warp arrives at a barrier {phase - _complete} phases ahead of the others; at most {Kept - 1} are kept apart."));
            }

            (_phases[at], _arrivals[at], _times[at]) = (phase, 0, -1);
        }

        if (done > _times[at])
        {
            (_times[at], _causes[at]) = (done, cause);
        }

        bool completes = ++_arrivals[at] == expected;
        _complete += completes ? 1 : 0;
        return completes;
    }

    /// <summary>When a phase is complete and by what; <see cref="long.MaxValue"/> while arrivals are missing, -1 for phases before the first.</summary>
    public (long Time, WarpStall Cause) Completion(int phase, int expected)
    {
        if (phase < 0)
        {
            return (-1, WarpStall.Barrier);
        }

        int at = phase % Kept;
        return _phases[at] > phase ? (-1, WarpStall.Barrier) : _phases[at] == phase && _arrivals[at] == expected ? (_times[at], _causes[at]) : (long.MaxValue, WarpStall.Barrier);
    }

    /// <summary>How many phases are complete.</summary>
    public int Complete => _complete;

    /// <summary>Adds the open phases and the times to come to a state.</summary>
    public void Describe(StateBuffer state, long now)
    {
        for (int i = 0; i < Kept; i++)
        {
            int at = (_complete + i) % Kept;
            bool matters = _phases[at] >= _complete ? _arrivals[at] > 0 : _times[at] > now;
            if (matters)
            {
                state.Add(_phases[at] - _complete);
                state.Add(_arrivals[at]);
                state.AddTime(_times[at], now);
                state.Add(_times[at] > now ? (long)_causes[at] : 0);
            }
        }

        state.Add(long.MinValue);
    }

    /// <summary>Moves all times by <paramref name="cycles"/>.</summary>
    public void Shift(long cycles)
    {
        for (int i = 0; i < Kept; i++)
        {
            _times[i] += cycles;
        }
    }
}
