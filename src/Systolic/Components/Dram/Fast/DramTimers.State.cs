namespace Systolic.Components;

/// <summary>The timers as a state.</summary>
internal sealed partial class DramTimers
{
    private long[][] Times =>
    [
        _busRead, _busWrite, _busActivate, _busPrecharge, _busPrechargeAll, _busRefreshAll, _busRefreshBank, _dieRead, _dieWrite,
        _groupRead, _groupWrite, _groupActivate, _bankRead, _bankWrite, _bankActivate, _bankPrecharge, _bankRefresh,
    ];

    /// <summary>See <see cref="IRepeatingChannel.Describe"/>.</summary>
    public void Describe(DramState state)
    {
        foreach (long[] times in Times)
        {
            foreach (long time in times)
            {
                state.AddReady(time);
            }
        }

        for (int i = 0; i < _activates.Length; i++)
        {
            int bus = i / Window;
            state.AddReady(_activates[bus * Window + (_activateAt[bus] + i) % Window] + _window);
        }

        state.AddReady(_rowCommand);
        state.AddReady(_columnCommand);
    }

    /// <summary>See <see cref="IRepeatingChannel.Skip"/>.</summary>
    public void Skip(DramShift shift)
    {
        foreach (long[] times in Times)
        {
            shift.Apply(times);
        }

        shift.Apply(_activates);
        (_rowCommand, _columnCommand) = (shift.Of(_rowCommand), shift.Of(_columnCommand));
    }
}
