using System.Buffers.Binary;
using System.Collections.Immutable;
using Google.Protobuf;
using Systolic.Numerics;
using Type = Google.Protobuf.WireFormat.WireType;

namespace Systolic.Onnx;

/// <summary>TensorProto: a constant. Values are kept of short tensors, and of square tables of truth values, which may be masks.</summary>
internal sealed class OnnxTensor : OnnxMessage
{
    private const int Short = 1024;
    private const long LargestMask = 4 << 20;
    private readonly List<long> _dimensions = [];
    private readonly List<double> _values = [];
    private ByteString _raw = ByteString.Empty;

    public string Name { get; private set; } = "";

    /// <summary>TensorProto.DataType.</summary>
    public int ElementType { get; private set; }

    public ImmutableArray<long> Dimensions => [.. _dimensions];

    /// <summary>The values that are kept; empty when they are too many or lie in another file.</summary>
    public ImmutableArray<double> Values => _values.Count > 0 ? [.. _values] : [.. Decoded()];

    /// <summary>Truth values that are true in the lower triangle alone.</summary>
    public bool IsTriangle
    {
        get
        {
            ReadOnlySpan<byte> table = _raw.Span;
            int side = _dimensions.Count < 2 ? 0 : (int)Math.Min(int.MaxValue, _dimensions[^1]);
            if (side < 2 || ElementType != 9 || _dimensions[^2] != side || table.Length < (long)side * side)
            {
                return false;
            }

            for (int row = 0; row < side; row++)
            {
                if (table[(row * side)..][..(row + 1)].Contains((byte)0) || table[((row * side) + row + 1)..((row + 1) * side)].ContainsAnyExcept((byte)0))
                {
                    return false;
                }
            }

            return true;
        }
    }

    private long Elements => _dimensions.Aggregate(1L, (product, extent) => extent > 0 && product <= LargestMask ? Math.Min(LargestMask + 1, product * Math.Min(extent, LargestMask + 1)) : product);

    /// <inheritdoc/>
    protected override bool Read(CodedInputStream input, int field, Type type)
    {
        switch (field)
        {
            case 1:
                return Repeat(input, type, _dimensions, from => from.ReadInt64());
            case 2:
                ElementType = input.ReadInt32();
                return true;
            case 8:
                Name = input.ReadString();
                return true;
            case 4 when Elements <= Short:
                return Repeat(input, type, _values, from => from.ReadFloat());
            case 5 when Elements <= Short:
                return Repeat(input, type, _values, from => from.ReadInt32());
            case 7 when Elements <= Short:
                return Repeat(input, type, _values, from => from.ReadInt64());
            case 10 when Elements <= Short:
                return Repeat(input, type, _values, from => from.ReadDouble());
            case 9 when Elements <= Short || (ElementType == 9 && Elements <= LargestMask):
                _raw = input.ReadBytes();
                return true;
            default:
                return false;
        }
    }

    /// <summary>The type of real numbers; null of integers, truth values and texts.</summary>
    public static DataType? RealType(int elementType) => elementType switch
    {
        1 or 11 => DataType.Fp32,
        10 => DataType.Fp16,
        16 => DataType.Bf16,
        17 or 18 => DataType.Fp8E4M3,
        19 or 20 => DataType.Fp8E5M2,
        _ => null,
    };

    private IEnumerable<double> Decoded()
    {
        int size = ElementType switch { 1 or 6 => 4, 7 or 11 => 8, 10 or 16 => 2, 2 or 3 or 9 => 1, _ => 0 };
        int count = size == 0 || Elements > Short ? 0 : _raw.Length / size;
        return Enumerable.Range(0, count).Select(i => Decode(_raw.Span.Slice(i * size, size)));
    }

    private double Decode(ReadOnlySpan<byte> bytes) => ElementType switch
    {
        1 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        6 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        7 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        10 => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        11 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        16 => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(bytes) << 16),
        _ => bytes[0],
    };
}
