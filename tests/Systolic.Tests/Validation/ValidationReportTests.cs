using System.Text;
using System.Text.Json;
using Systolic.Validation;

namespace Systolic.Tests.Validation;

public class ValidationReportTests
{
    [Theory]
    [InlineData(100, 100, 0)]
    [InlineData(100, 130, 30)]
    [InlineData(100, 70, -30)]
    [InlineData(-50, -40, 20)]
    [InlineData(0, 0, 0)]
    [InlineData(0, 7, 100)]
    [InlineData(0, -7, -100)]
    public void Errors_are_in_percent_of_the_size_of_the_figure(double expected, double predicted, double error) =>
        new ValidationRow("g", "1", "c", expected, predicted).ErrorPercent.Should().Be(error);

    [Fact]
    public void Statistics_of_a_group()
    {
        ValidationGroup group = Report().Groups[0];

        // Errors 0, +10, -20, +50.
        group.Should().Be(new ValidationGroup("a/x", 4, 1, 20, 15, 50, 10));
    }

    [Fact]
    public void Median_of_an_odd_number_is_the_middle_one() =>
        Of(Row("a", 100, 101), Row("a", 100, 105), Row("a", 100, 90)).Groups.Single().MedianPercent.Should().Be(5);

    [Fact]
    public void Groups_and_reasons_are_sorted_and_counted()
    {
        Report().Groups.Select(group => group.Name).Should().Equal("a/x", "b");
        Report().Skipped.Should().Equal(new ValidationSkip("no model", 2), new ValidationSkip("too big", 1));
    }

    [Fact]
    public void Json_has_suite_groups_and_skipped()
    {
        using var stream = new MemoryStream();
        ValidationWriter.WriteJson(stream, Report());
        using JsonDocument json = JsonDocument.Parse(stream.ToArray());

        json.RootElement.EnumerateObject().Select(property => property.Name).Should().Equal("suite", "groups", "skipped");
        json.RootElement.GetProperty("groups")[0].EnumerateObject().Select(property => property.Name + "=" + property.Value).Should().Equal(
            "name=a/x", "n=4", "exact=1", "mape_pct=20", "median_pct=15", "max_pct=50", "bias_pct=10");
        json.RootElement.GetProperty("skipped")[1].EnumerateObject().Select(property => property.Name + "=" + property.Value).Should().Equal("reason=too big", "n=1");
        Encoding.UTF8.GetString(stream.ToArray()).Should().EndWith("}\n");
    }

    [Fact]
    public void Rows_are_a_line_each()
    {
        using var text = new StringWriter();
        ValidationWriter.WriteRows(text, Of(new ValidationRow("a", "x,1", "cycles", 8, 10), new ValidationRow("a", "y", "share", 0.5, 0.5)));

        text.ToString().Should().Be("id,column,expected,predicted,error_pct\r\n\"x,1\",cycles,8,10,25\r\ny,share,0.5,0.5,0\r\n");
    }

    [Fact]
    public void An_unknown_suite_is_refused()
    {
        Action run = () => ValidationSuites.Run("nosuch", "a.csv", TestContext.Current.CancellationToken);

        run.Should().Throw<ArgumentException>().WithMessage("Found the suite \"nosuch\", expected one of: scalesim*");
    }

    private static ValidationRow Row(string group, double expected, double predicted) => new(group, "1", "c", expected, predicted);

    private static ValidationReport Report()
    {
        var tally = new ValidationTally();
        tally.Add(Row("b", 1, 1));
        foreach (double predicted in (double[])[100, 110, 80, 150])
        {
            tally.Add(Row("a/x", 100, predicted));
        }

        tally.Skip("too big");
        tally.Skip("no model");
        tally.Skip("no model");
        return tally.Result("suite");
    }

    private static ValidationReport Of(params ValidationRow[] rows)
    {
        var tally = new ValidationTally();
        Array.ForEach(rows, tally.Add);
        return tally.Result("suite");
    }
}
