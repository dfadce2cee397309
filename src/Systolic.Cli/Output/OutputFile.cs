using System.Text;

namespace Systolic.Cli.Output;

/// <summary>A file that appears whole or not at all: written under a temporary name beside its place, and renamed at the end.</summary>
/// <remarks>Made before the simulation, so that a path that cannot be written is told at once. A device or pipe is written directly.</remarks>
internal sealed class OutputFile : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private readonly string _path;
    private readonly string? _temporary;
    private readonly FileStream _stream;
    private bool _done;

    private OutputFile(string path, string? temporary)
    {
        (_path, _temporary) = (path, temporary);
        _stream = new FileStream(temporary ?? path, temporary is null ? FileMode.Open : FileMode.CreateNew, FileAccess.Write);
    }

    /// <summary>Opens the place of a file.</summary>
    /// <param name="option">The option that named it, for messages.</param>
    /// <param name="path">The path as given.</param>
    /// <exception cref="UsageException">It cannot be written.</exception>
    public static OutputFile Open(string option, string path)
    {
        try
        {
            string full = Path.GetFullPath(path);
            if (Directory.Exists(full))
            {
                throw new UsageException($"{option}: found the folder {path}, expected the path of a file.");
            }

            string folder = Path.GetDirectoryName(full) ?? full;
            return Directory.Exists(folder)
                ? new OutputFile(full, IsDevice(full) ? null : Path.Combine(folder, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.tmp"))
                : throw new UsageException($"{option}: found no folder {folder}, expected one that exists; make it first.");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"{option}: found {path}, expected a path that can be written: {refused.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>Writes the file and puts it in its place.</summary>
    /// <exception cref="UsageException">It cannot be written, for instance because the disk is full.</exception>
    public void Write(Action<Stream> write)
    {
        try
        {
            write(_stream);
            _stream.Dispose();
            if (_temporary is not null)
            {
                File.Move(_temporary, _path, overwrite: true);
            }

            _done = true;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{_path} could not be written: {refused.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>Writes a text file, UTF-8 without a mark, and puts it in its place.</summary>
    /// <exception cref="UsageException">It cannot be written.</exception>
    public void WriteText(Action<TextWriter> write) => Write(stream =>
    {
        using var text = new StreamWriter(stream, Utf8, leaveOpen: true);
        write(text);
    });

    /// <summary>Removes what was not finished.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        if (!_done && _temporary is not null)
        {
            File.Delete(_temporary);
        }
    }

    private static bool IsDevice(string path) =>
        !OperatingSystem.IsWindows() && (path.StartsWith("/dev/", StringComparison.Ordinal) || path.StartsWith("/proc/", StringComparison.Ordinal));
}
