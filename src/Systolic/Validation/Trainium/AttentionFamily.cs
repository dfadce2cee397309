using System.Globalization;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>Prefill attention of the public kernel library (nki-library, attention_cte).</summary>
internal sealed class AttentionFamily : ITrainiumFamily
{
    /// <inheritdoc/>
    public string Name => "attention";

    /// <inheritdoc/>
    public bool Takes(TrainiumRow row) => row.Workload.StartsWith("attention prefill (nkilib attention_cte)", StringComparison.Ordinal);

    /// <inheritdoc/>
    public TrainiumPrediction Predict(TrainiumRow row)
    {
        PrefillAttention op = Read(row);
        Accelerator machine = KernelTiming.Machine(row);
        SimTime slowest = SimTime.Zero;
        for (int core = 0; core < machine.Cores; core++)
        {
            if (PrefillPart.Of(op, core, machine.Cores) is { Length: > 0 } parts)
            {
                SimTime time = KernelTiming.Of(PrefillKernel.Write(op, parts, machine), machine).Time;
                slowest = time > slowest ? time : slowest;
            }
        }

        return TrainiumPrediction.Of(slowest);
    }

    /// <summary>The kernel's options: a mask and a sink among the words of the workload, sizes and layouts among the shapes.</summary>
    internal static PrefillAttention Read(TrainiumRow row)
    {
        int heads = row.Size("heads(bs)");
        string[] words = row.Workload.Split(' ');
        return new PrefillAttention
        {
            Heads = heads,
            KvHeads = row.Size("kv_heads", heads),
            Queries = row.Size("seq_q"),
            Keys = row.Size("seq_k"),
            HeadDim = row.Size("d"),
            PriorKeys = row.Size("prior_len", 0),
            Causal = words.Contains("causal"),
            Window = Window(words),
            Sink = words.Contains("sink"),
            QueriesAnywhere = row.Text("cp_degree") is not null,
            QueriesByToken = row.Size("tp_q", 1) == 1,
            KeysByToken = row.Size("tp_k", 0) == 1,
            OutputByToken = row.Size("tp_out", 0) == 0,
            Type = row.ElementType(DataType.Bf16),
        };
    }

    private static int Window(string[] words) =>
        words.FirstOrDefault(word => word.StartsWith("window=", StringComparison.Ordinal)) is { } word ? int.Parse(word["window=".Length..], CultureInfo.InvariantCulture) : 0;
}
