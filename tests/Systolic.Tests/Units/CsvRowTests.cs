using Systolic.Units;

namespace Systolic.Tests.Units;

public sealed class CsvRowTests
{
    private static (T Value, string[] Problems) Read<T>(string field, Func<CsvRow, T> read)
    {
        CsvTable table = CsvTable.Parse($"a,b\n1,2\n,{field}\n", "f.csv", ["a", "b"]);
        T value = read(table.Rows[1]);
        try
        {
            table.Finish();
            return (value, []);
        }
        catch (InvalidDocumentException refused)
        {
            return (value, refused.Message.Split('\n'));
        }
    }

    [Theory]
    [InlineData("-3", -3)]
    [InlineData("+4", 4)]
    [InlineData("7", 7)]
    public void A_whole_number_is_read_up_to_both_bounds(string field, long number)
    {
        (long value, string[] problems) = Read(field, row => row.Integer("b", -3, 7));

        value.Should().Be(number);
        problems.Should().BeEmpty();
    }

    [Theory]
    [InlineData("-4")]
    [InlineData("8")]
    [InlineData("1.0")]
    [InlineData("1e0")]
    [InlineData(" 1")]
    [InlineData("")]
    [InlineData("99999999999999999999")]
    public void Any_other_field_is_no_such_whole_number(string field)
    {
        (long value, string[] problems) = Read(field, row => row.Integer("b", -3, 7));

        value.Should().Be(-3);
        problems.Should().Equal($"f.csv: line 3, column b: found \"{field}\", expected a whole number from -3 to 7");
    }

    [Theory]
    [InlineData("-0.5", -0.5)]
    [InlineData("+.25", 0.25)]
    [InlineData("1e0", 1)]
    public void A_number_is_read_up_to_both_bounds(string field, double number)
    {
        (double value, string[] problems) = Read(field, row => row.Number("b", -0.5, 1));

        value.Should().Be(number);
        problems.Should().BeEmpty();
    }

    [Theory]
    [InlineData("-0.6")]
    [InlineData("1.1")]
    [InlineData("0.5 ")]
    [InlineData("NaN")]
    [InlineData("")]
    public void Any_other_field_is_no_such_number(string field)
    {
        (double value, string[] problems) = Read(field, row => row.Number("b", -0.5, 1));

        value.Should().Be(double.NaN);
        problems.Should().Equal($"f.csv: line 3, column b: found \"{field}\", expected a number from -0.5 to 1");
    }

    [Fact]
    public void A_choice_is_the_index_of_its_exact_name()
    {
        Read("yes", row => row.Choice("b", ["yes", "no"])).Value.Should().Be(0);
        Read("no", row => row.Choice("b", ["yes", "no"])).Value.Should().Be(1);

        (int index, string[] problems) = Read("No", row => row.Choice("b", ["yes", "no"]));

        index.Should().Be(-1);
        problems.Should().Equal("f.csv: line 3, column b: found \"No\", expected one of: yes, no");
    }

    [Fact]
    public void A_text_may_be_empty_only_where_it_is_optional()
    {
        Read("x", row => row.Text("b")).Should().BeEquivalentTo(("x", Array.Empty<string>()));
        Read("x", row => row.Optional("a")).Should().BeEquivalentTo(("", Array.Empty<string>()));
        Read("x", row => row.Text("a")).Problems.Should().Equal("f.csv: line 3, column a: found \"\", expected a text");
    }
}
