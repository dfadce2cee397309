using Systolic.Components;

namespace Systolic.Cli.Output;

/// <summary>The three report files of SCALE-Sim in one folder.</summary>
internal sealed class ScaleSimFiles : IDisposable
{
    private readonly List<OutputFile> _files = [];

    private ScaleSimFiles()
    {
    }

    /// <summary>Opens the files, in a folder that is made if missing.</summary>
    /// <exception cref="UsageException">The folder or a file cannot be written.</exception>
    public static ScaleSimFiles Open(string option, string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"{option}: found {folder}, expected a folder that can be made or written: {refused.Message.ReplaceLineEndings(" ")}");
        }

        var files = new ScaleSimFiles();
        try
        {
            foreach (string name in (ReadOnlySpan<string>)["COMPUTE_REPORT.csv", "BANDWIDTH_REPORT.csv", "DETAILED_ACCESS_REPORT.csv"])
            {
                files._files.Add(OutputFile.Open(option, Path.Combine(folder, name)));
            }

            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Writes the reports of all layers.</summary>
    public void Write(IReadOnlyCollection<ScaleSimReport> layers)
    {
        _files[0].WriteText(text => ScaleSimReportWriter.WriteCompute(text, layers));
        _files[1].WriteText(text => ScaleSimReportWriter.WriteBandwidth(text, layers));
        _files[2].WriteText(text => ScaleSimReportWriter.WriteDetailedAccess(text, layers));
    }

    /// <inheritdoc/>
    public void Dispose() => _files.ForEach(file => file.Dispose());
}
