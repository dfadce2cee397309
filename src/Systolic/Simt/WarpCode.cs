namespace Systolic.Simt;

/// <summary>Writes the instructions of a warp: runs of alike ones as one, in pieces short enough that other warps come in between.</summary>
/// <param name="spec">The machine whose lanes and latencies give the durations.</param>
/// <param name="rate">How it multiplies the operands' type.</param>
/// <param name="elementBytes">Bytes of an operand's element.</param>
internal sealed class WarpCode(SimtSpec spec, MatrixRate rate, int elementBytes)
{
    /// <summary>Scoreboard of matrix products in registers.</summary>
    public const int Products = 2;

    /// <summary>Scoreboard of special functions and of values exchanged between lanes.</summary>
    public const int Values = 3;

    /// <summary>Rows that a warpgroup multiplies at a time, by its four warps.</summary>
    public const int WarpgroupRows = 64;

    /// <summary>Warps of a warpgroup.</summary>
    public const int WarpgroupWarps = 4;

    private const int SharedQueue = 64; // wavefronts that wait: an instruction here stands for all requests of a slice
    private const int Lanes = 32;
    private const int RunLength = 8;
    private const int LongestCode = 8; // runs that stand for the arithmetic between a load and the next
    private const int RequestBytes = 512; // 16 bytes per lane
    private const int SliceBytes = 32; // depth of a matrix instruction
    private const int ArithmeticLatency = 2; // a dependent fp32 instruction issues 4 cycles after the one before
    private const int SpecialLatency = 14; // inferred
    private const double ReductionShare = 2; // L2 reads and writes what is added: as two writes, inferred
    private readonly List<WarpInstruction> _body = [];
    private readonly WarpLatencies _latencies = WarpLatencies.Of(spec.TensorCores.Instruction);

    /// <summary>The multiprocessor that executes these programs. Its schedulers stay with their warp (as measured by Huerta et al. 2025), so warps drift apart and one computes while another loads.</summary>
    public static MultiprocessorConfig Config(SimtSpec spec) => new(spec.Multiprocessor.SubCores, SharedQueue) { Scheduling = WarpScheduling.GreedyThenOldest };

    /// <summary>What has been written, as a segment; writing starts anew.</summary>
    public WarpSegment Take(int count = 1)
    {
        var segment = new WarpSegment([.. _body], count);
        _body.Clear();
        return segment;
    }

    /// <summary>Start of a CTA: parameters, coordinates, addresses.</summary>
    public void Setup(int cycles = FittedConstants.SetupCycles) => _body.Add(new(Pipe.Integer) { Stall = cycles });

    /// <summary>Instructions of all kinds, fp32, integer and others in turn, so that only issue limits them; special functions are spread evenly among them.</summary>
    /// <param name="count">Warp instructions, special functions apart.</param>
    /// <param name="special">Those of special functions.</param>
    /// <param name="board">Scoreboard that the first one waits for.</param>
    public void Compute(double count, double special, int board)
    {
        int left = Ceiling(count, 1), specials = (int)Math.Ceiling(special), length = Math.Max(RunLength, Ceiling(left, LongestCode)), runs = Ceiling(left, length);
        for (int i = 0; i < runs; i++)
        {
            int run = Math.Min(left, length);
            left -= run;
            _body.Add(new(Pipe.None) { Issues = spec.Multiprocessor.IssueCycles(run), Waits = i == 0 ? 1 << board : 0 });
            Run(Pipe.Special, (specials * (i + 1) / runs) - (specials * i / runs));
        }
    }

    /// <summary>A warp's bytes from L2 or beyond.</summary>
    /// <param name="bytes">Bytes.</param>
    /// <param name="sets">Scoreboard until they are there.</param>
    /// <param name="later">Cycles that they take beyond the latency of the supply.</param>
    public void Load(double bytes, int sets, double later = 0) =>
        _body.Add(new(Pipe.Load, Latency: (int)Math.Round(later)) { Bytes = (int)Math.Ceiling(bytes), Issues = Ceiling(bytes, RequestBytes), Sets = sets });

    /// <summary>A warp's bytes from L1.</summary>
    public void LoadL1(double bytes, int sets) => _body.Add(new(Pipe.Shared, Latency: spec.Multiprocessor.L1LatencyCycles)
    {
        Wavefronts = Ceiling(bytes, spec.Multiprocessor.SharedBytesPerCycle),
        Issues = Ceiling(bytes, RequestBytes),
        Sets = sets,
    });

    /// <summary>So many instructions of a pipe with lanes.</summary>
    /// <param name="pipe">Fp32, integers or special functions, whose results are awaited as <see cref="Values"/>.</param>
    /// <param name="count">Warp instructions.</param>
    /// <param name="waits">Scoreboards that the first one waits for.</param>
    public void Run(Pipe pipe, double count, int waits = 0)
    {
        for (int left = (int)Math.Ceiling(count); left > 0; left -= RunLength, waits = 0)
        {
            int run = Math.Min(left, RunLength);
            bool special = pipe == Pipe.Special;
            _body.Add(new(pipe, run * Lanes * spec.Multiprocessor.SubCores / LanesOf(pipe), special ? SpecialLatency : ArithmeticLatency) { Issues = run, Waits = waits, Sets = special ? Values : -1 });
        }
    }

    /// <summary>Waits until scoreboards are clear.</summary>
    public void Wait(int board) => _body.Add(new(Pipe.None) { Waits = 1 << board });

    /// <summary>Bytes of a warp between registers and shared memory, free of conflicts.</summary>
    public void Shared(double bytes, int sets = -1, int waits = 0) =>
        _body.Add(new(Pipe.Shared, Latency: _latencies.Shared) { Wavefronts = Ceiling(bytes, spec.Multiprocessor.SharedBytesPerCycle), Issues = Ceiling(bytes, RequestBytes), Sets = sets, Waits = waits });

    /// <summary>Asynchronous copies of this warp's part of a tile, and the end of their group.</summary>
    public void Copy(double bytes)
    {
        int requests = Ceiling(bytes, RequestBytes);
        for (int i = 0; i < requests; i++)
        {
            Run(Pipe.Integer, 1);
            _body.Add(new(Pipe.Load) { Bytes = RequestBytes, Wavefronts = RequestBytes / spec.Multiprocessor.SharedBytesPerCycle, Joins = true, Commits = i == requests - 1 });
        }
    }

    /// <summary>A tile by one instruction of one warp, into a stage that is empty; it makes the stage full.</summary>
    public void TensorCopy(double elements, int empty = -1, int full = -1)
    {
        if (empty >= 0)
        {
            Await(empty);
        }

        var copy = new WarpInstruction(Pipe.Load, Latency: _latencies.Tma) { Bytes = (int)(elements * elementBytes) };
        _body.Add(full < 0 ? copy : copy with { Use = BarrierUse.Arrive, Barrier = full });
    }

    /// <summary>Converts a warp's results and stores them through shared memory, so that they are whole lines.</summary>
    public void StoreResults(double elements, int resultBytes)
    {
        Wait(Products);
        Run(Pipe.Integer, elements / (2 * Lanes));
        Shared(elements * resultBytes);
        Shared(elements * resultBytes, sets: 0);
        Wait(0);
        Store(elements * resultBytes);
    }

    /// <summary>A warp's bytes to L2.</summary>
    public void Store(double bytes) => _body.Add(new(Pipe.Store) { Bytes = (int)bytes, Issues = Ceiling(bytes, RequestBytes) });

    /// <summary>A warp's results added to L2, four bytes per lane.</summary>
    public void Reduce(double bytes) => _body.Add(new(Pipe.Store) { Bytes = (int)(ReductionShare * bytes), Issues = Ceiling(bytes, Lanes * sizeof(float)) });

    /// <summary>Results added to L2 by one instruction of one warp, from a stage that is full; it makes the stage empty.</summary>
    public void TensorReduce(double bytes, int full, int empty)
    {
        Await(full);
        _body.Add(new(Pipe.Store) { Bytes = (int)(ReductionShare * bytes), Wavefronts = Ceiling(bytes, spec.Multiprocessor.SharedBytesPerCycle), Use = BarrierUse.Arrive, Barrier = empty });
    }

    /// <summary>A warp's products with mma.sync: operands of the next slice of the contraction are read from shared memory while this one is multiplied.</summary>
    /// <param name="rows">Rows of the result.</param>
    /// <param name="columns">Columns of the result.</param>
    /// <param name="depth">Contraction.</param>
    /// <param name="rowsInRegisters">Whether only the columns' operand comes from shared memory.</param>
    public void Multiply(int rows, int columns, int depth, bool rowsInRegisters = false)
    {
        int slices = Ceiling(depth * elementBytes, SliceBytes);
        int cycles = (int)Math.Round((double)rows * columns * depth / slices * spec.Multiprocessor.SubCores / rate.MacsPerCycle);
        double operands = (columns + (rowsInRegisters ? 0 : rows)) * SliceBytes;
        Shared(operands, sets: 0);
        for (int slice = 0; slice < slices; slice++)
        {
            if (slice + 1 < slices)
            {
                Shared(operands, sets: (slice + 1) % 2);
            }

            _body.Add(new(Pipe.Tensor, cycles, _latencies.Multiply) { Waits = 1 << (slice % 2), Sets = Products, Issues = Ceiling(rows * columns, 16 * 8), Stall = cycles });
        }
    }

    /// <summary>A warp's part of a warpgroup's products of 64 rows, queued as one group.</summary>
    public void Queue(int columns, int depth, bool rowsInRegisters = false)
    {
        int slices = Ceiling(depth * elementBytes, SliceBytes);
        int cycles = (int)Math.Round((double)WarpgroupRows * columns * depth / slices / rate.MacsPerCycle);
        int wavefronts = Ceiling((columns + (rowsInRegisters ? 0 : WarpgroupRows)) * SliceBytes, spec.Multiprocessor.SharedBytesPerCycle * WarpgroupWarps);
        for (int slice = 0; slice < slices; slice++)
        {
            _body.Add(new(Pipe.Warpgroup, cycles, _latencies.Multiply) { Wavefronts = wavefronts, Joins = true, Commits = slice == slices - 1 });
        }
    }

    /// <summary>A barrier of all warps that share it.</summary>
    public void Sync(int barrier = 0) => _body.Add(new(Pipe.None, Latency: _latencies.Barrier) { Use = BarrierUse.Sync, Barrier = barrier });

    /// <summary>Arrives at a barrier, once at most so many groups are incomplete, and goes on.</summary>
    public void Arrive(int barrier, int groupsLeft = -1) => _body.Add(new(Pipe.None) { Use = BarrierUse.Arrive, Barrier = barrier, GroupsLeft = groupsLeft });

    /// <summary>Waits for the next phase of a barrier.</summary>
    public void Await(int barrier) => _body.Add(new(Pipe.None) { Use = BarrierUse.Wait, Barrier = barrier });

    /// <summary>Waits until at most so many groups are incomplete.</summary>
    public void AwaitGroups(int left) => _body.Add(new(Pipe.None) { GroupsLeft = left });

    private static int Ceiling(double count, double by) => Math.Max(1, (int)Math.Ceiling(count / by));

    private int LanesOf(Pipe pipe) => pipe switch
    {
        Pipe.Fp32 => spec.Multiprocessor.Fp32Lanes,
        Pipe.Special => spec.Multiprocessor.SpecialFunctionLanes,
        _ => spec.Multiprocessor.IntegerLanes,
    };
}
