using System.CommandLine;
using System.Text;
using Systolic.Reporting;

namespace Systolic.Cli.Output;

/// <summary>The options that name files to write.</summary>
/// <param name="trace">There is a timeline to write.</param>
internal sealed class OutputOptions(bool trace = true)
{
    private readonly Option<string?> _json = File("--json", "Write everything as JSON.");
    private readonly Option<string?> _csv = File("--csv", "Write a line per operator or change as CSV.");
    private readonly Option<string?> _markdown = File("--markdown", "Write the report as Markdown.");
    private readonly Option<string?> _trace = File("--trace", "Write a timeline that ui.perfetto.dev opens.");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_json);
        command.Add(_csv);
        command.Add(_markdown);
        if (trace)
        {
            command.Add(_trace);
        }
    }

    /// <summary>Opens the files that were asked for.</summary>
    /// <exception cref="UsageException">A path cannot be written, or is given twice.</exception>
    public OutputFiles Open(ParseResult parsed)
    {
        Option<string?>[] given = [.. ((Option<string?>[])[_json, _csv, _markdown, _trace]).Where(option => parsed.GetValue(option) is not null)];
        if (given.GroupBy(option => Path.GetFullPath(parsed.GetValue(option)!)).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new UsageException($"{string.Join(" and ", twice.Select(option => option.Name))} name the same file, {twice.Key}; give each its own.");
        }

        var files = new OutputFiles();
        try
        {
            files.Json = Open(parsed, _json);
            files.Csv = Open(parsed, _csv);
            files.Markdown = Open(parsed, _markdown);
            files.Trace = Open(parsed, _trace);
            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    private static OutputFile? Open(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) is { } path ? OutputFile.Open(option.Name, path) : null;

    private static Option<string?> File(string name, string description) => new(name) { Description = description, HelpName = "FILE" };
}

/// <summary>The files that a command was asked to write.</summary>
internal sealed class OutputFiles : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Everything.</summary>
    public OutputFile? Json { get; set; }

    /// <summary>Operators.</summary>
    public OutputFile? Csv { get; set; }

    /// <summary>The report to read.</summary>
    public OutputFile? Markdown { get; set; }

    /// <summary>The timeline.</summary>
    public OutputFile? Trace { get; set; }

    /// <summary>Writes the files of one run.</summary>
    public void Write(RunReport report, TextWriter messages)
    {
        if (Json is not null || Markdown is not null)
        {
            WriteExplained(Explanation.Of(report));
        }

        WriteCommon([report], messages);
    }

    /// <summary>Writes the files of one run and its explanation.</summary>
    public void Write(Explanation explanation, TextWriter messages)
    {
        WriteExplained(explanation);
        WriteCommon([explanation.Report], messages);
    }

    /// <summary>Writes the files of a comparison.</summary>
    public void Write(Comparison comparison, TextWriter messages)
    {
        Json?.Write(stream => JsonReportWriter.Write(stream, comparison));
        Markdown?.Write(stream => WriteText(stream, text => WriteMarkdown(text, comparison)));
        WriteCommon([comparison.Report, comparison.Baseline], messages);
    }

    /// <summary>Writes the files of what changed between two runs.</summary>
    public void Write(RunDiff diff)
    {
        Json?.Write(stream => RunDiffWriter.WriteJson(stream, diff));
        Csv?.Write(stream => WriteText(stream, text => RunDiffWriter.WriteCsv(text, diff)));
        Markdown?.Write(stream => WriteText(stream, text => RunDiffWriter.WriteMarkdown(text, diff)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Json?.Dispose();
        Csv?.Dispose();
        Markdown?.Dispose();
        Trace?.Dispose();
    }

    private void WriteExplained(Explanation explanation)
    {
        Json?.Write(stream => JsonReportWriter.Write(stream, explanation));
        Markdown?.Write(stream => WriteText(stream, text => MarkdownReportWriter.Write(text, explanation)));
    }

    private void WriteCommon(RunReport[] reports, TextWriter messages)
    {
        Csv?.Write(stream => WriteText(stream, text => CsvReportWriter.Write(text, reports)));
        Trace?.Write(stream =>
        {
            long leftOut = PerfettoTraceWriter.Write(stream, reports);
            if (leftOut > 0)
            {
                messages.WriteLine(FormattableString.Invariant($"The trace leaves out {leftOut:N0} later spans; of each machine the first {PerfettoTraceWriter.DefaultLimit:N0} are written."));
            }
        });
    }

    private static void WriteMarkdown(TextWriter text, Comparison comparison)
    {
        text.Write(comparison.ToMarkdown());
        text.Write("\n");
        MarkdownReportWriter.Write(text, comparison.Report);
        text.Write("\n");
        MarkdownReportWriter.Write(text, comparison.Baseline);
    }

    private static void WriteText(Stream stream, Action<TextWriter> write)
    {
        using var text = new StreamWriter(stream, Utf8, leaveOpen: true);
        write(text);
    }
}
