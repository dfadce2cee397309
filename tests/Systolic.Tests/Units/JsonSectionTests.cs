using Systolic.Units;

namespace Systolic.Tests.Units;

public class JsonSectionTests
{
    private static string Refusal(Action read) => FluentActions.Invoking(read).Should().Throw<InvalidDocumentException>().Which.Message;

    [Fact]
    public void A_correct_file_is_read_key_by_key()
    {
        JsonSection root = JsonSection.Parse("""{ "name": "trn2", "rows": 128, "share": 0.5, "on": true, "sbuf": { "size": "192 KiB" }, "list": ["a", "b"], "parts": [{ "n": 1 }, { "n": 2 }] }""", "m.json");

        root.Text("name").Should().Be("trn2");
        root.Integer("rows", 1, 1024).Should().Be(128);
        root.Number("share", 0, 1).Should().Be(0.5);
        root.Boolean("on").Should().BeTrue();
        root.Section("sbuf").Quantity("size", Bytes.Parse).Should().Be(Bytes.FromKibibytes(192));
        root.Texts("list").Should().Equal("a", "b");
        root.Sections("parts").Select(part => part.Integer("n", 0, 9)).Should().Equal(1, 2);
        root.RefuseUnknownKeys();
        root.Finish();
    }

    [Fact]
    public void Missing_and_null_keys_take_the_fallback()
    {
        JsonSection root = JsonSection.Parse("""{ "rows": null }""", "m.json");

        root.Integer("rows", 1, 9, 7).Should().Be(7);
        root.Number("x", 0, 1, 0.25).Should().Be(0.25);
        root.Boolean("on", true).Should().BeTrue();
        root.Text("name", "none").Should().Be("none");
        root.Quantity("size", Bytes.Parse, new Bytes(5)).Should().Be(new Bytes(5));
        root.Texts("list").Should().BeEmpty();
        root.Sections("parts").Should().BeEmpty();
        root.RefuseUnknownKeys();
        root.Finish();
    }

    [Fact]
    public void Every_problem_is_reported_with_its_path()
    {
        JsonSection root = JsonSection.Parse("""
            { "rows": 0, "columns": 1.5, "share": 2, "on": "yes", "name": "", "sbuf": { "size": "192", "more": 1 }, "list": [1], "parts": [{ "n": -1 }, { "n": 1e400 }], "dma": [], "typo": 1 }
            """, "m.json");

        root.Integer("rows", 1, 1024);
        root.Integer("columns", 1, 1024);
        root.Number("share", 0, 1);
        root.Boolean("on");
        root.Text("name");
        root.Text("absent");
        JsonSection sbuf = root.Section("sbuf");
        sbuf.Quantity("size", Bytes.Parse);
        sbuf.RefuseUnknownKeys();
        root.Texts("list");
        foreach (JsonSection part in root.Sections("parts"))
        {
            part.Number("n", 0, 9);
        }

        root.Section("dma").Integer("queues", 1, 16); // inside a section that is not there: reported once, not for each key
        root.Section("hbm");
        root.RefuseUnknownKeys();

        Refusal(root.Finish).Split('\n').Should().Equal(
            "m.json: rows: found 0, expected a whole number from 1 to 1024",
            "m.json: columns: found 1.5, expected a whole number from 1 to 1024",
            "m.json: share: found 2, expected a number from 0 to 1",
            "m.json: on: found \"yes\", expected true or false",
            "m.json: name: found \"\", expected a text",
            "m.json: absent: found nothing, expected a text",
            "m.json: sbuf.size: found \"192\", expected a size with a unit, such as \"192 TB\"",
            "m.json: sbuf.more: found an unknown key, expected one of: size",
            "m.json: list: found [1], expected a list of texts",
            "m.json: parts[0].n: found -1, expected a number from 0 to 9",
            "m.json: parts[1].n: found 1e400, expected a number from 0 to 9",
            "m.json: dma: found [], expected an object",
            "m.json: hbm: found nothing, expected an object",
            "m.json: typo: found an unknown key, expected one of: absent, columns, dma, hbm, list, name, on, parts, rows, sbuf, share");
    }

    [Fact]
    public void Malformed_JSON_is_refused_with_its_line() =>
        Refusal(() => JsonSection.Parse("{\n  \"a\": 1,\n  \"b\": 1.5x\n}", "m.json")).Should().Be("m.json: line 3, position 11: malformed JSON: 'x' is an invalid end of a number. Expected 'E' or 'e'.");

    [Fact]
    public void A_duplicate_key_is_refused_by_name() =>
        Refusal(() => JsonSection.Parse("""{ "a.b": 1, "c": { "d": 1 }, "a.b": 2 }""", "m.json")).Should().Be("m.json: malformed JSON: Duplicate property 'a.b' encountered during deserialization.");

    [Theory]
    [InlineData("[1, 2]", "m.json: found [1, 2], expected a JSON object")]
    [InlineData("null", "m.json: found null, expected a JSON object")]
    [InlineData("", "m.json: line 1, position 1: malformed JSON: *")]
    [InlineData("{} {}", "m.json: line 1, position 4: malformed JSON: *")]
    [InlineData("{ /* why */ }", "m.json: line 1, position 3: malformed JSON: *")]
    [InlineData("{ \"a\": 1, }", "m.json: line 1, position 11: malformed JSON: *")]
    public void A_text_that_is_no_single_object_is_refused(string text, string message) =>
        Refusal(() => JsonSection.Parse(text, "m.json")).Should().Match(message);

    [Fact]
    public void Nesting_is_bounded()
    {
        JsonSection.Parse("{ \"a\": " + new string('[', 31) + new string(']', 31) + " }", "m.json").Keys.Should().Equal("a"); // depth 32

        Refusal(() => JsonSection.Parse("{ \"a\": " + new string('[', 32) + new string(']', 32) + " }", "m.json")).Should().Contain("depth");
    }

    [Fact]
    public void Size_is_bounded() =>
        Refusal(() => JsonSection.Parse(new string(' ', JsonSection.MaximumLength + 1), "m.json")).Should().Be("m.json: found 4194305 characters, expected at most 4194304");

    [Fact]
    public void A_long_value_is_cut_in_the_message()
    {
        JsonSection root = JsonSection.Parse("{ \"a\": \"" + new string('x', 1000) + "\" }", "m.json");
        root.Integer("a", 0, 1);

        Refusal(root.Finish).Length.Should().BeLessThan(150);
    }

    [Fact]
    public void Lists_are_read_whole_and_missing_ones_are_empty()
    {
        JsonSection root = JsonSection.Parse("""{ "n": [-2, 0, 9], "none": null, "s": [1, "a", true, false], "one": "x" }""", "m.json");

        root.Integers("n", -2, 9).Should().Equal(-2, 0, 9);
        root.Integers("none", -2, 9).Should().BeEmpty();
        root.Scalars("s").Select(scalar => scalar.ToString()).Should().Equal("1", "a", "True", "False");
        root.Scalars("one").Select(scalar => scalar.GetString()).Should().Equal("x");
        root.Scalars("absent").Should().BeEmpty();
        root.HasOptional("absent").Should().BeFalse();
        root.RefuseUnknownKeys(); // each was asked for
        root.Finish();
    }

    [Theory]
    [InlineData("3", "3")]
    [InlineData("[0, \"1\"]", "[0, \"1\"]")]
    [InlineData("[0, 1.5]", "[0, 1.5]")]
    [InlineData("[0, -3]", "[0, -3]")]
    [InlineData("[0, 10]", "[0, 10]")]
    public void A_list_with_anything_but_whole_numbers_within_bounds_is_refused(string json, string found)
    {
        JsonSection root = JsonSection.Parse($"{{ \"n\": {json} }}", "m.json");

        root.Integers("n", -2, 9).Should().BeEmpty();
        Refusal(root.Finish).Should().Be($"m.json: n: found {found}, expected a list of whole numbers from -2 to 9");
    }

    [Theory]
    [InlineData("[1, {}]")]
    [InlineData("[1, []]")]
    [InlineData("{}")]
    public void A_list_with_lists_or_objects_is_no_list_of_scalars(string json)
    {
        JsonSection root = JsonSection.Parse($"{{ \"s\": {json} }}", "m.json");

        root.Scalars("s").Should().BeEmpty();
        Refusal(root.Finish).Should().Be($"m.json: s: found {json}, expected numbers, texts, true or false");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[{}, 1]")]
    public void A_list_with_anything_but_objects_is_refused(string json)
    {
        JsonSection root = JsonSection.Parse($"{{ \"parts\": {json} }}", "m.json");

        root.Sections("parts").Should().BeEmpty();
        Refusal(root.Finish).Should().Be($"m.json: parts: found {json}, expected a list of objects");
    }

    [Fact]
    public void Bounds_belong_to_what_is_accepted()
    {
        JsonSection root = JsonSection.Parse("""{ "least": 1, "most": 9, "low": 0.5, "high": 1.5, "no": false }""", "m.json");

        (root.Integer("least", 1, 9), root.Integer("most", 1, 9), root.Number("low", 0.5, 1.5), root.Number("high", 0.5, 1.5)).Should().Be((1, 9, 0.5, 1.5));
        root.Boolean("no", true).Should().BeFalse();
        root.Boolean("absent", false).Should().BeFalse();
        root.Finish();
    }

    [Fact]
    public void What_is_missing_or_beyond_64_bits_is_named_and_read_as_nothing()
    {
        JsonSection root = JsonSection.Parse("""{ "size": "1e30 TB", "texts": [1, "a"], "text": 3 }""", "m.json");

        root.Integer("rows", 3, 9).Should().Be(3);
        root.Boolean("on").Should().BeFalse();
        root.Text("text").Should().Be("");
        root.Quantity("size", Bytes.Parse).Should().Be(Bytes.Zero);
        root.Quantity("other", Bytes.Parse).Should().Be(Bytes.Zero);
        root.Texts("texts").Should().BeEmpty();
        root.Problem("", "found this, expected that");

        Refusal(root.Finish).Split('\n').Should().Equal(
            "m.json: rows: found nothing, expected a whole number from 3 to 9",
            "m.json: on: found nothing, expected true or false",
            "m.json: text: found 3, expected a text",
            "m.json: size: found \"1e30 TB\", expected a quantity that fits 64 bits",
            "m.json: other: found nothing, expected a text with a unit",
            "m.json: texts: found [1, \"a\"], expected a list of texts",
            "m.json: (root): found this, expected that");
    }

    [Theory]
    [InlineData(58, false)] // sixty characters with its quotes
    [InlineData(59, true)]
    public void A_value_of_more_than_sixty_characters_is_cut(int length, bool cut)
    {
        JsonSection root = JsonSection.Parse($"{{ \"a\": \"{new string('x', length)}\" }}", "m.json");
        root.Integer("a", 0, 1);

        Refusal(root.Finish).Should().Be($"m.json: a: found {(cut ? "\"" + new string('x', 56) + "..." : "\"" + new string('x', 58) + "\"")}, expected a whole number from 0 to 1");
    }

    [Fact]
    public void A_problem_of_an_object_inside_another_is_at_its_path()
    {
        JsonSection root = JsonSection.Parse("""{ "a": { "b": { "c": 1 } } }""", "m.json");
        root.Section("a").Section("b").Problem("", "found it");
        root.Section("a").Section("b").Problem("c", "found it");

        Refusal(root.Finish).Should().Be("m.json: a.b: found it\nm.json: a.b.c: found it");
    }

    [Fact]
    public void A_text_of_the_largest_size_is_read()
    {
        JsonSection.Parse("{}" + new string(' ', JsonSection.MaximumLength - 2), "m.json").Keys.Should().BeEmpty();
        Refusal(() => CsvTable.Parse(new string('x', CsvTable.MaximumLength), "f.csv", ["a"])).Should().StartWith("f.csv: line 1: found the header ");
    }
}
