using Google.Protobuf;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Onnx;

/// <summary>Reads ONNX models (onnx.ai) of transformers as workloads.</summary>
/// <remarks>
/// Shapes are inferred from the inputs. Sizes of initializers count as weights; their values are skipped, in the file or beside it. Attention, normalization, GELU, SiLU, softmax and rotary positions are recognized
/// where the model spells them out; layers that repeat become one section. Computing on integers, truth values and constants costs nothing. The rules are in docs/import.md.
/// </remarks>
public static class OnnxReader
{
    /// <summary>The workload of a model in a file.</summary>
    /// <param name="file">Path of the .onnx file; its name without extension becomes the model's.</param>
    /// <param name="options">Values of symbolic dimensions; the defaults when null.</param>
    /// <exception cref="InvalidDocumentException">The file cannot be read, is no ONNX model, has unbound dimensions or operators that are not built; lists them.</exception>
    public static OperatorGraph Load(string file, ImportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        try
        {
            using FileStream stream = File.OpenRead(file);
            return Read(stream, file, options);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDocumentException($"{file}: found a file that cannot be read: {refused.Message}", refused);
        }
    }

    /// <summary>The workload of a model.</summary>
    /// <param name="stream">The model's bytes.</param>
    /// <param name="file">The file's name, for messages and the model's name.</param>
    /// <param name="options">Values of symbolic dimensions; the defaults when null.</param>
    /// <exception cref="InvalidDocumentException">It is no ONNX model, has unbound dimensions or operators that are not built; lists them.</exception>
    public static OperatorGraph Read(Stream stream, string file, ImportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(file);
        options ??= ImportOptions.Default;
        try
        {
            var model = new OnnxModel();
            using var input = new CodedInputStream(stream, leaveOpen: true);
            input.ReadRawMessage(model);
            OnnxGraph graph = model.Graph ?? throw new InvalidDocumentException($"{file}: graph: found nothing, expected an ONNX model");
            return ImportLowering.Lower(new OnnxTranslation(graph, file, options).Run(), Path.GetFileNameWithoutExtension(file));
        }
        catch (Exception malformed) when (malformed is InvalidProtocolBufferException or EndOfStreamException)
        {
            throw new InvalidDocumentException($"{file}: found bytes that are no ONNX model: {malformed.Message}", malformed);
        }
        catch (OverflowException overflow)
        {
            throw new InvalidDocumentException($"{file}: found sizes that exceed 64 bits, expected a workload that can be counted; reduce its dimensions", overflow);
        }
    }
}
