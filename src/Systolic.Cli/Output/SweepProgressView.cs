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
            return Task.Run(() => run(new Shown(progress => (bar.MaxValue, bar.Value, bar.Description) = (progress.Total, progress.Done, Text(progress)), beside)), cancellation);
        })
        : Task.Run(() => run(Lines(terminal.Error, beside)), cancellation);

    private static Shown Lines(TextWriter messages, Action<SweepProgress>? beside)
    {
        TimeSpan last = TimeSpan.Zero;
        return new(
            progress =>
            {
                if (progress.Elapsed - last >= Pause)
                {
                    last = progress.Elapsed;
                    messages.WriteLine(Text(progress));
                }
            },
            beside);
    }

    private static string Text(SweepProgress progress) => FormattableString.Invariant(
        $"{progress.Done} of {progress.Total} points{(progress.Remaining is { } left ? $", {left.TotalSeconds:F0} s left" : "")}");

    private sealed class Shown(Action<SweepProgress> show, Action<SweepProgress>? beside) : IProgress<SweepProgress>
    {
        public void Report(SweepProgress value)
        {
            show(value);
            beside?.Invoke(value);
        }
    }
}
