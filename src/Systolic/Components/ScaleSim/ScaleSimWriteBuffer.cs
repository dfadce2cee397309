namespace Systolic.Components;

/// <summary>The ofmap SRAM: words are packed into rows of the bandwidth's width, and half of the SRAM drains once more than half is in use.</summary>
/// <remarks>Reproduced as they are: a drain credits its words at once, and the nulls of every row but the last it drains count as words.</remarks>
internal sealed class ScaleSimWriteBuffer
{
    private readonly ScaleSimWave _outputs;
    private readonly long _width;
    private readonly long _drainRows;
    private readonly long _threshold;
    private readonly Queue<(long Rows, long Filled)> _packed = new();
    private long _headTaken;
    private long _fullRows;
    private long _open;
    private long _free;
    private long _end;
    private long _done;

    /// <summary>An empty SRAM.</summary>
    public ScaleSimWriteBuffer(ScratchpadSpec sram, ScaleSimWave outputs)
    {
        (_outputs, _width, _free) = (outputs, sram.Width!.Value.Value, sram.Capacity.Value);
        (_threshold, _drainRows) = (_free - sram.BankSize.Value, ScaleSimCeiling.Of(sram.BankSize.Value, _width));
    }

    /// <summary>Words written to DRAM.</summary>
    public long Writes { get; private set; }

    /// <summary>Cycle of the first write; meaningful after <see cref="Finish"/>.</summary>
    public long FirstCycle { get; private set; } = long.MaxValue;

    /// <summary>Cycle of the last write.</summary>
    public long LastCycle { get; private set; } = long.MinValue;

    /// <summary>The next cycle, stalls not counted, in which a word may stall or start a drain.</summary>
    /// <param name="cycle">The cycle up to which words have been taken.</param>
    /// <param name="stall">Stalls so far.</param>
    public long NextEvent(long cycle, long stall)
    {
        long ending = _end - stall;
        if (cycle < ending)
        {
            long full = _outputs.CycleOf(_done + Math.Max(1, _free) - 1);
            if (full < ending)
            {
                return full;
            }
        }

        return Math.Max(ending, _outputs.CycleOf(_done + WordsToDrain - 1));
    }

    /// <summary>Takes the words of all cycles before one, none of which stalls or starts a drain.</summary>
    public void Advance(long cycle) => Take(_outputs.Until(cycle) - _done);

    /// <summary>Takes the words of one cycle.</summary>
    /// <param name="cycle">The cycle, stalls not counted.</param>
    /// <param name="now">The cycle, stalls counted.</param>
    /// <returns>The stall.</returns>
    public long Serve(long cycle, long now)
    {
        long arrival = now;
        for (long left = _outputs.At(cycle); left > 0;)
        {
            bool draining = now < _end;
            long toEvent = draining ? Math.Max(1, _free) : WordsToDrain;
            Take(Math.Min(left, toEvent));
            if (toEvent <= left)
            {
                now = draining ? _end : StartDrain(now);
            }

            left -= toEvent;
        }

        return now - arrival;
    }

    /// <summary>Drains what is left, batch after batch.</summary>
    public void Finish(long now)
    {
        CloseRow();
        while (_packed.Count > 0)
        {
            now = Drain(now) + 1;
        }
    }

    private long WordsToDrain => Math.Max(1, _free - _threshold + 1);

    private void Take(long words)
    {
        (long rows, _open) = Math.DivRem(_open + words, _width);
        _fullRows += rows;
        _free -= words;
        _done += words;
    }

    private long StartDrain(long now)
    {
        CloseRow();
        _end = Drain(now);
        return now;
    }

    private void CloseRow()
    {
        Enqueue(_fullRows, _width);
        Enqueue(_open > 0 ? 1 : 0, _open);
        (_fullRows, _open) = (0, 0);
    }

    private void Enqueue(long rows, long filled)
    {
        if (rows > 0)
        {
            _packed.Enqueue((rows, filled));
        }
    }

    // The cycle of the last row.
    private long Drain(long now)
    {
        (long rows, long lastFilled) = (0, _width);
        while (rows < _drainRows && _packed.TryPeek(out (long Rows, long Filled) head))
        {
            long taken = Math.Min(head.Rows - _headTaken, _drainRows - rows);
            (rows, lastFilled, _headTaken) = (rows + taken, head.Filled, _headTaken + taken);
            if (_headTaken == head.Rows)
            {
                _packed.Dequeue();
                _headTaken = 0;
            }
        }

        long words = (rows * _width) - (_width - lastFilled);
        (Writes, _free) = (Writes + words, _free + words);
        FirstCycle = Math.Min(FirstCycle, now);
        LastCycle = Math.Max(LastCycle, now + rows - 1);
        return now + rows - 1;
    }
}
