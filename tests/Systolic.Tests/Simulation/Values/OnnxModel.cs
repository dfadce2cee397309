using System.Buffers.Binary;
using System.Text;
using Systolic.Numerics;

namespace Systolic.Tests.Simulation.Values;

/// <summary>Writes the few messages of an ONNX model that a transformer layer needs, in protobuf's wire format, without its schema compiler.</summary>
/// <remarks>Field numbers: onnx.proto of ONNX 1.12 (opset 17). All tensors are fp32 matrices, except the int64 bounds of slices.</remarks>
internal sealed class OnnxModel : IDisposable
{
    private readonly MemoryStream _graph = new();
    private int _names;

    /// <summary>A matrix given with the model.</summary>
    public string Constant(Matrix value)
    {
        string name = Name();
        byte[] raw = new byte[value.Values.Length * sizeof(float)];
        for (int i = 0; i < value.Values.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(raw.AsSpan(i * sizeof(float)), value.Values[i]);
        }

        Field(_graph, 5, Message(tensor =>
        {
            Number(tensor, 1, value.Rows);
            Number(tensor, 1, value.Columns);
            Number(tensor, 2, 1);
            Text(tensor, 8, name);
            Field(tensor, 9, raw);
        }));
        return name;
    }

    public string Input(string name, int rows, int columns)
    {
        Field(_graph, 11, ValueInfo(name, rows, columns));
        return name;
    }

    public void Output(string name, int rows, int columns) => Field(_graph, 12, ValueInfo(name, rows, columns));

    /// <summary>A node of one output; integer attributes by name, lists as several.</summary>
    public string Node(string operation, string[] inputs, params (string Name, long[] Values, bool List)[] attributes)
    {
        string output = Name();
        Field(_graph, 1, Message(node =>
        {
            foreach (string input in inputs)
            {
                Text(node, 1, input);
            }

            Text(node, 2, output);
            Text(node, 4, operation);
            foreach ((string name, long[] values, bool list) in attributes)
            {
                Field(node, 5, Message(attribute =>
                {
                    Text(attribute, 1, name);
                    foreach (long value in values)
                    {
                        Number(attribute, list ? 8 : 3, value);
                    }

                    Number(attribute, 20, list ? 7 : 2);
                }));
            }
        }));
        return output;
    }

    /// <summary>Columns of a matrix.</summary>
    public string Columns(string matrix, int first, int count) => Node("Slice", [matrix, Integer(first), Integer(first + count), Integer(1)]);

    public string Concatenate(params string[] matrices) => Node("Concat", matrices, ("axis", [1], false));

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
    });

    private string Integer(long value)
    {
        string name = Name();
        Field(_graph, 5, Message(tensor =>
        {
            Number(tensor, 1, 1);
            Number(tensor, 2, 7);
            Number(tensor, 7, value);
            Text(tensor, 8, name);
        }));
        return name;
    }

    private string Name() => FormattableString.Invariant($"t{_names++}");

    private static byte[] ValueInfo(string name, int rows, int columns) => Message(info =>
    {
        Text(info, 1, name);
        Field(info, 2, Message(type => Field(type, 1, Message(tensor =>
        {
            Number(tensor, 1, 1);
            Field(tensor, 2, Message(shape =>
            {
                Field(shape, 1, Message(dimension => Number(dimension, 1, rows)));
                Field(shape, 1, Message(dimension => Number(dimension, 1, columns)));
            }));
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
