using System.CommandLine;
using Systolic.Machines;

namespace Systolic.Cli.Output;

/// <summary>The option that names a file of mappings of products: read where it exists, and written with all that were chosen.</summary>
internal sealed class MappingsOption : Option<string?>
{
    public MappingsOption()
        : base("--mappings")
    {
        Description = "How products are cut: pinned by the file where it exists; all choices are written to it.";
        HelpName = "FILE";
    }

    /// <summary>Reads the file that was named.</summary>
    /// <exception cref="UsageException">It cannot be written.</exception>
    /// <exception cref="Units.InvalidDocumentException">It exists and holds no mappings.</exception>
    public MappingsFile Open(ParseResult parsed)
    {
        if (parsed.GetValue(this) is not { } path)
        {
            return new MappingsFile(null, null);
        }

        MatMulMappings mappings = File.Exists(path) ? MatMulMappings.Load(path) : new MatMulMappings();
        return new MappingsFile(mappings, OutputFile.Open(Name, path));
    }
}

/// <summary>Mappings for a run, and where they go.</summary>
internal sealed class MappingsFile(MatMulMappings? mappings, OutputFile? file) : IDisposable
{
    /// <summary>Those that the run uses; null when no file was named.</summary>
    public MatMulMappings? Mappings => mappings;

    /// <summary>Writes those pinned and chosen.</summary>
    public void Write() => file?.WriteText(text => text.Write(mappings!.ToJson()));

    /// <inheritdoc/>
    public void Dispose() => file?.Dispose();
}
