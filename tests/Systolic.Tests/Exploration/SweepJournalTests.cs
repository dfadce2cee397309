using Systolic.Exploration;
using Systolic.Tests.Cli;
using Systolic.Units;

namespace Systolic.Tests.Exploration;

public class SweepJournalTests
{
    private static readonly PointOutcome Run = new(null, [1.0 / 3, double.NaN, .. new double[SweepFigures.All.Length - 2]], [.. new long[SweepFigures.StackNames.Length]]);

    [Fact]
    public void What_was_kept_is_read_back_exactly()
    {
        using var folder = new ScratchFolder();
        Write(folder["journal"], 3);

        IReadOnlyDictionary<long, PointOutcome> kept = SweepJournal.Load(folder["journal"], SmallSpaces.ClockAndSbuf);

        kept.Keys.Should().Equal(0, 1, 2);
        kept[1].Reason.Should().Be("does not fit \"SBUF\"");
        kept[2].Figures.Should().Equal(Run.Figures);
        kept[2].Stack.Should().Equal(Run.Stack);
    }

    [Fact]
    public void Wherever_the_last_line_is_torn_the_lines_before_it_are_kept()
    {
        using var folder = new ScratchFolder();
        Write(folder["journal"], 3);
        byte[] whole = File.ReadAllBytes(folder["journal"]);
        int last = Array.LastIndexOf(whole, (byte)'\n', whole.Length - 2) + 1;
        for (int length = last; length < whole.Length; length += 7)
        {
            File.WriteAllBytes(folder["journal"], whole[..length]);
            using (SweepJournal journal = SweepJournal.Open(folder["journal"], SmallSpaces.ClockAndSbuf))
            {
                journal.Outcomes.Keys.Should().Equal(0, 1);
                journal.Add(2, Run);
            }

            File.ReadAllBytes(folder["journal"]).Should().Equal(whole);
        }
    }

    [Fact]
    public void A_torn_first_line_begins_a_new_journal()
    {
        using var folder = new ScratchFolder();
        File.WriteAllText(folder["journal"], "{\"sweep\":\"12");

        using SweepJournal journal = SweepJournal.Open(folder["journal"], SmallSpaces.ClockAndSbuf);

        journal.Outcomes.Should().BeEmpty();
    }

    [Fact]
    public void A_damaged_line_is_refused_with_its_number()
    {
        using var folder = new ScratchFolder();
        Write(folder["journal"], 3);
        File.WriteAllText(folder["journal"], File.ReadAllText(folder["journal"]).Replace("0.3333", "0.3334", StringComparison.Ordinal));

        Action load = () => SweepJournal.Load(folder["journal"], SmallSpaces.ClockAndSbuf);

        load.Should().Throw<InvalidDocumentException>().WithMessage("*line 2: found a damaged line*");
    }

    [Fact]
    public void The_journal_of_another_sweep_is_refused()
    {
        using var folder = new ScratchFolder();
        Write(folder["journal"], 1);
        Action open = () => SweepJournal.Open(folder["journal"], SmallSpaces.Wide);

        open.Should().Throw<InvalidDocumentException>().WithMessage("*found the journal of another sweep*");
    }

    [Fact]
    public void Only_one_may_write()
    {
        using var folder = new ScratchFolder();
        using SweepJournal first = SweepJournal.Open(folder["journal"], SmallSpaces.ClockAndSbuf);
        Action second = () => SweepJournal.Open(folder["journal"], SmallSpaces.ClockAndSbuf);

        second.Should().Throw<InvalidDocumentException>().WithMessage("*perhaps because another process runs this sweep*");
    }

    private static void Write(string path, int points)
    {
        using SweepJournal journal = SweepJournal.Open(path, SmallSpaces.ClockAndSbuf);
        for (int point = 0; point < points; point++)
        {
            journal.Add(point, point == 1 ? PointOutcome.None("does not fit \"SBUF\"") : Run);
        }
    }
}
