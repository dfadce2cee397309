using System.Globalization;

namespace Systolic.Components;

/// <summary>A memory for an event-driven simulation: requests are offered in a tick, time is advanced, completions are taken in the order of their ticks.</summary>
internal sealed class DramController
{
    private readonly DramDevice _device;
    private readonly IDramChannel[] _channels;
    private readonly long[] _next;
    private long _now;

    public DramController(DramDevice device, DramFidelity fidelity = DramFidelity.Fast)
    {
        (_device, _channels) = (device, DramChannels.Create(device, fidelity));
        _next = [.. _channels.Select(channel => channel.NextTick(0))];
    }

    /// <summary>All ticks below this one are executed.</summary>
    public long Now => _now;

    /// <summary>Requests that were accepted and whose completion was not taken.</summary>
    public long Outstanding { get; private set; }

    /// <summary>What all controllers did before <see cref="Now"/>.</summary>
    public DramCounts Counts => _channels.Aggregate(default(DramCounts), (sum, channel) => sum + channel.Counts);

    /// <summary>What the controller of a channel did before <see cref="Now"/>.</summary>
    public DramCounts CountsOf(int channel) => _channels[channel].Counts;

    /// <summary>The next tick, at least <see cref="Now"/>, in which a queue may get room or a completion is signalled; advance to the tick after it.</summary>
    /// <exception cref="InvalidOperationException">Requests are outstanding and nothing will ever happen; the message names the oldest.</exception>
    public long NextEvent
    {
        get
        {
            long next = long.MaxValue;
            for (int i = 0; i < _channels.Length; i++)
            {
                next = Math.Min(next, Math.Min(_next[i], _channels[i].NextCompletion));
            }

            return next == long.MaxValue && Outstanding > 0 ? throw Stuck() : Math.Max(next, _now);
        }
    }

    /// <summary>Offers one burst.</summary>
    /// <param name="address">Of its first byte, a multiple of the burst size.</param>
    /// <param name="isWrite">A write.</param>
    /// <param name="tag">Comes back with the completion.</param>
    /// <param name="tick">Not before <see cref="Now"/>; time is advanced to it.</param>
    /// <returns>False when the queue of its channel is full: offer it again after <see cref="NextEvent"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The address is outside the memory, or the tick has passed.</exception>
    public bool TryEnqueue(long address, bool isWrite, long tag, long tick)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tick, _now);
        if (address % _device.Standard.Organization.BurstBytes != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(address), string.Create(CultureInfo.InvariantCulture,
                $"address: found {address}, expected a multiple of the burst of {_device.Standard.Organization.BurstBytes} bytes; split larger requests."));
        }

        ulong packed = _device.Mapping.Pack(address);
        AdvanceTo(tick);
        int channel = _device.Mapping.Channel(packed);
        if (!_channels[channel].TryEnqueue(address, _device.Mapping.Bank(packed), _device.Mapping.Row(packed), isWrite, tag, tick))
        {
            return false;
        }

        _next[channel] = _channels[channel].NextTick(tick);
        Outstanding++;
        return true;
    }

    /// <summary>Executes all ticks below <paramref name="tick"/>.</summary>
    public void AdvanceTo(long tick)
    {
        for (int i = 0; i < _channels.Length; i++)
        {
            while (_next[i] < tick)
            {
                _next[i] = _channels[i].Execute(_next[i]);
            }
        }

        _now = Math.Max(_now, tick);
    }

    /// <summary>Takes the next completion that was signalled before <see cref="Now"/>: in the order of ticks, of one tick in the order of channels.</summary>
    public bool TryTake(out DramCompletion completion)
    {
        IDramChannel first = _channels[0];
        foreach (IDramChannel channel in _channels)
        {
            first = channel.NextCompletion < first.NextCompletion ? channel : first;
        }

        bool taken = first.TryTake(_now, out completion);
        Outstanding -= taken ? 1 : 0;
        return taken;
    }

    private InvalidOperationException Stuck() => new(
        $"No request can be served any more. The oldest that waits: {_channels.Select(channel => channel.OldestWaiting).FirstOrDefault(text => text is not null)}.");
}
