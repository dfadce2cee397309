using System.Collections.Frozen;
using Systolic.Accounting;
using Systolic.Simt;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>Published readings on GPUs: kernels of libraries, memory, exchanges, layers and models, against the SIMT machine.</summary>
internal sealed class GpuSuite : IValidationSuite
{
    private static readonly FrozenDictionary<string, Func<GpuRow, GpuBench, GpuPrediction>> Families = new Dictionary<string, Func<GpuRow, GpuBench, GpuPrediction>>
    {
        ["gemm"] = GpuProducts.Predict,
        ["attention"] = GpuAttention.Predict,
        ["softmax"] = GpuRowKernels.Predict,
        ["layernorm"] = GpuRowKernels.Predict,
        ["rmsnorm"] = GpuRowKernels.Predict,
        ["gelu"] = GpuRowKernels.Predict,
        ["add"] = GpuRowKernels.Predict,
        ["swiglu"] = GpuRowKernels.Predict,
        ["cross_entropy"] = GpuRowKernels.Predict,
        ["allreduce"] = GpuExchanges.Predict,
        ["model"] = GpuModels.Model,
        ["layer"] = GpuModels.Layer,
        ["swiglu_mlp"] = GpuModels.Block,
        ["geglu_mlp"] = GpuModels.Block,
        ["copy"] = GpuStreams.Predict,
        ["mem_read"] = GpuStreams.Predict,
        ["mem_triad"] = GpuStreams.Predict,
        ["mem_latency"] = GpuStreams.Predict,
    }.ToFrozenDictionary();

    /// <inheritdoc/>
    public string Name => "gpu";

    /// <inheritdoc/>
    public void Score(string csv, string file, ValidationTally tally, CancellationToken cancellation)
    {
        var table = CsvTable.Parse(csv, file, [.. GpuRow.Columns]);
        GpuRow[] rows = [.. table.Rows.Select(GpuRow.Read)];
        table.Finish();
        foreach (GpuRow row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            Score(row, tally);
        }

        foreach ((string name, double? percent) in GpuClasses.Targets)
        {
            tally.Target(name, percent);
        }
    }

    private static void Score(GpuRow row, ValidationTally tally)
    {
        GpuPrediction prediction = Predict(row, out SimTime host);
        if (prediction.Refusal is { } reason)
        {
            tally.Skip(reason);
            return;
        }

        string group = $"{row.Device}/{row.Op}/{row.Timing}";
        void Add(string column, double expected, double? predicted, string suffix = "")
        {
            if (!double.IsNaN(expected) && predicted is { } value)
            {
                tally.Add(new ValidationRow(group + suffix, row.Id, column, expected, value) { Class = prediction.Class });
            }
        }

        Add("latency_us", row.Microseconds, (prediction.Seconds + host.Seconds) * 1e6);
        Add("gbps", row.Gigabytes, prediction.Rate / 1e9);
        Add("power_w", row.Watts, prediction.Watts, "/power");
    }

    private static GpuPrediction Predict(GpuRow row, out SimTime host)
    {
        host = SimTime.Zero;
        if (!Families.TryGetValue(row.Op, out Func<GpuRow, GpuBench, GpuPrediction>? family))
        {
            return GpuPrediction.Refuse($"no model of {row.Op} in the library");
        }

        if (GpuBoards.Find(row.Device) is not { } board)
        {
            return GpuPrediction.Refuse($"no machine of the library is a {row.Device}");
        }

        if (GpuProtocol.Find(row) is not { } protocol)
        {
            return GpuPrediction.Refuse($"how {row.Source} times {row.Op} ({row.Timing}) is not known");
        }

        host = protocol.Host;
        try
        {
            return family(row, protocol.Bench(board));
        }
        catch (Exception refused) when (refused is FormatException or ArgumentException or CapacityException or OverflowException)
        {
            // Sizes that no kernel takes, from a file: a row that cannot be modelled.
            return GpuPrediction.Refuse(refused.Message);
        }
    }
}
