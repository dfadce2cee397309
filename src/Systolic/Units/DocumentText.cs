using System.Text;

namespace Systolic.Units;

/// <summary>Reads texts from outside, never more than a bound.</summary>
internal static class DocumentText
{
    /// <summary>The text of <paramref name="file"/>.</summary>
    /// <exception cref="InvalidDocumentException">It cannot be read, or is longer than any real configuration.</exception>
    public static string Read(string file)
    {
        try
        {
            using FileStream stream = File.OpenRead(file);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            char[] text = new char[stream.CanSeek ? (int)Math.Min(stream.Length + 1, JsonSection.MaximumLength + 1) : JsonSection.MaximumLength + 1];
            int length = reader.ReadBlock(text);
            return length <= JsonSection.MaximumLength
                ? new string(text, 0, length)
                : throw new InvalidDocumentException($"{file}: found more than {JsonSection.MaximumLength} characters, expected a configuration");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDocumentException($"{file}: found a file that cannot be read: {refused.Message}", refused);
        }
    }

    /// <summary>The text embedded in the package as <paramref name="resource"/>.</summary>
    public static string ReadEmbedded(string resource)
    {
        using Stream stream = typeof(DocumentText).Assembly.GetManifestResourceStream(resource)
            ?? throw new ArgumentException($"Found no resource \"{resource}\" in the package.", nameof(resource));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
