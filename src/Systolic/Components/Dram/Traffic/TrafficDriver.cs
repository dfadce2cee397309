using System.Globalization;

namespace Systolic.Components;

/// <summary>Offers requests to channels that share one line: what is refused blocks what is behind.</summary>
internal sealed class TrafficDriver
{
    private const int OffersPerChannel = 4;
    private const int Batch = 4096;
    private const long Patience = 1_000_000;

    private readonly IDramChannel[] _channels;
    private readonly RequestSource _source;
    private readonly DramDevice _device;
    private readonly DramInjection _injection;
    private readonly LatencyHistogram _latencies;
    private readonly long[] _next;
    private readonly long _window;

    // Without a window nobody waits for a completion, so that it may be taken before its tick, and many at once.
    private readonly bool _eager;
    private StreamCycle? _cycle;
    private bool _hasRequest;
    private long _sent;
    private long _completed;
    private long _tick;
    private long _lastProgress;

    public TrafficDriver(IDramChannel[] channels, RequestSource source, DramDevice device, DramInjection injection, LatencyHistogram latencies)
    {
        (_channels, _source, _device, _injection, _latencies) = (channels, source, device, injection, latencies);
        _next = [.. channels.Select(channel => channel.NextTick(0))];
        (_window, _eager) = (injection.Window ?? long.MaxValue, injection.Window is not null);
    }

    /// <summary>Ticks until the last completion.</summary>
    public long Ticks { get; private set; }

    /// <summary>Ticks until the last acceptance.</summary>
    public long AcceptTicks { get; private set; }

    /// <summary>Requests that were not offered one by one, for the stream repeats itself (<see cref="StreamCycle"/>).</summary>
    public long Skipped { get; private set; }

    /// <summary>Offers everything and waits for its completion.</summary>
    public void Run(CancellationToken cancellation)
    {
        _hasRequest = _source.MoveNext();
        _cycle = _eager || _injection.RatePercent is not null || !_hasRequest ? null : StreamCycle.For(_channels, _source, _latencies);
        if (_channels.Length == 1 && !_eager && _injection.RatePercent is null)
        {
            RunStream(_channels[0], cancellation);
        }

        while (_completed < _source.Count)
        {
            if (_hasRequest && _cycle?.IsDue(_sent) == true)
            {
                LookForCycle(_cycle);
            }

            bool refused = Offer();
            bool executed = Execute();
            if (_eager || _sent == _source.Count || _sent - _completed >= Batch)
            {
                Collect();
            }

            _tick = NextTick(refused, executed);
            if (_tick - _lastProgress > Patience)
            {
                CheckProgress(cancellation);
            }
        }
    }

    /// <summary>Offers nearly all as <see cref="Run"/> does, for one channel that takes whatever it can; the rest is left to the general loop.</summary>
    private void RunStream(IDramChannel channel, CancellationToken cancellation)
    {
        RequestSource source = _source;
        (long tick, long next, long sent) = (_tick, _next[0], _sent);
        long batch = _completed + Batch;
        while (_hasRequest && tick - _lastProgress <= Patience)
        {
            if (_cycle?.IsDue(sent) == true)
            {
                (_tick, _next[0], _sent) = (tick, next, sent);
                LookForCycle(_cycle);
                (tick, next, sent) = (_tick, _next[0], _sent);
                batch = _completed + Batch;
            }

            int left = OffersPerChannel;
            while (left > 0 && channel.TryEnqueue(source.Address, source.Bank, source.Row, source.IsWrite, source.Index, tick))
            {
                sent++;
                left--;
                if (!(_hasRequest = source.MoveNext()))
                {
                    break;
                }
            }

            next = left < OffersPerChannel ? channel.NextTick(tick) : next;
            bool executed = next == tick;
            next = executed ? channel.Execute(tick) : next;
            (AcceptTicks, _lastProgress) = left < OffersPerChannel ? (tick + 1, tick) : (AcceptTicks, _lastProgress);
            tick = left == 0 || executed ? tick + 1 : next;
            if (sent >= batch)
            {
                cancellation.ThrowIfCancellationRequested();
                Collect();
                batch = _completed + Batch;
            }
        }

        (_tick, _next[0], _sent) = (tick, next, sent);
        Collect();
    }

    private void LookForCycle(StreamCycle cycle)
    {
        Collect();
        DramShift? found = cycle.Look(_tick, [.. _next, Ticks, AcceptTicks, _lastProgress]);
        _cycle = found is not null || cycle.IsExhausted ? null : cycle;
        if (found is not { } shift)
        {
            return;
        }

        (Ticks, AcceptTicks, _lastProgress, _tick) = (shift.Of(Ticks), shift.Of(AcceptTicks), shift.Of(_lastProgress), shift.Of(_tick));
        shift.Apply(_next);
        Skipped += shift.Requests;
        _sent += shift.Requests;
        _completed += shift.Requests;
    }

    /// <summary>Executes what remains before a tick.</summary>
    public void AdvanceTo(long end)
    {
        for (int i = 0; i < _channels.Length; i++)
        {
            while (_next[i] < end)
            {
                _next[i] = _channels[i].Execute(_next[i]);
            }
        }
    }

    /// <returns>A request was refused.</returns>
    private bool Offer()
    {
        int left = OffersPerChannel * _channels.Length;
        while (_hasRequest && left > 0 && _sent - _completed < _window && MayOffer())
        {
            int channel = _channels.Length == 1 ? 0 : _source.Channel;
            if (!_channels[channel].TryEnqueue(_source.Address, _source.Bank, _source.Row, _source.IsWrite, _source.Index, _tick))
            {
                return true;
            }

            _next[channel] = _channels[channel].NextTick(_tick);
            AcceptTicks = _tick + 1;
            _lastProgress = _tick;
            _sent++;
            left--;
            _hasRequest = _source.MoveNext();
        }

        return false;
    }

    private bool MayOffer() => _injection.RatePercent is null || _tick >= _injection.FirstTick(_source.Index, _device);

    /// <returns>Something happened.</returns>
    private bool Execute()
    {
        bool executed = false;
        for (int i = 0; i < _channels.Length; i++)
        {
            if (_next[i] != _tick)
            {
                continue;
            }

            _next[i] = _channels[i].Execute(_tick);
            executed = true;
        }

        return executed;
    }

    private void Collect()
    {
        long end = _eager ? _tick + 1 : long.MaxValue;
        foreach (IDramChannel channel in _channels)
        {
            while (channel.TryTake(end, out DramCompletion completion))
            {
                _completed++;
                _lastProgress = Math.Max(_lastProgress, _tick);
                Ticks = Math.Max(Ticks, completion.Tick + 1);
                if (!completion.IsWrite)
                {
                    _latencies.Add(completion.Latency);
                }
            }
        }
    }

    private long NextTick(bool refused, bool executed)
    {
        long next = long.MaxValue;
        if (_hasRequest && _sent - _completed < _window)
        {
            next = !refused || executed ? Math.Max(_tick + 1, _injection.FirstTick(_source.Index, _device)) : next;
        }

        for (int i = 0; i < _channels.Length; i++)
        {
            next = Math.Min(next, _next[i]);
            if (_eager)
            {
                next = Math.Min(next, Math.Max(_tick + 1, _channels[i].NextCompletion));
            }
        }

        return next == long.MaxValue && _completed < _source.Count ? throw Stuck() : next;
    }

    private void CheckProgress(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (_sent > _completed && _channels.Any(channel => channel.OldestWaiting is not null))
        {
            throw Stuck();
        }

        _lastProgress = _tick;
    }

    private InvalidOperationException Stuck() => new(string.Create(CultureInfo.InvariantCulture,
        $"No request was served for {Patience} ticks up to tick {_tick}. The oldest that waits: {_channels.Select(channel => channel.OldestWaiting).FirstOrDefault(text => text is not null)}. Check the timing table and the policy."));
}
