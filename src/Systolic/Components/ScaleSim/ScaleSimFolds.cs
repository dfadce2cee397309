namespace Systolic.Components;

/// <summary>How a layer is cut into folds, each as long as a full array takes: column folds outermost, row folds inside.</summary>
internal sealed class ScaleSimFolds
{
    /// <summary>Cuts a layer.</summary>
    public ScaleSimFolds(ScaleSimConfiguration configuration, ScaleSimLayer layer)
    {
        (Rows, Columns, Dataflow) = (configuration.Rows, configuration.Columns, configuration.Dataflow);
        (OnRows, OnColumns, Streamed) = Dataflow switch
        {
            ScaleSimDataflow.OutputStationary => (layer.M, layer.N, layer.K),
            ScaleSimDataflow.WeightStationary => (layer.K, layer.N, layer.M),
            _ => (layer.K, layer.M, layer.N),
        };
        RowFolds = ScaleSimCeiling.Of(OnRows, Rows);
        ColumnFolds = ScaleSimCeiling.Of(OnColumns, Columns);
        Load = Dataflow == ScaleSimDataflow.OutputStationary ? 0 : Rows;
        Length = Load + Rows + Columns + Streamed - 2;
        Cycles = checked(RowFolds * ColumnFolds * Length);
    }

    /// <summary>Rows of the array.</summary>
    public long Rows { get; }

    /// <summary>Columns of the array.</summary>
    public long Columns { get; }

    /// <summary>What stays in the cells.</summary>
    public ScaleSimDataflow Dataflow { get; }

    /// <summary>Size of the dimension on rows.</summary>
    public long OnRows { get; }

    /// <summary>Size of the dimension on columns.</summary>
    public long OnColumns { get; }

    /// <summary>Size of the streamed dimension.</summary>
    public long Streamed { get; }

    /// <summary>Row folds.</summary>
    public long RowFolds { get; }

    /// <summary>Column folds.</summary>
    public long ColumnFolds { get; }

    /// <summary>Cycles of a fold before the first streamed word: the load of the stationary tile.</summary>
    public long Load { get; }

    /// <summary>Cycles of one fold.</summary>
    public long Length { get; }

    /// <summary>Cycles of the layer without stalls.</summary>
    public long Cycles { get; }

    /// <summary>All folds.</summary>
    public long Count => RowFolds * ColumnFolds;

    /// <summary>Rows in use in a row fold.</summary>
    public long RowsOf(long rowFold) => Math.Min(Rows, OnRows - (rowFold * Rows));

    /// <summary>Columns in use in a column fold.</summary>
    public long ColumnsOf(long columnFold) => Math.Min(Columns, OnColumns - (columnFold * Columns));
}
