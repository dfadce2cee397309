namespace Systolic.Tests.Cli;

/// <summary>A folder that goes when the test ends.</summary>
internal sealed class ScratchFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("systolic-").FullName;

    /// <summary>The path of a file in the folder.</summary>
    public string this[string file] => Path.Combine(_path, file);

    /// <summary>Names of the files in the folder.</summary>
    public IEnumerable<string> Files => Directory.EnumerateFileSystemEntries(_path).Select(path => Path.GetFileName(path));

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
