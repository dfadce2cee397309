using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>Reads StableHLO modules in their text form, as JAX and other frameworks print them, as workloads.</summary>
/// <remarks>
/// The function "main" is read, or the first public one, with the functions that it calls. Shapes are those of the module's types. Arguments that are matrices on the right of a product, vectors, or tables of a gather
/// are taken as weights, the others as inputs. Recognition and costs are those of every imported model (docs/import.md).
/// </remarks>
public static class StableHloReader
{
    /// <summary>The workload of a module in a file.</summary>
    /// <param name="file">Path of the text; its name without extension becomes the model's.</param>
    /// <param name="options">The defaults when null.</param>
    /// <exception cref="InvalidDocumentException">The file cannot be read, is no module, or has operators that are not built; lists them.</exception>
    public static OperatorGraph Load(string file, ImportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        return Read(DocumentText.Read(file), file, options);
    }

    /// <summary>The workload of a module.</summary>
    /// <param name="text">The module.</param>
    /// <param name="file">The file's name, for messages and the model's name.</param>
    /// <param name="options">The defaults when null.</param>
    /// <exception cref="InvalidDocumentException">It is no module, or has operators that are not built; lists them.</exception>
    public static OperatorGraph Read(string text, string file, ImportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(file);
        try
        {
            var module = StableHloModule.Parse(text, file);
            return ImportLowering.Lower(new StableHloTranslation(module, file, options ?? ImportOptions.Default).Run(), Path.GetFileNameWithoutExtension(file));
        }
        catch (OverflowException overflow)
        {
            throw new InvalidDocumentException($"{file}: found sizes that exceed 64 bits, expected a workload that can be counted", overflow);
        }
    }
}
