using System.Diagnostics;
using Systolic.Exploration;

namespace Systolic.Cli.Output;

/// <summary>Keeps the tables of a running sweep up to date, beside its simulations.</summary>
/// <param name="files">Where they are.</param>
/// <param name="period">From one snapshot to the next; more where writing takes more than a twentieth of it.</param>
internal sealed class SweepSnapshots(SweepFiles files, TimeSpan period)
{
    private const int LeastShare = 20;
    private Task<TimeSpan> _writing = Task.FromResult(TimeSpan.Zero);
    private TimeSpan _last;

    /// <summary>Writes what was found so far, when it is time and the snapshot before is written. One that cannot be written ends them: the results at the end say why.</summary>
    public void Take(SweepProgress progress)
    {
        if (_writing.IsCompletedSuccessfully && progress.Elapsed - _last >= TimeSpan.FromTicks(Math.Max(period.Ticks, LeastShare * _writing.Result.Ticks)))
        {
            _last = progress.Elapsed;
            SweepResult rows = progress.ResultSoFar();
            _writing = Task.Run(() => WriteAsync(rows));
        }
    }

    /// <summary>Waits for a snapshot that is being written.</summary>
    public async Task FinishAsync() => await ((Task)_writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task<TimeSpan> WriteAsync(SweepResult rows)
    {
        long start = Stopwatch.GetTimestamp();
        await files.WriteTablesAsync(rows);
        return Stopwatch.GetElapsedTime(start);
    }
}
