using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Systolic.Onnx;

/// <summary>A message of onnx.proto, read field by field; fields that no workload needs are skipped without being kept.</summary>
/// <remarks>Field numbers: onnx.proto of ONNX 1.19 (github.com/onnx/onnx). They never change once given.</remarks>
internal abstract class OnnxMessage : IMessage
{
    /// <summary>No schema is kept.</summary>
    public MessageDescriptor Descriptor => throw new NotSupportedException("The message has no descriptor.");

    /// <inheritdoc/>
    public void MergeFrom(CodedInputStream input)
    {
        ArgumentNullException.ThrowIfNull(input);
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (!Read(input, WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag)))
            {
                input.SkipLastField();
            }
        }
    }

    /// <inheritdoc/>
    public void WriteTo(CodedOutputStream output) => throw new NotSupportedException("The message is read only.");

    /// <inheritdoc/>
    public int CalculateSize() => throw new NotSupportedException("The message is read only.");

    /// <summary>Reads one field; false when it is not wanted.</summary>
    protected abstract bool Read(CodedInputStream input, int field, WireFormat.WireType type);

    /// <summary>Reads a message inside this one into a list.</summary>
    protected static bool Add<T>(CodedInputStream input, List<T> list)
        where T : OnnxMessage, new()
    {
        list.Add(One<T>(input));
        return true;
    }

    /// <summary>Reads a message inside this one.</summary>
    protected static T One<T>(CodedInputStream input)
        where T : OnnxMessage, new()
    {
        var message = new T();
        input.ReadMessage(message);
        return message;
    }

    /// <summary>Reads a value of a repeated number, packed or alone.</summary>
    protected static bool Repeat<T>(CodedInputStream input, WireFormat.WireType type, List<T> values, Func<CodedInputStream, T> read)
    {
        if (type != WireFormat.WireType.LengthDelimited)
        {
            values.Add(read(input));
            return true;
        }

        using CodedInputStream packed = input.ReadBytes().CreateCodedInput();
        while (!packed.IsAtEnd)
        {
            values.Add(read(packed));
        }

        return true;
    }
}
