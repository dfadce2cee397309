using System.Text;
using Systolic.Cli.Rendering;
using Systolic.Exploration;

namespace Systolic.Cli.Output;

/// <summary>The folder of a sweep: a copy of its file, the journals of its shards, and, when all points are there, the results.</summary>
internal sealed class SweepFiles
{
    private const string SweepFile = "sweep.json";
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private readonly string _folder;

    private SweepFiles(string folder) => _folder = folder;

    /// <summary>The journals that are there, in the order of their names.</summary>
    public IReadOnlyList<string> Journals => [.. Directory.EnumerateFiles(_folder, "journal*.jsonl").Order(StringComparer.Ordinal)];

    /// <summary>The sweep file's copy.</summary>
    public string Sweep => Path.Combine(_folder, SweepFile);

    /// <summary>The place of a result.</summary>
    public string this[string name] => Path.Combine(_folder, name);

    /// <summary>Where a shard keeps its finished points.</summary>
    public string Journal(SweepShard shard) => this[shard.Count == 1 ? "journal.jsonl" : FormattableString.Invariant($"journal-{shard.Index}-of-{shard.Count}.jsonl")];

    /// <summary>Makes the folder and copies the sweep's file into it.</summary>
    /// <exception cref="UsageException">It cannot be written, or holds another sweep.</exception>
    public static SweepFiles Create(string folder, string sweep)
    {
        var files = new SweepFiles(folder);
        try
        {
            Directory.CreateDirectory(folder);
            string text = File.ReadAllText(sweep);
            if (!File.Exists(files.Sweep))
            {
                using OutputFile copy = OutputFile.Open("--out", files.Sweep);
                copy.WriteText(writer => writer.Write(text));
            }
            else if (File.ReadAllText(files.Sweep) != text)
            {
                throw new UsageException($"--out: found another sweep in {folder} ({SweepFile} is not {sweep}), expected a folder of its own; give another one, or delete this one.");
            }

            return files;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"--out: found {folder}, expected a folder that can be made or written: {refused.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>A folder that a sweep has written to.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static SweepFiles Open(string folder)
    {
        var files = new SweepFiles(folder);
        return File.Exists(files.Sweep) && files.Journals.Count > 0 ? files
            : throw new UsageException($"DIR: found no {SweepFile} and journal in {folder}, expected the --out folder of a sweep.");
    }

    /// <summary>Writes the rows as CSV, JSON lines and Parquet, each file in one step.</summary>
    public async Task WriteTablesAsync(SweepResult result)
    {
        WriteText("results.csv", text => SweepWriter.WriteCsv(text, result));
        Write("results.jsonl", stream => SweepWriter.WriteJsonLines(stream, result));
        using var parquet = new MemoryStream();
        await SweepParquet.WriteAsync(parquet, result);
        Write("results.parquet", parquet.WriteTo);
    }

    /// <summary>Writes tables, report and pictures.</summary>
    public async Task WriteAsync(Sweep sweep, SweepResult result)
    {
        await WriteTablesAsync(result);
        WriteText("report.html", text => SweepHtml.Write(text, sweep, result));
        if (result.Front.Rows.Length > 0)
        {
            (byte[] svg, byte[] png) = FrontPicture.Draw(result);
            Write("front.svg", stream => stream.Write(svg));
            Write("front.png", stream => stream.Write(png));
        }
    }

    private void WriteText(string name, Action<TextWriter> write) => Write(name, stream =>
    {
        using var text = new StreamWriter(stream, Utf8, leaveOpen: true);
        write(text);
    });

    private void Write(string name, Action<Stream> write)
    {
        using OutputFile file = OutputFile.Open("--out", this[name]);
        file.Write(write);
    }
}
