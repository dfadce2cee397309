using System.Text;
using System.Text.Json;
using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Tests.Reporting;

public class WriterTests
{
    private static readonly Comparison Comparison = Comparison.Of(SyntheticRun.Report, SyntheticRun.Baseline);

    [Fact]
    public void Comparison_in_markdown_is_as_approved() => Approval.Verify("comparison.md", Comparison.ToMarkdown);

    [Fact]
    public void Report_in_markdown_is_as_approved() => Approval.Verify("report.md", () =>
    {
        using var text = new StringWriter();
        MarkdownReportWriter.Write(text, SyntheticRun.Report);
        return text.ToString();
    });

    [Fact]
    public void Comparison_in_json_is_as_approved() => Approval.Verify("comparison.json", () => Bytes(stream => JsonReportWriter.Write(stream, Comparison)));

    [Fact]
    public void Operators_in_csv_are_as_approved() => Approval.Verify("operators.csv", () =>
    {
        using var text = new StringWriter();
        CsvReportWriter.Write(text, SyntheticRun.Report, SyntheticRun.Baseline);
        return text.ToString().ReplaceLineEndings("\n");
    });

    [Fact]
    public void Trace_is_as_approved() => Approval.Verify("trace.json", () => Bytes(stream => PerfettoTraceWriter.Write(stream, [SyntheticRun.Report, SyntheticRun.Baseline])));

    [Fact]
    public void Json_cycle_stacks_sum_to_total_cycles()
    {
        using JsonDocument document = JsonDocument.Parse(Bytes(stream => JsonReportWriter.Write(stream, Comparison)));
        foreach (JsonElement machine in document.RootElement.GetProperty("machines").EnumerateArray())
        {
            Sum(machine.GetProperty("cycle_stack")).Should().Be(machine.GetProperty("total_cycles").GetInt64());
            foreach (JsonElement op in machine.GetProperty("operators").EnumerateArray())
            {
                Sum(op.GetProperty("cycle_stack")).Should().Be(op.GetProperty("cycles").GetInt64());
            }
        }
    }

    [Fact]
    public void Json_figure_without_a_finite_value_is_null()
    {
        OperatorRun resident = SyntheticRun.Trace.Operators[0] with { Counts = SyntheticRun.Counts((ActivityKind.MacBf16, 5_000_000)) };
        RunReport report = RunReport.From(SyntheticRun.Array, SyntheticRun.Trace with { Operators = [resident] }, "toy", "resident", 1);
        using JsonDocument document = JsonDocument.Parse(Bytes(stream => JsonReportWriter.Write(stream, report)));

        document.RootElement.GetProperty("machines")[0].GetProperty("flop_per_dram_byte").ValueKind.Should().Be(JsonValueKind.Null);
        document.RootElement.TryGetProperty("comparison", out _).Should().BeFalse();
    }

    [Fact]
    public void Csv_lines_end_as_the_rfc_asks_and_quotes_are_doubled()
    {
        using var text = new StringWriter();
        CsvReportWriter.Write(text, SyntheticRun.Report);
        string[] lines = text.ToString().Split("\r\n");

        // Header, three operators, and nothing after the last line end.
        lines.Should().HaveCount(5);
        lines[3].Should().Contain("\"layer/norm, \"\"rms\"\"\"").And.Contain("\"prefill 100 tokens, batch 1\"");
        lines[4].Should().BeEmpty();
    }

    [Fact]
    public void Trace_times_are_exact_and_the_spans_left_out_are_counted()
    {
        long leftOut = -1;
        string text = Bytes(stream => leftOut = PerfettoTraceWriter.Write(stream, [SyntheticRun.Report], limit: 1));
        using JsonDocument document = JsonDocument.Parse(text);
        JsonElement span = document.RootElement.GetProperty("traceEvents").EnumerateArray().Single(item => item.GetProperty("ph").GetString() == "X");

        // The earliest of three spans starts at 9,999,999,999 fs and lasts 1 fs.
        leftOut.Should().Be(2);
        document.RootElement.GetProperty("otherData").GetProperty("spansLeftOut").GetInt64().Should().Be(2);
        span.GetProperty("ts").GetRawText().Should().Be("9.999999999");
        span.GetProperty("dur").GetRawText().Should().Be("0.000000001");
    }

    [Fact]
    public void Overlapping_transfers_of_a_queue_go_to_separate_threads_of_its_name()
    {
        // Three transfers from 0, 5 and 12 us, of 10 us each: the second overlaps the first, the third follows it.
        RunTrace trace = SyntheticRun.Trace with
        {
            Spans = [.. new[] { 0, 5, 12 }.Select(start => new Span("queue", "load", SimTime.FromMicroseconds(start), SimTime.FromMicroseconds(10)))],
        };
        string text = Bytes(stream => PerfettoTraceWriter.Write(stream, [RunReport.From(SyntheticRun.Array, trace, "toy", "overlap", 1)]));
        using JsonDocument document = JsonDocument.Parse(text);
        JsonElement[] events = [.. document.RootElement.GetProperty("traceEvents").EnumerateArray()];
        int[] threads = [.. events.Where(item => item.GetProperty("ph").GetString() == "X").Select(item => item.GetProperty("tid").GetInt32())];

        threads[2].Should().Be(threads[0]);
        threads[1].Should().NotBe(threads[0]);
        events.Count(item => item.GetProperty("name").GetString() == "thread_name" && item.GetProperty("args").GetProperty("name").GetString() == "queue").Should().Be(2);
    }

    [Fact]
    public void Seconds_are_exact_to_the_femtosecond() =>
        FigureText.Seconds(new SimTime(9_000_000_000_000_000_001)).ToString(System.Globalization.CultureInfo.InvariantCulture).Should().Be("9000.000000000000001");

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.00001234, "1.23e-5")]
    [InlineData(0.01234, "0.0123")]
    [InlineData(1.234, "1.23")]
    [InlineData(12.34, "12.3")]
    [InlineData(12345.6, "12,346")]
    [InlineData(12345678, "12,345,678")]
    [InlineData(1234567890, "1.23e9")]
    public void Plain_numbers_keep_three_digits(double value, string text) => FigureText.Significant(value).Should().Be(text);

    private static long Sum(JsonElement stack) => stack.EnumerateObject().Sum(part => part.Value.GetInt64());

    private static string Bytes(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
