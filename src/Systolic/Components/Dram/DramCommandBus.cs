namespace Systolic.Components;

/// <summary>How commands reach a device.</summary>
/// <param name="Split">Row and column commands have a bus each; otherwise one bus takes one command a tick.</param>
/// <param name="ActivateTicks">Ticks of an activate.</param>
/// <param name="ColumnTicks">Ticks of a read or write.</param>
/// <param name="HalfClock">A tick is half a clock: all but precharges start on a rising edge, an odd tick counted from 1.</param>
/// <param name="TwoPhase">Rules of a standard with a two-part activate and a data clock to be started; none otherwise.</param>
public sealed record DramCommandBus(bool Split, int ActivateTicks = 1, int ColumnTicks = 1, bool HalfClock = false, DramTwoPhase? TwoPhase = null)
{
    /// <summary>Ticks of a command.</summary>
    internal int TicksOf(DramCommand command) => command switch
    {
        DramCommand.Activate => ActivateTicks,
        DramCommand.Read or DramCommand.Write => ColumnTicks,
        _ => 1,
    };
}

/// <summary>LPDDR5: an activate is two commands, and a read or write after a pause is preceded by a synchronisation of the data clock (JESD209-5).</summary>
/// <param name="LatestSecondHalf">The second half follows the first within so many ticks (tAAD).</param>
/// <param name="ClockPostamble">The data clock runs on after a burst (tWCKPST).</param>
public sealed record DramTwoPhase(int LatestSecondHalf, int ClockPostamble);
