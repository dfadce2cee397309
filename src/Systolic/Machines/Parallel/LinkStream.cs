using Systolic.Units;

namespace Systolic.Machines;

/// <summary>Exchanges that run on the links while the chip computes: each starts when its data are there and the one before it is through.</summary>
internal sealed class LinkStream
{
    private SimTime _free;

    /// <summary>When the chip is done computing.</summary>
    public SimTime Computed { get; private set; }

    /// <summary>All exchanges, one after the other.</summary>
    public SimTime Busy { get; private set; }

    /// <summary>What is left of them when the chip is done.</summary>
    public SimTime Exposed => SimTime.Max(SimTime.Zero, _free - Computed);

    /// <summary>A stretch of computing whose result is then exchanged.</summary>
    public void Add(SimTime compute, SimTime exchange, long repeat)
    {
        // Of equal stretches the link starts each after the later of its data and the one before.
        SimTime first = Computed + compute;
        Computed += compute * repeat;
        Busy += exchange * repeat;
        _free = exchange * repeat == SimTime.Zero ? _free : SimTime.Max(SimTime.Max(_free, first) + (exchange * repeat), Computed + exchange);
    }
}
