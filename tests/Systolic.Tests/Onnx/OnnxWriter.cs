using System.Buffers.Binary;
using System.Text;
using Systolic.Numerics;

namespace Systolic.Tests.Onnx;

/// <summary>Writes the few messages of an ONNX model that a transformer needs, in protobuf's wire format, without its schema compiler.</summary>
/// <remarks>Field numbers: onnx.proto of ONNX 1.12 (opset 17). Real numbers are fp32.</remarks>
internal sealed class OnnxWriter : IDisposable
{
    private const int Real = 1;
    private const int Long = 7;
    private const int Truth = 9;

    private readonly MemoryStream _graph = new();
    private int _names;

    /// <summary>A matrix given with the model.</summary>
    public string Constant(Matrix value)
    {
        byte[] raw = new byte[value.Values.Length * sizeof(float)];
        for (int i = 0; i < value.Values.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(raw.AsSpan(i * sizeof(float)), value.Values[i]);
        }

        return Tensor(Name(), Real, raw, value.Rows, value.Columns);
    }

    /// <summary>A weight whose values do not matter.</summary>
    public string Weight(string name, params long[] extents) => Tensor(name, Real, new byte[sizeof(float) * extents.Aggregate(1L, (product, extent) => product * extent)], extents);

    /// <summary>A number.</summary>
    public string Scalar(float value)
    {
        byte[] raw = new byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(raw, value);
        return Tensor(Name(), Real, raw);
    }

    /// <summary>A list of integers.</summary>
    public string Integers(params long[] values)
    {
        byte[] raw = new byte[values.Length * sizeof(long)];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(raw.AsSpan(i * sizeof(long)), values[i]);
        }

        return Tensor(Name(), Long, raw, values.Length);
    }

    /// <summary>The lower triangle of a square, as a mask.</summary>
    public string Triangle(long side) => Tensor(Name(), Truth, [.. Enumerable.Range(0, (int)(side * side)).Select(i => i % side <= i / side ? (byte)1 : (byte)0)], 1, 1, side, side);

    public string Input(string name, int rows, int columns) => Input(name, [rows, columns]);

    /// <summary>An input of real numbers, or of integers; an extent is a number or a symbol.</summary>
    public string Input(string name, object[] extents, bool integers = false)
    {
        Field(_graph, 11, ValueInfo(name, integers ? Long : Real, extents));
        return name;
    }

    public void Output(string name, int rows, int columns) => Output(name, [rows, columns]);

    public void Output(string name, object[] extents) => Field(_graph, 12, ValueInfo(name, Real, extents));

    /// <summary>A node of one output; attributes by name: integers, lists of integers, numbers or texts.</summary>
    public string Node(string operation, string[] inputs, params (string Name, object Value)[] attributes) => Nodes(operation, inputs, [Name()], "", attributes)[0];

    /// <summary>A node of several outputs, or of another domain.</summary>
    public string[] Nodes(string operation, string[] inputs, string[] outputs, string domain, params (string Name, object Value)[] attributes)
    {
        Field(_graph, 1, Message(node =>
        {
            foreach (string input in inputs)
            {
                Text(node, 1, input);
            }

            foreach (string output in outputs)
            {
                Text(node, 2, output);
            }

            Text(node, 4, operation);
            foreach ((string name, object value) in attributes)
            {
                Field(node, 5, Message(attribute => Attribute(attribute, name, value)));
            }

            if (domain.Length > 0)
            {
                Text(node, 7, domain);
            }
        }));
        return outputs;
    }

    /// <summary>Columns of a matrix.</summary>
    public string Columns(string matrix, int first, int count) => Node("Slice", [matrix, Integers(first), Integers(first + count), Integers(1)]);

    public string Concatenate(params string[] matrices) => Node("Concat", matrices, ("axis", 1L));

    public void Dispose() => _graph.Dispose();

    /// <summary>The file's bytes.</summary>
    public byte[] ToArray() => Message(model =>
    {
        Number(model, 1, 8);
        Field(model, 7, Message(graph =>
        {
            Text(graph, 2, "layer");
            graph.Write(_graph.ToArray());
        }));
        Field(model, 8, Message(opset => Number(opset, 2, 17)));
        Field(model, 8, Message(opset =>
        {
            Text(opset, 1, "com.microsoft");
            Number(opset, 2, 1);
        }));
    });

    private static void Attribute(MemoryStream attribute, string name, object value)
    {
        const int Float = 1, Integer = 2, List = 7;
        Text(attribute, 1, name);
        switch (value)
        {
            case float number:
                Varint(attribute, (2 << 3) | 5);
                attribute.Write(BitConverter.GetBytes(number));
                Number(attribute, 20, Float);
                break;
            case long integer:
                Number(attribute, 3, integer);
                Number(attribute, 20, Integer);
                break;
            default:
                Array.ForEach((long[])value, item => Number(attribute, 8, item));
                Number(attribute, 20, List);
                break;
        }
    }

    private string Tensor(string name, int type, byte[] raw, params long[] extents)
    {
        Field(_graph, 5, Message(tensor =>
        {
            Array.ForEach(extents, extent => Number(tensor, 1, extent));
            Number(tensor, 2, type);
            Text(tensor, 8, name);
            Field(tensor, 9, raw);
        }));
        return name;
    }

    private string Name() => FormattableString.Invariant($"t{_names++}");

    private static byte[] ValueInfo(string name, int elementType, object[] extents) => Message(info =>
    {
        Text(info, 1, name);
        Field(info, 2, Message(type => Field(type, 1, Message(tensor =>
        {
            Number(tensor, 1, elementType);
            Field(tensor, 2, Message(shape => Array.ForEach(extents, extent => Field(shape, 1, Message(dimension =>
            {
                if (extent is string symbol)
                {
                    Text(dimension, 2, symbol);
                }
                else
                {
                    Number(dimension, 1, Convert.ToInt64(extent, System.Globalization.CultureInfo.InvariantCulture));
                }
            })))));
        }))));
    });

    private static byte[] Message(Action<MemoryStream> write)
    {
        var stream = new MemoryStream();
        write(stream);
        return stream.ToArray();
    }

    private static void Text(MemoryStream stream, int field, string text) => Field(stream, field, Encoding.UTF8.GetBytes(text));

    private static void Field(MemoryStream stream, int field, byte[] bytes)
    {
        Varint(stream, (ulong)((field << 3) | 2));
        Varint(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }

    private static void Number(MemoryStream stream, int field, long value)
    {
        Varint(stream, (ulong)(field << 3));
        Varint(stream, unchecked((ulong)value));
    }

    private static void Varint(MemoryStream stream, ulong value)
    {
        for (; value > 127; value >>= 7)
        {
            stream.WriteByte((byte)((value & 127) | 128));
        }

        stream.WriteByte((byte)value);
    }
}
