using Systolic.Units;

namespace Systolic.Tests.Units;

public class CsvTableTests
{
    private static string[][] Read(string text)
    {
        CsvTable table = CsvTable.Parse(text, "f.csv", ["a", "b"]);
        table.Finish();
        return [.. table.Rows.Select(row => new[] { row.Optional("a"), row.Optional("b") })];
    }

    private static string Problem(string text) =>
        FluentActions.Invoking(() => Read(text)).Should().Throw<InvalidDocumentException>().Which.Message;

    [Theory]
    [InlineData("a,b\n1,2\n3,4\n")]
    [InlineData("a,b\r\n1,2\r\n3,4")]
    [InlineData("\uFEFFa,b\n\"1\",\"2\"\n3,\"4\"\n")]
    public void Line_ends_quotes_and_a_byte_order_mark_change_nothing(string text) =>
        Read(text).Should().BeEquivalentTo([["1", "2"], new[] { "3", "4" }], options => options.WithStrictOrdering());

    [Fact]
    public void Quoted_fields_hold_commas_quotes_and_line_ends() =>
        Read("a,b\n\"x, \"\"y\"\"\",\"one\r\ntwo\"\n\"\",\"\"\"\"\n").Should().BeEquivalentTo(
            [["x, \"y\"", "one\r\ntwo"], new[] { "", "\"" }], options => options.WithStrictOrdering());

    [Fact]
    public void The_line_of_a_row_counts_line_ends_inside_fields()
    {
        CsvTable table = CsvTable.Parse("a,b\n\"1\n2\n3\",x\n4,y\n", "f.csv", ["a", "b"]);

        table.Rows.Select(row => row.Line).Should().Equal(2, 5); // the first row fills lines 2 to 4
    }

    [Theory]
    [InlineData("", "f.csv: line 1: found the header \"\", expected \"a,b\"")]
    [InlineData("b,a\n1,2\n", "f.csv: line 1: found the header \"b,a\", expected \"a,b\"")]
    [InlineData("a,b \n", "f.csv: line 1: found the header \"a,b \", expected \"a,b\"")]
    [InlineData("a,b\n\n1,2\n", "f.csv: line 2: found 1 fields, expected 2")]
    [InlineData("a,b\n1,2,3\n", "f.csv: line 2: found 3 fields, expected 2")]
    [InlineData("a,b\n1,x\"y\n", "f.csv: line 2: found a quote inside a field, *")]
    [InlineData("a,b\n1,\"x\"y\n", "f.csv: line 2: found a quote inside a field, *")]
    [InlineData("a,b\n1,\"x\n3,4\n", "f.csv: line 2: found a quote that is never closed, *")]
    [InlineData("a,b\n1,2\r3,4", "f.csv: line 2: found a carriage return on its own, *")]
    public void A_malformed_text_is_refused(string text, string message) => Problem(text).Should().Match(message);

    [Fact]
    public void Every_malformed_line_is_reported() =>
        Problem("a,b\n1\n2,\"x\"y\n3,4\n5\n").Split('\n').Select(line => line[..13]).Should().Equal("f.csv: line 2", "f.csv: line 3", "f.csv: line 5");

    [Fact]
    public void A_text_beyond_the_size_bound_is_refused() =>
        Problem(new string('x', CsvTable.MaximumLength + 1)).Should().Be("f.csv: found 4194305 characters, expected at most 4194304");

    [Fact]
    public void Beyond_a_hundred_problems_only_their_number_is_reported() =>
        Problem("a,b\n" + string.Concat(Enumerable.Repeat("x\n", 1000))).Split('\n').Should().HaveCount(101)
            .And.Subject.Last().Should().Be("and 900 more problems");
}
