using Google.Protobuf;
using Type = Google.Protobuf.WireFormat.WireType;

namespace Systolic.Onnx;

/// <summary>ModelProto.</summary>
internal sealed class OnnxModel : OnnxMessage
{
    public OnnxGraph? Graph { get; private set; }

    /// <inheritdoc/>
    protected override bool Read(CodedInputStream input, int field, Type type) => field == 7 && (Graph = One<OnnxGraph>(input)) is not null;
}

/// <summary>GraphProto.</summary>
internal sealed class OnnxGraph : OnnxMessage
{
    public List<OnnxNode> Nodes { get; } = [];

    public List<OnnxTensor> Initializers { get; } = [];

    public List<OnnxValue> Inputs { get; } = [];

    public List<OnnxValue> Outputs { get; } = [];

    /// <inheritdoc/>
    protected override bool Read(CodedInputStream input, int field, Type type) => field switch
    {
        1 => Add(input, Nodes),
        5 => Add(input, Initializers),
        11 => Add(input, Inputs),
        12 => Add(input, Outputs),
        _ => false,
    };
}

/// <summary>NodeProto.</summary>
internal sealed class OnnxNode : OnnxMessage
{
    public List<string> Inputs { get; } = [];

    public List<string> Outputs { get; } = [];

    public string Operation { get; private set; } = "";

    public List<OnnxAttribute> Attributes { get; } = [];

    /// <inheritdoc/>
    protected override bool Read(CodedInputStream input, int field, Type type)
    {
        switch (field)
        {
            case 1:
                Inputs.Add(input.ReadString());
                return true;
            case 2:
                Outputs.Add(input.ReadString());
                return true;
            case 4:
                Operation = input.ReadString();
                return true;
            default:
                return field == 5 && Add(input, Attributes);
        }
    }
}

/// <summary>AttributeProto, without graphs.</summary>
internal sealed class OnnxAttribute : OnnxMessage
{
    public string Name { get; private set; } = "";

    public double? Float { get; private set; }

    public long? Integer { get; private set; }

    public string? Text { get; private set; }

    public OnnxTensor? Tensor { get; private set; }

    public List<long> Integers { get; } = [];

    /// <inheritdoc/>
    protected override bool Read(CodedInputStream input, int field, Type type)
    {
        switch (field)
        {
            case 1:
                Name = input.ReadString();
                return true;
            case 2:
                Float = input.ReadFloat();
                return true;
            case 3:
                Integer = input.ReadInt64();
                return true;
            case 4:
                Text = input.ReadBytes().ToStringUtf8();
                return true;
            case 5:
                Tensor = One<OnnxTensor>(input);
                return true;
            default:
                return field == 8 && Repeat(input, type, Integers, from => from.ReadInt64());
        }
    }
}

/// <summary>ValueInfoProto: a tensor's name, type and shape.</summary>
internal sealed class OnnxValue : OnnxMessage
{
    private OnnxType? _type;

    public string Name { get; private set; } = "";

    public int ElementType => _type?.Tensor?.ElementType ?? 0;

    /// <summary>Extents; null when the file does not tell.</summary>
    public List<OnnxDimension>? Dimensions => _type?.Tensor?.Shape?.Dimensions;

    /// <inheritdoc/>
    protected override bool Read(CodedInputStream input, int field, Type type)
    {
        if (field == 1)
        {
            Name = input.ReadString();
            return true;
        }

        return field == 2 && (_type = One<OnnxType>(input)) is not null;
    }

    /// <summary>TypeProto, of tensors.</summary>
    private sealed class OnnxType : OnnxMessage
    {
        public OnnxTensorType? Tensor { get; private set; }

        /// <inheritdoc/>
        protected override bool Read(CodedInputStream input, int field, Type type) => field == 1 && (Tensor = One<OnnxTensorType>(input)) is not null;
    }

    /// <summary>TypeProto.Tensor.</summary>
    private sealed class OnnxTensorType : OnnxMessage
    {
        public int ElementType { get; private set; }

        public OnnxShape? Shape { get; private set; }

        /// <inheritdoc/>
        protected override bool Read(CodedInputStream input, int field, Type type)
        {
            if (field == 1)
            {
                ElementType = input.ReadInt32();
                return true;
            }

            return field == 2 && (Shape = One<OnnxShape>(input)) is not null;
        }
    }

    /// <summary>TensorShapeProto.</summary>
    private sealed class OnnxShape : OnnxMessage
    {
        public List<OnnxDimension> Dimensions { get; } = [];

        /// <inheritdoc/>
        protected override bool Read(CodedInputStream input, int field, Type type) => field == 1 && Add(input, Dimensions);
    }
}

/// <summary>TensorShapeProto.Dimension: a number, a symbol, or neither.</summary>
internal sealed class OnnxDimension : OnnxMessage
{
    public long? Value { get; private set; }

    public string Symbol { get; private set; } = "";

    /// <inheritdoc/>
    protected override bool Read(CodedInputStream input, int field, Type type)
    {
        switch (field)
        {
            case 1:
                Value = input.ReadInt64();
                return true;
            case 2:
                Symbol = input.ReadString();
                return true;
            default:
                return false;
        }
    }
}
