using Systolic.Machines;

namespace Systolic.Cli.Output;

/// <summary>Progress as plain lines, at most one in two seconds, for logs and pipes.</summary>
internal sealed class PlainProgress(TextWriter messages, string machine, TimeProvider time) : IProgress<RunProgress>
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private long _last = time.GetTimestamp();

    /// <inheritdoc/>
    public void Report(RunProgress value)
    {
        if (time.GetElapsedTime(_last) >= Pause)
        {
            _last = time.GetTimestamp();
            messages.WriteLine(FormattableString.Invariant($"{machine}: {value.Done} of {value.Total} operators, at {value.Current}"));
        }
    }
}
