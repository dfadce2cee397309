namespace Systolic.Components;

/// <summary>The SRAM of an operand in USER mode: half of it a window on the DRAM stream, moved on a miss only.</summary>
/// <remarks>
/// Reproduced as they are: a step takes lines + 1 cycles from the end of the one before, whether or not there was room; a positive wait is added twice, a
/// negative one once; a miss may send the window all the way round. DRAM reads count whole lines, nulls included.
/// </remarks>
internal sealed class ScaleSimReadBuffer
{
    private readonly ScaleSimOperand _operand;
    private readonly ScaleSimPixels? _pixels;
    private readonly ScaleSimWindow _window;
    private readonly long _bandwidth;
    private readonly long _lines;
    private readonly long _end;
    private long _last = -1;

    /// <summary>The SRAM before cycle 0, its working half filled.</summary>
    public ScaleSimReadBuffer(ScratchpadSpec sram, ScaleSimOperand operand, ScaleSimPixels? pixels, long cycles)
    {
        (_operand, _pixels, _bandwidth, _end) = (operand, pixels, sram.Width!.Value.Value, cycles);
        long size = sram.Capacity.Value, working = sram.BankSize.Value;
        _lines = ScaleSimCeiling.Of(size - working, _bandwidth);
        _window = new ScaleSimWindow(ScaleSimGranules.Of(ScaleSimCeiling.Of(size, 100), operand, pixels), working, size - working);
        long initial = Math.Min(ScaleSimCeiling.Of(working, _bandwidth), ScaleSimCeiling.Of(operand.PaddedWords, _bandwidth));
        (FirstCycle, Reads) = (-initial, initial * _bandwidth);
    }

    /// <summary>Words read from DRAM.</summary>
    public long Reads { get; private set; }

    /// <summary>Cycle of the first read.</summary>
    public long FirstCycle { get; }

    /// <summary>Cycle of the last read.</summary>
    public long LastCycle { get; private set; } = -1;

    /// <summary>The next cycle, stalls not counted, in which the window may miss.</summary>
    public long NextMiss(long cycle) => _window.IsWhole ? _end : _operand.NextOutside(cycle, _window);

    /// <summary>Serves the requests of a cycle.</summary>
    /// <param name="cycle">The cycle, stalls not counted.</param>
    /// <param name="now">The cycle, stalls counted.</param>
    /// <returns>The stall, which may be negative.</returns>
    public long Serve(long cycle, long now)
    {
        ScaleSimRequests requests = _operand.At(cycle);
        return (_pixels is null ? ServeKeys(requests, now) : ServePixels(requests, now)) - 1;
    }

    private long ServeKeys(ScaleSimRequests requests, long now)
    {
        long offset = 1;
        for (long key = requests.Low; key < requests.End;)
        {
            if (_window.StretchOf(key) is { } stretch)
            {
                key = stretch.End;
            }
            else
            {
                offset = Step(now, offset);
            }
        }

        return offset;
    }

    // A pixel is held where any of its entries is.
    private long ServePixels(ScaleSimRequests requests, long now)
    {
        long offset = 1;
        for (long lane = 0; lane < requests.Count; lane++)
        {
            (long along, long across) = (requests.Along + (lane * requests.Step), requests.Across + lane);
            while (!_window.Holds(requests.Low + lane) && _pixels!.Address(along, across) >= 0 && !_pixels.AnyHeld(along, across, _operand, _window))
            {
                offset = Step(now, offset);
            }
        }

        return offset;
    }

    private long Step(long now, long offset)
    {
        _window.Step();
        _last += _lines + 1;
        Reads += _lines * _bandwidth;
        LastCycle = _last;
        long wait = _last - (now + offset);
        return offset + (wait > 0 ? 2 * wait : wait);
    }
}
