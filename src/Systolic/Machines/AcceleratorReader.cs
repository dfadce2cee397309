using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Machines;

/// <summary>Reads a systolic machine file: every size and rate with its unit, a source per section, and the list of assumed parameters.</summary>
public static class AcceleratorReader
{
    /// <summary>The value of the file's "kind".</summary>
    internal const string Kind = "systolic";

    private const int MaximumCount = 1 << 20;
    private const double LeastTransposeShare = 0.001;
    private const double MostRegisterCycles = 1000;

    /// <summary>Reads the JSON text of <paramref name="file"/>.</summary>
    /// <exception cref="InvalidDocumentException">All problems of the file: unknown or missing keys, numbers without a unit, impossible values.</exception>
    public static Accelerator Read(string json, string file)
    {
        (JsonSection root, Accelerator machine) = ReadParts(json, file);
        CheckTogether(root, machine);
        root.Finish();
        return machine;
    }

    /// <summary>As <see cref="Read"/>, without asking whether the parts fit each other.</summary>
    internal static (JsonSection Root, Accelerator Machine) ReadParts(string json, string file)
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
            TensorEngine = TensorEngine(root.Open("tensorEngine")),
            VectorEngine = VectorEngine(root.Open("vectorEngine")),
            ScalarEngine = ScalarEngine(root.Open("scalarEngine")),
            GpSimdEngine = GpSimdEngine(root.Open("gpSimdEngine")),
            Sbuf = Scratchpad(root.Open("sbuf")),
            Psum = Scratchpad(root.Open("psum")),
            Dma = Dma(root.Open("dma")),
            SharedCache = root.HasOptional("sharedCache") ? SharedCache(root.Open("sharedCache")) : null,
            Memory = Memory(root.Open("memory")),
            Synchronization = Synchronization(root.Open("synchronization")),
            Energy = Power(root.Open("power")),
            Links = root.Links(),
            Assumptions = root.Assumptions(),
        };
        machine = machine with { Energy = machine.Energy.MarkAssumed("power", machine.Assumptions) };
        root.RefuseUnknownKeys();
        root.Finish();
        return (root, machine);
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
        Arrays = (int)s.Integer("arrays", 1, 64, 1),
        Parts = (int)s.Integer("parts", 1, 4, 1),
        Clock = s.Clock("clock"),
        SustainedRate = s.Clock("sustainedRate"),
        MaximumMoving = Count(s, "maximumMoving", MaximumCount),
        MinimumInterval = Count(s, "minimumInterval", MaximumCount),
        Fp32Passes = Count(s, "fp32Passes", 64),
        Fp8RowsPerCell = Count(s, "fp8RowsPerCell", 64),
        LoadColumnsPerCycle = Count(s, "loadColumnsPerCycle", 4096),
        ResultLatency = s.Time("resultLatency"),
        Throttle = s.Has("throttle") ? Throttle(s.Open("throttle")) : null,
    });

    private static ThrottleSpec Throttle(JsonSection s) => End(s, new ThrottleSpec(s.Number("initialShare", LeastThrottledShare, 1), s.Time("ramp")));

    private static VectorEngineSpec VectorEngine(JsonSection s) => End(s, new VectorEngineSpec
    {
        Lanes = Count(s, "lanes", 4096),
        Clock = s.Clock("clock"),
        MinimumInterval = Count(s, "minimumInterval", MaximumCount),
        StaticCycles = (int)s.Integer("staticCycles", 0, MaximumCount),
        FastModes = s.Boolean("fastModes"),
        Registers = s.HasOptional("registers") ? Registers(s.Open("registers")) : null,
    });

    private static VectorRegisterSpec Registers(JsonSection s) => End(s, new VectorRegisterSpec
    {
        ElementsPerLane = Count(s, "elementsPerLane", 64),
        OperandCycles = s.Number("operandCycles", 0.01, MostRegisterCycles),
        Conversions = [.. s.Sections("conversions").Select(Conversion)],
    });

    private static TypeConversion Conversion(JsonSection s) => End(s, new TypeConversion(
        s.Quantity("type", DataTypes.Parse), s.Number("read", 0, MostRegisterCycles), s.Number("write", 0, MostRegisterCycles)));

    private static ScalarEngineSpec ScalarEngine(JsonSection s) => End(s, new ScalarEngineSpec
    {
        Lanes = Count(s, "lanes", 4096),
        Clock = s.Clock("clock"),
        MinimumInterval = Count(s, "minimumInterval", MaximumCount),
        ReduceCycles = (int)s.Integer("reduceCycles", 0, MaximumCount),
        ResultLatency = s.Time("resultLatency"),
        DependentLatency = s.Time("dependentLatency"),
        TableLoad = s.Time("tableLoad"),
        FastCopies = s.Boolean("fastCopies"),
    });

    private static GpSimdEngineSpec GpSimdEngine(JsonSection s) => End(s, new GpSimdEngineSpec
    {
        Clock = s.Clock("clock"),
        StaticCycles = (int)s.Integer("staticCycles", 0, MaximumCount),
    });

    private static ScratchpadSpec Scratchpad(JsonSection s) => End(s, new ScratchpadSpec
    {
        Partitions = Count(s, "partitions", 4096),
        PartitionSize = s.Size("partitionSize"),
        Banks = Count(s, "banks", 1024),
        Exclusions = [.. Exclusions(s, "neverTogether", false), .. Exclusions(s, "neverTogetherWhenFast", true)],
        ExclusiveBanks = s.Boolean("exclusiveBanks", false),
        FullRateStride = s.Size("fullRateStride"),
        Ports = s.HasOptional("ports") ? Count(s, "ports", ScratchpadSpec.Engines) : ScratchpadSpec.Engines,
        Width = s.HasOptional("width") ? s.Size("width") : null,
        Latency = s.HasOptional("latency") ? s.Time("latency") : SimTime.Zero,
        AccessSetup = (int)s.Integer("accessSetup", 0, MaximumCount, 0),
    });

    private static IEnumerable<EngineExclusion> Exclusions(JsonSection s, string key, bool fastOnly)
    {
        foreach (string pair in s.Texts(key))
        {
            string[] names = pair.Split(' ');
            StreamId[] engines = [.. Engines.Where(engine => names.Contains(engine.Label()))];
            if (names.Length == 2 && engines.Length == 2 && (!fastOnly || engines[0] == StreamId.Vector))
            {
                yield return new EngineExclusion(engines[0], engines[1], fastOnly);
                continue;
            }

            s.Problem(key, $"found \"{pair}\", expected {(fastOnly ? "vector and another" : "two")} of {string.Join(", ", Engines.Select(engine => engine.Label()))}, such as \"vector gpsimd\"");
        }
    }

    private static readonly StreamId[] Engines = [StreamId.Vector, StreamId.Scalar, StreamId.GpSimd];

    private static DmaSpec Dma(JsonSection s) => End(s, new DmaSpec
    {
        Engines = Count(s, "engines", 4096),
        EngineBandwidth = s.Rate("engineBandwidth"),
        PartitionsPerEngine = Count(s, "partitionsPerEngine", 4096),
        MinimumRun = s.Size("minimumRun"),
        IssueInterval = s.Time("issueInterval"),
        DescriptorBlocks = (int)s.Integer("descriptorBlocks", 0, 64),
        BlockInterval = s.Time("blockInterval"),
        SoftwareInterval = s.Time("softwareInterval"),
        TriggerLatency = s.Time("triggerLatency"),
        CompletionLatency = s.Time("completionLatency"),
        Outstanding = s.Size("outstanding"),
        MemoryTransposeShare = s.Number("memoryTransposeShare", 0, 1),
        LocalTransposeShare = s.Number("localTransposeShare", 0, 1),
        MemorySumShare = s.Number("memorySumShare", 0.01, 1),
    });

    private static SharedCacheSpec SharedCache(JsonSection s) => End(s, new SharedCacheSpec
    {
        Capacity = s.Size("capacity"),
        Line = s.Size("line"),
        Ways = Count(s, "ways", 1024),
        Banks = Count(s, "banks", 4096),
        Bandwidth = s.Rate("bandwidth"),
        Latency = s.Time("latency"),
    });

    private const long LargestMinimumRun = 1 << 20;
    private const double LeastThrottledShare = 0.01;
    private const double SlowestRate = 0.25;
    private const double FastestRate = 4;

    private static DramSpec Memory(JsonSection s) => End(s, new DramSpec
    {
        Bandwidth = s.Rate("bandwidth"),
        Standard = Standard(s),
        Channels = Count(s, "channels", 1024),
        Capacity = s.Capacity("capacity"),
        Interleave = s.Size("interleave"),
        LookAhead = Count(s, "lookAhead", 4096),
        WriteBuffer = Count(s, "writeBuffer", 4096),
    });

    private static DramStandard Standard(JsonSection s)
    {
        string name = s.Text("standard");
        if (DramStandards.All.LastOrDefault(standard => standard.Name == name) is { } found)
        {
            return found;
        }

        s.Problem("standard", $"found \"{name}\", expected one of: {string.Join(", ", DramStandards.Names)}");
        return DramStandards.Hbm3;
    }

    private static SynchronizationSpec Synchronization(JsonSection s) => End(s, new SynchronizationSpec
    {
        SemaphoreLatency = s.Time("semaphoreLatency"),
        ExchangeLatency = s.Time("exchangeLatency"),
        ProgramOverhead = s.Time("programOverhead"),
        RunTimeDescriptorOverhead = s.Time("runTimeDescriptorOverhead"),
    });

    private static EnergyModel Power(JsonSection s) => End(s, s.EnergyModel("node", Kind));

    /// <summary>The channels must divide among the cores, and a piece of a stream must fit the rows that are opened together.</summary>
    private static void CheckMemory(JsonSection root, Accelerator m)
    {
        DramSpec memory = m.Memory;
        int pseudoChannels = memory.Channels * memory.Standard.Organization.PseudoChannels;
        if (pseudoChannels % m.Cores != 0)
        {
            root.Problem("memory.channels", FormattableString.Invariant(
                $"found {memory.Channels} channels, {pseudoChannels} pseudo-channels of {memory.Standard.Name}, for {m.Cores} cores; expected a multiple, for every core gets an equal share"));
        }

        double rate = memory.Bandwidth.BytesPerSecond / (memory.Channels * memory.Standard.ChannelBytesPerSecond);
        if (rate is < SlowestRate or > FastestRate)
        {
            root.Problem("memory.bandwidth", FormattableString.Invariant(
                $"found {memory.Bandwidth}, {rate:G3} times what {memory.Channels} channels of {memory.Standard.Name} give at the data rate of its table; expected {SlowestRate} to {FastestRate} times. Change memory.channels"));
        }

        long row = new StreamUnits(memory.Standard).RowBytes, burst = memory.Standard.Organization.BurstBytes;
        if (memory.Interleave.Value % burst != 0 || row % memory.Interleave.Value != 0)
        {
            root.Problem("memory.interleave", FormattableString.Invariant(
                $"found {memory.Interleave.Value} B, expected a multiple of {burst} B (a burst of {memory.Standard.Name}) that divides {row} B (its rows that are opened together)"));
        }
    }

    private const long MaximumLines = 1 << 20;

    /// <summary>Sets and banks must divide among the cores, and a line must be a part of what one channel holds.</summary>
    private static void CheckCache(JsonSection root, Accelerator m, SharedCacheSpec cache)
    {
        long interleave = m.Memory.Interleave.Value, burst = m.Memory.Standard.Organization.BurstBytes, line = cache.Line.Value;
        if (line % burst != 0 || interleave % line != 0)
        {
            root.Problem("sharedCache.line", FormattableString.Invariant(
                $"found {line} B, expected a multiple of {burst} B (a burst of {m.Memory.Standard.Name}) that divides memory.interleave, {interleave} B"));
        }

        long perCore = line * cache.Ways * m.Cores;
        if (cache.Capacity.Value % perCore != 0 || cache.Capacity.Value / line > MaximumLines)
        {
            root.Problem("sharedCache.capacity", FormattableString.Invariant(
                $"found {cache.Capacity.Value} B, expected a multiple of {perCore} B (line x ways x cores) of at most {MaximumLines} lines, for every core gets an equal share"));
        }

        if (cache.Banks % m.Cores != 0)
        {
            root.Problem("sharedCache.banks", FormattableString.Invariant($"found {cache.Banks}, expected a multiple of the {m.Cores} cores, for every core gets an equal share"));
        }
    }

    private static void CheckTogether(JsonSection root, Accelerator m)
    {
        CheckMemory(root, m);
        if (m.SharedCache is { } cache)
        {
            CheckCache(root, m, cache);
        }

        if (m.Sbuf.Partitions != m.TensorEngine.Rows || m.Psum.Partitions != m.TensorEngine.Columns)
        {
            root.Problem("tensorEngine", FormattableString.Invariant(
                $"found {m.TensorEngine.Rows} rows and {m.TensorEngine.Columns} columns, expected as many rows as sbuf.partitions ({m.Sbuf.Partitions}) and as many columns as psum.partitions ({m.Psum.Partitions})"));
        }

        if (!int.IsPow2(m.TensorEngine.Parts))
        {
            root.Problem("tensorEngine.parts", FormattableString.Invariant($"found {m.TensorEngine.Parts}, expected 1, 2 or 4"));
        }

        if (m.TensorEngine.SustainedRate.Hertz > m.TensorEngine.Clock.Hertz)
        {
            root.Problem("tensorEngine.sustainedRate", $"found {m.TensorEngine.SustainedRate}, expected at most the clock, {m.TensorEngine.Clock}");
        }

        if (m.Dma.MinimumRun.Value > LargestMinimumRun)
        {
            root.Problem("dma.minimumRun", FormattableString.Invariant($"found {m.Dma.MinimumRun.Value} B, expected at most {LargestMinimumRun} B: every run is charged as this at least"));
        }

        CheckTransposes(root, "memoryTransposeShare", m.Dma.MemoryTransposeShare);
        CheckTransposes(root, "localTransposeShare", m.Dma.LocalTransposeShare);
        root.RequirePrices("power.node", m.Energy);
        if (m.Psum.BankSize.Value < m.TensorEngine.MinimumInterval * sizeof(float) || m.Psum.Banks < 8)
        {
            root.Problem("psum", FormattableString.Invariant(
                $"found {m.Psum.Banks} banks of {m.Psum.BankSize.Value} B per partition, expected at least 8 banks of {m.TensorEngine.MinimumInterval * sizeof(float)} B: the kernels keep results, transposes and their successors in separate banks"));
        }
    }

    private static void CheckTransposes(JsonSection root, string key, double share)
    {
        if (share is > 0 and < LeastTransposeShare)
        {
            root.Problem("dma." + key, FormattableString.Invariant($"found {share}, expected 0, for engines that cannot, or {LeastTransposeShare} to 1"));
        }
    }

    private static int Count(JsonSection s, string key, int maximum) => (int)s.Integer(key, 1, maximum);
}
