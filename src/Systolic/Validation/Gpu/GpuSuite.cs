using System.Collections.Frozen;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>Published readings on GPUs: kernels of libraries, memory, exchanges, layers and models, against the SIMT machine.</summary>
internal sealed class GpuSuite : IValidationSuite
{
    private static readonly Family Rows = new(GpuRowKernels.Predict, row => [row.M, row.N]);
    private static readonly Family Streams = new(GpuStreams.Predict, _ => []);
    private static readonly Family Block = new(GpuModels.Block, row => [row.QueryTokens]);

    private static readonly FrozenDictionary<string, Family> Families = new Dictionary<string, Family>
    {
        ["gemm"] = new(GpuProducts.Predict, row => [row.M, row.K, row.N]),
        ["attention"] = new(GpuAttention.Predict, row => [row.Batch, row.QueryHeads, row.KvHeads, row.QueryTokens, row.KvTokens, row.HeadDim]),
        ["softmax"] = Rows,
        ["layernorm"] = Rows,
        ["rmsnorm"] = Rows,
        ["gelu"] = Rows,
        ["add"] = Rows,
        ["swiglu"] = Rows,
        ["cross_entropy"] = Rows,
        ["allreduce"] = new(GpuExchanges.Predict, row => [row.M]),
        ["model"] = new(GpuModels.Model, row => [row.Batch, row.QueryTokens]),
        ["layer"] = new(GpuModels.Layer, row => [row.M, row.N, row.Batch, row.QueryHeads, row.QueryTokens, row.HeadDim]),
        ["swiglu_mlp"] = Block,
        ["geglu_mlp"] = Block,
        ["copy"] = Streams,
        ["mem_read"] = Streams,
        ["mem_triad"] = Streams,
        ["mem_latency"] = Streams,
    }.ToFrozenDictionary();

    /// <summary>Knows a family of readings.</summary>
    /// <param name="Predict">The prediction on a board as the source drives it.</param>
    /// <param name="Sizes">The sizes that a row must give.</param>
    private sealed record Family(Func<GpuRow, GpuBench, GpuPrediction> Predict, Func<GpuRow, long[]> Sizes);

    /// <inheritdoc/>
    public string Name => "gpu";

    /// <inheritdoc/>
    public void Score(string csv, string file, ValidationTally tally, CancellationToken cancellation)
    {
        var table = CsvTable.Parse(csv, file, GpuRow.Columns);
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

        bool time = !double.IsNaN(row.Microseconds);
        (string column, double expected, double? predicted) = time
            ? ("latency_us", row.Microseconds, (prediction.Seconds + host.Seconds) * 1e6)
            : ("gbps", row.Gigabytes, prediction.Rate / 1e9);
        if (double.IsNaN(expected) || predicted is not { } value)
        {
            tally.Skip($"no time or rate of {row.Op} is given");
            return;
        }

        string group = $"{row.Device}/{row.Op}/{row.Timing}";
        tally.Add(new ValidationRow(group, row.Id, column, expected, value) { Class = prediction.Class });
        foreach ((string peer, double microseconds) in GpuRow.Peers.Zip(row.PeerMicroseconds).Where(peer => time && !double.IsNaN(peer.Second)))
        {
            tally.Add(new ValidationRow(group, row.Id, peer, row.Microseconds, microseconds) { IsBeside = true });
        }
    }

    private static GpuPrediction Predict(GpuRow row, out SimTime host)
    {
        host = SimTime.Zero;
        if (!Families.TryGetValue(row.Op, out Family? family))
        {
            return GpuPrediction.Refuse($"no model of {row.Op} in the library");
        }

        if (GpuBoards.Find(row.Device) is not { } board)
        {
            return GpuPrediction.Refuse($"no machine of the library is a {row.Device}");
        }

        if (family.Sizes(row).Contains(0))
        {
            return GpuPrediction.Refuse($"a size of {row.Op} is missing");
        }

        if (GpuProtocol.Find(row) is not { } protocol)
        {
            return GpuPrediction.Refuse($"how {row.Source} times {row.Op} ({row.Timing}) is not known");
        }

        host = protocol.Host;
        try
        {
            return family.Predict(row, protocol.Bench(board));
        }
        catch (OverflowException)
        {
            return GpuPrediction.Refuse($"sizes of {row.Op} exceed 64 bits");
        }
        catch (Exception refused) when (refused is FormatException or ArgumentException or CapacityException)
        {
            // Types and sizes that no kernel takes, from a file: a row that cannot be modelled.
            return GpuPrediction.Refuse(refused.Message);
        }
    }
}
