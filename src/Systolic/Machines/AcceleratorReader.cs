using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Machines;

/// <summary>Reads a systolic machine file: every size and rate with its unit, a source per section, and the list of assumed parameters.</summary>
public static class AcceleratorReader
{
    /// <summary>The value of the file's "kind".</summary>
    internal const string Kind = "systolic";

    private const int MaximumCount = 1 << 20;

    /// <summary>Reads the JSON text of <paramref name="file"/>.</summary>
    /// <exception cref="InvalidDocumentException">All problems of the file: unknown or missing keys, numbers without a unit, impossible values.</exception>
    public static Accelerator Read(string json, string file)
    {
        ArgumentNullException.ThrowIfNull(json);
        var root = JsonSection.Parse(json, file);
        string kind = root.Text("kind");
        if (kind.Length > 0 && kind != Kind)
        {
            root.Problem("kind", $"found \"{kind}\", expected \"{Kind}\"");
        }

        root.Text("description", "");
        var machine = new Accelerator
        {
            Name = root.Text("name"),
            Cores = Count(root, "cores", 1024),
            TensorEngine = TensorEngine(Begin(root, "tensorEngine")),
            VectorEngine = VectorEngine(Begin(root, "vectorEngine")),
            ScalarEngine = ScalarEngine(Begin(root, "scalarEngine")),
            GpSimdEngine = GpSimdEngine(Begin(root, "gpSimdEngine")),
            Sbuf = Scratchpad(Begin(root, "sbuf")),
            Psum = Scratchpad(Begin(root, "psum")),
            Dma = Dma(Begin(root, "dma")),
            Memory = Memory(Begin(root, "memory")),
            Synchronization = Synchronization(Begin(root, "synchronization")),
            Energy = Power(Begin(root, "power")),
            Assumptions = [.. root.Sections("assumed").Select(Assumed)],
        };
        root.RefuseUnknownKeys();
        root.Finish();
        CheckTogether(root, machine);
        root.Finish();
        return machine;
    }

    private static JsonSection Begin(JsonSection root, string key)
    {
        JsonSection section = root.Section(key);
        section.Text("source");
        return section;
    }

    private static T End<T>(JsonSection section, T spec)
    {
        section.RefuseUnknownKeys();
        return spec;
    }

    private static TensorEngineSpec TensorEngine(JsonSection s) => End(s, new TensorEngineSpec
    {
        Rows = Count(s, "rows", 4096),
        Columns = Count(s, "columns", 4096),
        Clock = Frequency(s, "clock"),
        SustainedRate = Frequency(s, "sustainedRate"),
        MaximumMoving = Count(s, "maximumMoving", MaximumCount),
        MinimumInterval = Count(s, "minimumInterval", MaximumCount),
        Fp32Passes = Count(s, "fp32Passes", 64),
        Fp8RowsPerCell = Count(s, "fp8RowsPerCell", 64),
        LoadColumnsPerCycle = Count(s, "loadColumnsPerCycle", 4096),
        ResultLatency = Time(s, "resultLatency"),
    });

    private static VectorEngineSpec VectorEngine(JsonSection s) => End(s, new VectorEngineSpec
    {
        Lanes = Count(s, "lanes", 4096),
        Clock = Frequency(s, "clock"),
        MinimumInterval = Count(s, "minimumInterval", MaximumCount),
        StaticCycles = (int)s.Integer("staticCycles", 0, MaximumCount),
        FastModes = s.Boolean("fastModes"),
    });

    private static ScalarEngineSpec ScalarEngine(JsonSection s) => End(s, new ScalarEngineSpec
    {
        Lanes = Count(s, "lanes", 4096),
        Clock = Frequency(s, "clock"),
        MinimumInterval = Count(s, "minimumInterval", MaximumCount),
        ReduceCycles = (int)s.Integer("reduceCycles", 0, MaximumCount),
        ResultLatency = Time(s, "resultLatency"),
        TableLoad = Time(s, "tableLoad"),
        FastCopies = s.Boolean("fastCopies"),
    });

    private static GpSimdEngineSpec GpSimdEngine(JsonSection s) => End(s, new GpSimdEngineSpec
    {
        Clock = Frequency(s, "clock"),
        StaticCycles = (int)s.Integer("staticCycles", 0, MaximumCount),
    });

    private static ScratchpadSpec Scratchpad(JsonSection s) => End(s, new ScratchpadSpec
    {
        Partitions = Count(s, "partitions", 4096),
        PartitionSize = Size(s, "partitionSize"),
        Banks = Count(s, "banks", 1024),
    });

    private static DmaSpec Dma(JsonSection s) => End(s, new DmaSpec
    {
        Engines = Count(s, "engines", 4096),
        EngineBandwidth = Bandwidth(s, "engineBandwidth"),
        PartitionsPerEngine = Count(s, "partitionsPerEngine", 4096),
        MinimumRun = Size(s, "minimumRun"),
        IssueInterval = Time(s, "issueInterval"),
        DynamicIssueInterval = Time(s, "dynamicIssueInterval"),
        TriggerLatency = Time(s, "triggerLatency"),
        CompletionLatency = Time(s, "completionLatency"),
        MemoryTransposeShare = s.Number("memoryTransposeShare", 0, 1),
        LocalTransposeShare = s.Number("localTransposeShare", 0, 1),
    });

    private static DramSpec Memory(JsonSection s) => End(s, new DramSpec
    {
        Bandwidth = Bandwidth(s, "bandwidth"),
        SustainedShare = s.Number("sustainedShare", 0.01, 1),
        Capacity = Size(s, "capacity"),
    });

    private static SynchronizationSpec Synchronization(JsonSection s) => End(s, new SynchronizationSpec
    {
        SemaphoreLatency = Time(s, "semaphoreLatency"),
        ExchangeLatency = Time(s, "exchangeLatency"),
        ProgramOverhead = Time(s, "programOverhead"),
    });

    private static EnergyModel Power(JsonSection s) => End(s, new EnergyModel(
        (int)s.Integer("node", 1, 1000), "systolic", s.Quantity("idle", NonNegativePower), s.Quantity("active", NonNegativePower)));

    private static Assumption Assumed(JsonSection s) => End(s, new Assumption(s.Text("parameter"), s.Text("reason")));

    private static void CheckTogether(JsonSection root, Accelerator m)
    {
        if (m.Sbuf.Partitions != m.TensorEngine.Rows || m.Psum.Partitions != m.TensorEngine.Columns)
        {
            root.Problem("tensorEngine", FormattableString.Invariant(
                $"found {m.TensorEngine.Rows} rows and {m.TensorEngine.Columns} columns, expected as many rows as sbuf.partitions ({m.Sbuf.Partitions}) and as many columns as psum.partitions ({m.Psum.Partitions})"));
        }

        if (m.TensorEngine.SustainedRate.Hertz > m.TensorEngine.Clock.Hertz)
        {
            root.Problem("tensorEngine.sustainedRate", $"found {m.TensorEngine.SustainedRate}, expected at most the clock, {m.TensorEngine.Clock}");
        }

        if (m.Psum.BankSize.Value < m.TensorEngine.MinimumInterval * sizeof(float) || m.Psum.Banks < 8)
        {
            root.Problem("psum", FormattableString.Invariant(
                $"found {m.Psum.Banks} banks of {m.Psum.BankSize.Value} B per partition, expected at least 8 banks of {m.TensorEngine.MinimumInterval * sizeof(float)} B: the kernels keep results, transposes and their successors in separate banks"));
        }
    }

    private static int Count(JsonSection s, string key, int maximum) => (int)s.Integer(key, 1, maximum);

    private static Frequency Frequency(JsonSection s, string key) => s.Quantity(key, text => Positive(Units.Frequency.Parse(text), value => value.Hertz, text, "a frequency"));

    private static Bytes Size(JsonSection s, string key) => s.Quantity(key, text => Positive(Bytes.Parse(text), value => value.Value, text, "a size"));

    private static Bandwidth Bandwidth(JsonSection s, string key) => s.Quantity(key, text => Positive(Units.Bandwidth.Parse(text), value => value.BytesPerSecond, text, "a bandwidth"));

    private static SimTime Time(JsonSection s, string key) => s.Quantity(key, text => SimTime.Parse(text) is { Value: >= 0 and < 1_000_000_000_000_000 } time
        ? time
        : throw new FormatException($"found \"{text}\", expected a time from 0 to 1 s"));

    private static Power NonNegativePower(string text) => Units.Power.Parse(text) is { Watts: >= 0 and < 1e6 } power
        ? power
        : throw new FormatException($"found \"{text}\", expected a power from 0 W to 1 MW");

    private static T Positive<T>(T quantity, Func<T, double> value, string text, string what) => value(quantity) > 0
        ? quantity
        : throw new FormatException($"found \"{text}\", expected {what} above zero");
}
