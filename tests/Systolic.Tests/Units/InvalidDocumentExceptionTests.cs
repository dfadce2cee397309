using Systolic.Units;

namespace Systolic.Tests.Units;

public sealed class InvalidDocumentExceptionTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(100, 0)]
    [InlineData(101, 1)]
    [InlineData(250, 150)]
    public void A_hundred_problems_are_listed_and_the_others_counted(int count, int more)
    {
        string[] problems = [.. Enumerable.Range(1, count).Select(i => $"problem {i}")];

        new InvalidDocumentException(problems).Message.Split('\n').Should().Equal(more == 0 ? problems : [.. problems.Take(100), $"and {more} more problems"]);
    }

    [Fact]
    public void One_problem_keeps_its_cause()
    {
        var cause = new FormatException();

        new InvalidDocumentException("f: found x", cause).Should().BeEquivalentTo(new { Message = "f: found x", InnerException = cause });
        new InvalidDocumentException("f: found x").Message.Should().Be("f: found x");
    }
}
