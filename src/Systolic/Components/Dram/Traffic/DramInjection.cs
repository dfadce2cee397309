using System.Globalization;

namespace Systolic.Components;

/// <summary>How requests are offered to a memory, up to four per channel and tick, in the order of the stream.</summary>
public sealed record DramInjection
{
    /// <summary>As many as are accepted; the first refused one blocks the rest of the tick.</summary>
    public static DramInjection Greedy { get; } = new() { Name = "greedy" };

    /// <summary>Every channel is offered its own part of the stream; none blocks another.</summary>
    public static DramInjection PerChannel { get; } = new() { Name = "perchan" };

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>So many accepted requests may be incomplete; null for any number.</summary>
    public int? Window { get; private init; }

    /// <summary>Requests come at this share of the peak, in percent; null as fast as accepted.</summary>
    public double? RatePercent { get; private init; }

    /// <summary>Reads "greedy", "perchan", "windowN" or "rateN".</summary>
    /// <exception cref="ArgumentException">It is none of these.</exception>
    public static DramInjection Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text == Greedy.Name || text == PerChannel.Name)
        {
            return text == Greedy.Name ? Greedy : PerChannel;
        }

        if (Number(text, "window") is >= 1 and <= int.MaxValue and double window)
        {
            return new DramInjection { Name = text, Window = (int)window };
        }

        return Number(text, "rate") is > 0 and <= 1000 and double rate
            ? new DramInjection { Name = text, RatePercent = rate }
            : throw new ArgumentException($"injection: found \"{text}\", expected greedy, perchan, windowN with N from 1, or rateN with N percent of the peak.");
    }

    /// <summary>The first tick in which a request may be offered.</summary>
    internal long FirstTick(long request, DramDevice device)
    {
        if (RatePercent is not { } rate)
        {
            return 0;
        }

        double ticksPerBurst = device.Standard.Timing.Burst / (double)(device.Standard.Organization.PseudoChannels * device.Channels);
        return (long)Math.Ceiling(request * (ticksPerBurst / (rate / 100)) - 1e-9);
    }

    private static double? Number(string text, string word) =>
        text.StartsWith(word, StringComparison.Ordinal) && double.TryParse(text.AsSpan(word.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            ? number
            : null;
}
