namespace Systolic.Components;

/// <summary>Runs a stream of requests through a memory.</summary>
public static class DramTraffic
{
    private const double P99 = 0.99;

    /// <summary>Offers the stream and waits for its last completion.</summary>
    /// <param name="device">The memory.</param>
    /// <param name="pattern">The stream, cut after <paramref name="requests"/> bursts; a probe has its own length.</param>
    /// <param name="requests">Bursts.</param>
    /// <param name="injection">How they are offered.</param>
    /// <param name="fidelity">Both give the same report.</param>
    /// <param name="cancellation">Stops the run.</param>
    /// <exception cref="ArgumentOutOfRangeException">The stream leaves the memory, or there is no request.</exception>
    /// <exception cref="InvalidOperationException">Requests wait and none is served; the message names the oldest.</exception>
    public static DramTrafficReport Run(
        DramDevice device, DramPattern pattern, long requests, DramInjection injection, DramFidelity fidelity = DramFidelity.Fast, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(injection);
        ArgumentOutOfRangeException.ThrowIfLessThan(requests, 1);
        long count = Math.Min(requests, pattern.Requests ?? requests);
        IDramChannel[] channels = DramChannels.Create(device, fidelity);
        var latencies = new LatencyHistogram();
        var source = new RequestSource(device, pattern, count);
        TrafficDriver[] drivers = injection == DramInjection.PerChannel
            ? [.. source.Split(device.Channels).Select((part, i) => new TrafficDriver([channels[i]], part, device, injection, latencies))]
            : [new TrafficDriver(channels, source, device, injection, latencies)];
        foreach (TrafficDriver driver in drivers)
        {
            driver.Run(cancellation);
        }

        long ticks = drivers.Max(driver => driver.Ticks);
        foreach (TrafficDriver driver in drivers)
        {
            driver.AdvanceTo(ticks);
        }

        return new DramTrafficReport
        {
            Device = device,
            Pattern = pattern.Name,
            Injection = injection.Name,
            Requests = count,
            AcceptTicks = drivers.Max(driver => driver.AcceptTicks),
            Ticks = ticks,
            Channels = [.. channels.Select(channel => channel.Counts)],
            MeanReadLatency = latencies.Mean,
            P99ReadLatency = latencies.Quantile(P99),
            MaximumReadLatency = latencies.Maximum,
        };
    }
}
