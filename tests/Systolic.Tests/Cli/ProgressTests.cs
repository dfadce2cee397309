using Systolic.Cli.Output;
using Systolic.Machines;

namespace Systolic.Tests.Cli;

public class ProgressTests
{
    [Fact]
    public void Plain_progress_is_at_most_one_line_in_two_seconds()
    {
        var clock = new ManualTime();
        using var text = new StringWriter();
        var progress = new PlainProgress(text, "trn2", clock);
        foreach (int done in (int[])[1, 2, 3, 4])
        {
            clock.Seconds += 1;
            progress.Report(new RunProgress(done, 10, "layer/q_proj"));
        }

        // Reports at 1, 2, 3 and 4 s; the pause is over at 2 s and again at 4 s.
        text.ToString().Split(Environment.NewLine).Should().Equal("trn2: 2 of 10 operators, at layer/q_proj", "trn2: 4 of 10 operators, at layer/q_proj", "");
    }

    private sealed class ManualTime : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
