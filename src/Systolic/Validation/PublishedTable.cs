using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Tables that come with the library: what the suites know of published chips and models.</summary>
internal static class PublishedTable
{
    /// <summary>A line per entry.</summary>
    /// <exception cref="InvalidDocumentException">The table is not what it must be.</exception>
    public static ImmutableArray<T> Load<T>(string name, ImmutableArray<string> columns, Func<CsvRow, T> read)
    {
        var table = CsvTable.Parse(DocumentText.ReadEmbedded("Validation/" + name), name, columns);
        ImmutableArray<T> entries = [.. table.Rows.Select(read)];
        table.Finish();
        return entries;
    }

    /// <summary>The sizes of a decoder from the columns that every table of models has; the rest as a Llama has it.</summary>
    public static ModelShape Decoder(CsvRow row) => new()
    {
        Name = row.Text("model"),
        Family = ModelFamily.DecoderOnly,
        DecoderLayers = Size(row, "layers"),
        Hidden = Size(row, "hidden"),
        QueryHeads = Size(row, "heads"),
        KvHeads = Size(row, "kv_heads"),
        HeadDim = Size(row, "head_dim"),
        Intermediate = Size(row, "intermediate"),
        Vocabulary = Size(row, "vocabulary"),
        MaxPositions = 1 << 17,
        Norm = NormFunction.Rms,
        Activation = ElementwiseFunction.GatedSilu,
        Positions = PositionKind.Rotary,
        Type = DataType.Bf16,
    };

    /// <summary>A size of a model.</summary>
    public static long Size(CsvRow row, string column, long least = 1) => row.Integer(column, least, 1 << 24);
}
