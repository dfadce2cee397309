using System.Runtime.CompilerServices;

namespace Systolic.Simt;

/// <summary>What a warp awaits: six scoreboards, and the completion of its groups.</summary>
internal struct WarpScoreboards
{
    private const int Kept = 8;
    private Six _times;
    private Six _causes;
    private Eight _groups;
    private long _open;
    private long _openCause;
    private int _closed;

    /// <summary>Books the completion of an instruction.</summary>
    public void Complete(in WarpInstruction instruction, long done, WarpStall cause)
    {
        if (instruction.Sets >= 0 && done > _times[instruction.Sets])
        {
            (_times[instruction.Sets], _causes[instruction.Sets]) = (done, (long)cause);
        }

        if (instruction.Joins)
        {
            (_open, _openCause) = (Math.Max(_open, done), (long)cause);
        }

        if (instruction.Commits)
        {
            _groups[_closed++ % Kept] = _open;
        }
    }

    /// <summary>When the scoreboards and groups that <paramref name="instruction"/> waits for are clear, and the one that is last.</summary>
    public readonly (long Time, WarpStall Cause) Release(in WarpInstruction instruction)
    {
        (long time, long cause) = (-1, 0);
        int group = _closed - 1 - instruction.GroupsLeft;
        if (instruction.GroupsLeft >= 0 && group >= 0)
        {
            (time, cause) = (_groups[group % Kept], _openCause);
        }

        for (int board = 0, mask = instruction.Waits; mask != 0; board++, mask >>= 1)
        {
            if ((mask & 1) != 0 && _times[board] > time)
            {
                (time, cause) = (_times[board], _causes[board]);
            }
        }

        return (time, (WarpStall)cause);
    }

    /// <summary>Adds what is outstanding to a state.</summary>
    public readonly void Describe(StateBuffer state, long now)
    {
        for (int i = 0; i < 6; i++)
        {
            state.AddTime(_times[i], now);
            state.Add(_times[i] > now ? _causes[i] : 0);
        }

        for (int i = 0; i < Kept; i++)
        {
            state.AddTime(_groups[(_closed + i) % Kept], now);
        }

        state.AddTime(_open, now);
        state.Add(_openCause);
        state.Add(Math.Min(_closed, Kept));
    }

    /// <summary>Moves all times by <paramref name="cycles"/>.</summary>
    public void Shift(long cycles)
    {
        _open += cycles;
        for (int i = 0; i < 6; i++)
        {
            _times[i] += cycles;
        }

        for (int i = 0; i < Kept; i++)
        {
            _groups[i] += cycles;
        }
    }

    [InlineArray(6)]
    private struct Six
    {
        private long _first;
    }

    [InlineArray(Kept)]
    private struct Eight
    {
        private long _first;
    }
}
