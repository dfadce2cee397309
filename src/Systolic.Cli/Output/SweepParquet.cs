using Parquet;
using Parquet.Schema;
using Systolic.Exploration;

namespace Systolic.Cli.Output;

/// <summary>The table of a sweep as Parquet: numbers as doubles, the rest as texts, null where a row has no value.</summary>
internal static class SweepParquet
{
    private const int RowsOfGroup = 100_000;

    /// <summary>Writes all rows.</summary>
    public static async Task WriteAsync(Stream stream, SweepResult result)
    {
        (SweepColumn Column, DataField Field)[] columns =
            [.. result.Columns().Select(column => (column, (DataField)(column.Text is null ? new DataField<double?>(column.Name) : new DataField<string>(column.Name))))];
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(columns.Select(column => column.Field)), stream);
        foreach (SweepRow[] rows in result.Rows.Chunk(RowsOfGroup))
        {
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            foreach ((SweepColumn column, DataField field) in columns)
            {
                if (column.Text is { } text)
                {
                    await group.WriteAsync(field, rows.Select(row => text(row)!).ToArray());
                }
                else
                {
                    double?[] numbers = [.. rows.Select(row => column.Number!(row) is var number && double.IsFinite(number) ? number : (double?)null)];
                    await group.WriteAsync<double>(field, numbers);
                }
            }

            group.CompleteValidate();
        }
    }
}
