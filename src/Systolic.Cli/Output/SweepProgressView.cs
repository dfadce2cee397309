using Spectre.Console;
using Systolic.Exploration;

namespace Systolic.Cli.Output;

/// <summary>How far a sweep is: a bar on a terminal, else a line every two seconds at most.</summary>
internal static class SweepProgressView
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Runs a sweep in the background and shows its progress, which <paramref name="beside"/> is told too.</summary>
    public static Task<SweepResult> RunAsync(Terminal terminal, Func<IProgress<SweepProgress>, SweepResult> run, Action<SweepProgress>? beside, CancellationToken cancellation) => terminal.ErrorIsTerminal
        ? terminal.Messages.Progress().AutoClear(true).StartAsync(context =>
        {
            ProgressTask bar = context.AddTask("points");
            Action<SweepProgress> show = progress => (bar.MaxValue, bar.Value, bar.Description) = (progress.Total, progress.Done, Text(progress));
            return Task.Run(() => run(new Shown(show + beside)), cancellation);
        })
        : Task.Run(() => run(new Shown(Lines(terminal.Error) + beside)), cancellation);

    private static Action<SweepProgress> Lines(TextWriter messages)
    {
        TimeSpan last = TimeSpan.Zero;
        return progress =>
        {
            if (progress.Elapsed - last >= Pause)
            {
                last = progress.Elapsed;
                messages.WriteLine(Text(progress));
            }
        };
    }

    private static string Text(SweepProgress progress) => FormattableString.Invariant(
        $"{progress.Done} of {progress.Total} points{(progress.Remaining is { } left ? $", {left.TotalSeconds:F0} s left" : "")}");

    private sealed class Shown(Action<SweepProgress> show) : IProgress<SweepProgress>
    {
        public void Report(SweepProgress value) => show(value);
    }
}
