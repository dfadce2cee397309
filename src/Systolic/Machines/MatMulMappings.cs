using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Machines;

/// <summary>How products are cut: chosen with the simulator at their first use and kept, or pinned by a file of earlier choices.</summary>
/// <remarks>
/// Of the candidates within a quarter of the shortest estimated time, up to four of different blocks are simulated, or three where that would be more than 1,024 products of the array; on the product itself or,
/// where it is longer than 512 products of the array or its right operand than 16 MiB, on one cut down to that (first copies of the batch, then halves of M and N, K at last), whose time without the load of the first blocks is multiplied.
/// One that is within 2 % of what the array needs for the products alone ends the search. Of those within 2 % of the fastest the one with the least traffic is taken. A product of few rows that waits for memory then holds as many blocks as half of SBUF. Nothing depends on wall time or on what was chosen before.
/// May be used by several threads.
/// </remarks>
public sealed class MatMulMappings
{
    private const int Least = 3;
    private const int Most = 4;
    private const double Factor = 1.25;
    private const long MaximumProducts = 512;
    private const long MaximumBytes = 16L << 20;
    private const long LargestSize = 1L << 31;

    private readonly ConcurrentDictionary<Key, Choice> _chosen = new();
    private readonly ConcurrentDictionary<Trial, Choice> _tried = new();
    private readonly ImmutableDictionary<(string Machine, MatMul Product), Choice> _pinned;
    private readonly string _file;

    /// <summary>Nothing is chosen yet, and nothing pinned.</summary>
    public MatMulMappings()
        : this("", ImmutableDictionary<(string, MatMul), Choice>.Empty)
    {
    }

    private MatMulMappings(string file, ImmutableDictionary<(string, MatMul), Choice> pinned) => (_file, _pinned) = (file, pinned);

    /// <summary>A mapping and how it came about, such as "best of 4 simulated".</summary>
    private sealed record Choice(MatMulMapping Mapping, string How)
    {
        public Choice RunningAhead(MatMul op, Accelerator machine) => this with { Mapping = Mapping.RunningAhead(op, machine) };
    }

    // Classes, as keys and values: dictionaries of these need not be compiled when a process starts.
    private sealed record Key(Accelerator Machine, MatMul Product);

    // The size of SBUF decides which candidates there are and nothing else, so machines that differ in it alone share trials.
    private sealed record Trial(Accelerator AnySbuf, MatMul Product, string Candidates);

    /// <summary>Reads a file that <see cref="ToJson"/> wrote: its mappings are pinned.</summary>
    /// <exception cref="InvalidDocumentException">There is no such file, or it is none of mappings; the message names every problem.</exception>
    public static MatMulMappings Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Parse(DocumentText.Read(path), path);
    }

    /// <summary>As <see cref="Load"/>, of a text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="file">What messages call it.</param>
    /// <exception cref="InvalidDocumentException">It is none of mappings; the message names every problem.</exception>
    public static MatMulMappings Parse(string json, string file)
    {
        ArgumentNullException.ThrowIfNull(json);
        JsonSection root = JsonSection.Parse(json, file);
        var pinned = ImmutableDictionary.CreateBuilder<(string, MatMul), Choice>();
        foreach (JsonSection entry in root.Sections("mappings"))
        {
            string machine = entry.Text("machine");
            var product = (MatMul)new MatMul(
                "", Size(entry, "m", LargestSize), Size(entry, "k", LargestSize), Size(entry, "n", LargestSize), Size(entry, "batch", LargestSize),
                entry.Boolean("leftTransposed"), entry.Boolean("rightTransposed"), entry.Boolean("bias"))
            {
                Type = entry.Quantity("type", DataTypes.Parse),
                OutputType = entry.Quantity("outputType", DataTypes.Parse),
            }.Signature;
            var mapping = new MatMulMapping(
                Size(entry, "blockM", product.M), Size(entry, "blockN", product.N), Size(entry, "blockK", product.K), entry.Boolean("leftResident"), (int)entry.Integer("buffers", 2, MatMulMapping.MostBuffers));
            entry.Text("chosen", "");
            entry.RefuseUnknownKeys();
            if (!pinned.TryAdd((machine, product), new Choice(mapping, "pinned")))
            {
                entry.Problem("machine", $"found a second mapping of {product.Describe()} on {machine}, expected one");
            }
        }

        root.RefuseUnknownKeys();
        root.Finish();
        return new MatMulMappings(file, pinned.ToImmutable());
    }

    private static long Size(JsonSection entry, string key, long largest) => entry.Integer(key, 1, largest);

    /// <summary>All mappings, pinned and chosen, in an order that does not depend on when they were chosen.</summary>
    public string ToJson()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteStartArray("mappings");
            foreach (((string machine, MatMul product), Choice choice) in _pinned.Concat(_chosen.Select(one => KeyValuePair.Create((Machine: one.Key.Machine.Name, one.Key.Product), one.Value)))
                .OrderBy(one => one.Key.Machine, StringComparer.Ordinal)
                .ThenBy(one => (one.Key.Product.M, one.Key.Product.K, one.Key.Product.N, one.Key.Product.Batch))
                .ThenBy(one => (one.Key.Product.Type, one.Key.Product.OutputType, one.Key.Product.LeftTransposed, one.Key.Product.RightTransposed, one.Key.Product.Bias))
                .ThenBy(one => one.Value.Mapping.ToString(), StringComparer.Ordinal).DistinctBy(one => one.Key))
            {
                Write(json, machine, product, choice);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter json, string machine, MatMul product, Choice choice)
    {
        json.WriteStartObject();
        json.WriteString("machine", machine);
        json.WriteNumber("m", product.M);
        json.WriteNumber("k", product.K);
        json.WriteNumber("n", product.N);
        json.WriteNumber("batch", product.Batch);
        json.WriteBoolean("leftTransposed", product.LeftTransposed);
        json.WriteBoolean("rightTransposed", product.RightTransposed);
        json.WriteBoolean("bias", product.Bias);
        json.WriteString("type", product.Type.Label());
        json.WriteString("outputType", product.OutputType.Label());
        json.WriteNumber("blockM", choice.Mapping.BlockM);
        json.WriteNumber("blockN", choice.Mapping.BlockN);
        json.WriteNumber("blockK", choice.Mapping.BlockK);
        json.WriteBoolean("leftResident", choice.Mapping.LeftResident);
        json.WriteNumber("buffers", choice.Mapping.Buffers);
        json.WriteString("chosen", choice.How);
        json.WriteEndObject();
    }

    /// <summary>The mapping of one program's product, and how it was chosen.</summary>
    /// <exception cref="CapacityException">A pinned one does not fit, or no candidate does.</exception>
    internal (MatMulMapping Mapping, string How) Choose(MatMul op, Accelerator machine)
    {
        var product = (MatMul)op.Signature;
        if (_pinned.Count > 0 && _pinned.TryGetValue((machine.Name, product), out Choice? pinned))
        {
            long needed = new MatMulPlan(op, pinned.Mapping, machine).BytesPerPartition;
            return needed <= machine.Sbuf.PartitionSize.Value ? (pinned.Mapping, pinned.How) : throw new CapacityException(FormattableString.Invariant(
                $"{op.Name}: the mapping of {op.Describe()} that {_file} pins, {pinned.Mapping}, needs {needed} B per partition of SBUF of {machine.Name}, which has {machine.Sbuf.PartitionSize.Value} B. Take it out of the file or make its blocks smaller."));
        }

        // Two threads may choose at once; they choose the same.
        Choice chosen = _chosen.GetOrAdd(new Key(machine, product), key => Fastest(key.Product, op.Name, key.Machine).RunningAhead(key.Product, key.Machine));
        return (chosen.Mapping, chosen.How);
    }

    private Choice Fastest(MatMul op, string name, Accelerator machine)
    {
        (MatMul sample, long products) = Sample(op, machine);
        ImmutableArray<MatMulMapping> candidates = MatMulMapping.Shortlist(op with { Name = name }, machine, (int)Math.Clamp(2 * MaximumProducts / products, Least, Most), Factor);
        if (candidates.Length == 1)
        {
            return new Choice(candidates[0], "only candidate");
        }

        var trial = new Trial(machine with { Sbuf = machine.Sbuf with { PartitionSize = Bytes.Zero } }, op, string.Join("; ", candidates));
        return _tried.GetOrAdd(trial, _ => Fastest(op, machine, sample, candidates));
    }

    private static Choice Fastest(MatMul op, Accelerator machine, MatMul sample, ImmutableArray<MatMulMapping> candidates)
    {
        double enough = new MatMulPlan(op, candidates[0], machine).LeastSeconds * (1 + MatMulMapping.EquallyFast);
        var seconds = new double[candidates.Length];
        int tried = 0;
        do
        {
            seconds[tried] = Seconds(op, sample, machine, candidates[tried]);
        }
        while (seconds[tried++] > enough && tried < candidates.Length);

        enough = seconds.AsSpan(0, tried).ToArray().Min() * (1 + MatMulMapping.EquallyFast);
        int best = -1;
        for (int i = 0; i < tried; i++)
        {
            if (seconds[i] <= enough && (best < 0 || Bytes(i).CompareTo(Bytes(best)) is var more && (more < 0 || (more == 0 && seconds[i] < seconds[best]))))
            {
                best = i;
            }
        }

        return new Choice(candidates[best], FormattableString.Invariant($"best of {tried} simulated"));

        double Bytes(int candidate) => new MatMulPlan(op, candidates[candidate], machine).Bytes;
    }

    /// <summary>What the sample takes, multiplied but for the load of its first blocks.</summary>
    private static double Seconds(MatMul op, MatMul sample, Accelerator machine, MatMulMapping mapping)
    {
        MatMulMapping cut = mapping with { BlockM = Math.Min(mapping.BlockM, sample.M), BlockN = Math.Min(mapping.BlockN, sample.N), BlockK = Math.Min(mapping.BlockK, sample.K) };
        double time = Simulator.Run(MatMulKernel.Write(sample, machine, cut, values: false), machine).Time.Seconds;
        double first = new MatMulPlan(sample, cut, machine).FirstSeconds;
        return new MatMulPlan(op, mapping, machine).FirstSeconds + ((time - first) * ((double)op.Macs.Value / sample.Macs.Value));
    }

    /// <summary>The product, or one like it that takes a bounded number of products of the array, and that number.</summary>
    private static (MatMul Sample, long Products) Sample(MatMul op, Accelerator machine)
    {
        (int tileM, int tileN, int tileK) = (machine.TensorEngine.Columns, machine.TensorEngine.MaximumMoving, machine.TensorEngine.ContractionRows(op.Type));
        long m = MatMulPlan.Ceiling(op.M, tileM), n = MatMulPlan.Ceiling(op.N, tileN), k = MatMulPlan.Ceiling(op.K, tileK), batch = Math.Clamp(MaximumProducts / (m * n * k), 1, op.Batch);
        long loaded = (long)tileK * tileN * op.Type.ByteSize();
        while (m * n * k > MaximumProducts || n * k * loaded > MaximumBytes)
        {
            _ = m > 1 && m >= 2 * n ? m = MatMulPlan.Ceiling(m, 2) : n > 1 ? n = MatMulPlan.Ceiling(n, 2) : m > 1 ? m = MatMulPlan.Ceiling(m, 2) : k = MatMulPlan.Ceiling(k, 2);
        }

        return (op with { Batch = batch, M = Math.Min(op.M, m * tileM), N = Math.Min(op.N, n * tileN), K = Math.Min(op.K, k * tileK) }, batch * m * n * k);
    }
}
