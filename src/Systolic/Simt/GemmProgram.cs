namespace Systolic.Simt;

/// <summary>Matrix products as warp programs: what each warp of a CTA issues from its start to its last store.</summary>
/// <remarks>
/// Volta and CUDA cores: copies pass through registers into two stages, one barrier per k step. Ampere: cp.async into several stages. Both read fragments from shared memory one slice of K
/// ahead of the multiplies (CUTLASS, "efficient GEMM"). Hopper: a producer warp issues TMA loads, consumer warpgroups wgmma (CUTLASS, warp-specialized kernels).
/// </remarks>
internal sealed class GemmProgram
{
    private const int Lanes = 32;
    private const int RequestBytes = 512; // 16 bytes per lane: LDG.128, cp.async, ldmatrix.x4, LDS.128, STG.128
    private const int Copied = 4; // scoreboard of copies through registers; 0 and 1 are those of the fragments of even and odd slices
    private const int Full = 1; // barriers of a Hopper stage; 0 is that of the whole CTA
    private const int Empty = 2;
    private const int RunLength = 32; // fused multiply-adds simulated as one instruction
    private readonly SimtSpec _spec;
    private readonly GemmProblem _problem;
    private readonly GemmTile _tile;
    private readonly WarpLatencies _latencies;
    private readonly int _sliceBytes;
    private readonly int _slices;

    private GemmProgram(SimtSpec spec, GemmProblem problem, GemmTile tile)
    {
        (_spec, _problem, _tile) = (spec, problem, tile);
        _latencies = WarpLatencies.Of(spec.TensorCores.Instruction);
        _sliceBytes = problem.Rate.OnTensorCores ? 32 : problem.ElementBytes;
        _slices = tile.KBytes / _sliceBytes;
    }

    /// <summary>The CTA of a kernel that goes through <paramref name="steps"/> k steps and writes <paramref name="outputBytes"/> per result.</summary>
    public static CtaProgram Of(SimtSpec spec, GemmProblem problem, GemmTile tile, int steps, int outputBytes)
    {
        var program = new GemmProgram(spec, problem, tile);
        return program.With(steps, (rows, columns) => program.Epilogue(rows, columns, outputBytes));
    }

    /// <summary>A CTA of stream-K that has as much to do as any: it leaves the sums of one tile in fp32, and adds those of <paramref name="partials"/> other CTAs to another, which it finishes.</summary>
    public static CtaProgram OfShare(SimtSpec spec, GemmProblem problem, GemmTile tile, int steps, int outputBytes, int partials)
    {
        var program = new GemmProgram(spec, problem, tile);
        return program.With(steps, (rows, columns) =>
            [.. program.Epilogue(rows, columns, sizeof(float)), program.AddPartials(rows, columns, partials), .. program.Epilogue(rows, columns, outputBytes)]);
    }

    private CtaProgram With(int steps, Func<int, int, WarpSegment[]> epilogue) => _tile.LoaderWarps > 0 ? WarpSpecialized(steps, epilogue) : Cooperative(steps, epilogue);

    private int RequestWavefronts => Wavefronts(RequestBytes);

    private int Wavefronts(int bytes) => bytes / _spec.Multiprocessor.SharedBytesPerCycle;

    /// <summary>Whether copies pass through registers.</summary>
    private bool Staged => !_problem.Rate.OnTensorCores || _spec.TensorCores.Instruction == MatrixInstruction.Hmma;

    private CtaProgram Cooperative(int steps, Func<int, int, WarpSegment[]> epilogue)
    {
        int ahead = Math.Min(steps, _tile.Stages - 1);
        var program = new WarpProgram(
        [
            new([Setup]),
            new(Prologue(ahead)),
            new(Step(copies: true), steps - ahead),
            new(Step(copies: false), ahead),
            .. epilogue(_tile.WarpM, _tile.WarpN),
        ]);
        return new CtaProgram([.. Enumerable.Repeat(program, _tile.Warps)], [new BarrierSpec(_tile.Warps)]);
    }

    /// <summary>Start of the CTA: parameters, coordinates, addresses.</summary>
    private static WarpInstruction Setup => new(Pipe.Integer) { Stall = FittedConstants.SetupCycles };

    private WarpInstruction[] Prologue(int ahead)
    {
        var list = new List<WarpInstruction>();
        for (int stage = 0; stage < ahead; stage++)
        {
            AddCopies(list);
            AddArrival(list);
        }

        AddHandover(list);
        AddFragments(list, 0);
        return [.. list];
    }

    /// <summary>One k step: slice by slice, fragments of the next slice and copies of a later stage between the multiplies.</summary>
    private WarpInstruction[] Step(bool copies)
    {
        var list = new List<WarpInstruction>();
        List<WarpInstruction> loads = [], other = [];
        if (copies)
        {
            AddCopies(loads);
        }

        for (int slice = 0; slice < _slices; slice++)
        {
            bool last = slice == _slices - 1;
            other.Clear();
            if (last)
            {
                if (copies || !Staged)
                {
                    AddArrival(list);
                }

                AddHandover(list);
            }
            else
            {
                // The copies of the step, in equal parts over all slices but the last.
                int from = loads.Count * slice / (_slices - 1), to = loads.Count * (slice + 1) / (_slices - 1);
                other.AddRange(loads.GetRange(from, to - from));
            }

            AddFragments(other, (slice + 1) % 2);
            Interleave(list, other, Multiply with { Waits = 1 << (slice % 2) }, MultipliesPerSlice);
        }

        return [.. list];
    }

    /// <summary>What a warp's copies brought goes to its stage; asynchronous ones go there themselves, as a group.</summary>
    private void AddArrival(List<WarpInstruction> list)
    {
        if (Staged)
        {
            list.Add(new(Pipe.Shared) { Issues = Copies, Wavefronts = Copies * RequestWavefronts, Waits = 1 << Copied });
        }
        else
        {
            list.Add(new(Pipe.None) { Commits = true });
        }
    }

    /// <summary>The stage that comes next is complete for all warps.</summary>
    private void AddHandover(List<WarpInstruction> list)
    {
        if (!Staged)
        {
            list.Add(new(Pipe.None) { GroupsLeft = Math.Max(0, _tile.Stages - 2) });
        }

        list.Add(Sync);
    }

    private int Copies => Ceiling((_tile.M + _tile.N) * _tile.KBytes, RequestBytes * _tile.Warps);

    private void AddCopies(List<WarpInstruction> list)
    {
        for (int i = 0; i < Copies; i += 2)
        {
            // Two copies in one instruction, and of each two slots: the address moves on, the copy is issued.
            int run = Math.Min(2, Copies - i);
            list.Add(Staged
                ? new(Pipe.Load) { Issues = 2 * run, Bytes = run * RequestBytes, Sets = Copied }
                : new(Pipe.Load) { Issues = 2 * run, Bytes = run * RequestBytes, Wavefronts = run * RequestWavefronts, Joins = true });
        }
    }

    /// <summary>Loads of one slice's operands from shared memory, free of conflicts. Volta's two octets of a quad pair both need each element.</summary>
    private void AddFragments(List<WarpInstruction> list, int scoreboard)
    {
        if (_problem.Rate.OnTensorCores)
        {
            int bytes = (_tile.WarpM + _tile.WarpN) * _sliceBytes * (_spec.TensorCores.Instruction == MatrixInstruction.Hmma ? 2 : 1);
            AddLoads(list, scoreboard, Ceiling(bytes, RequestBytes), RequestWavefronts);
            return;
        }

        (int rows, int columns) = ThreadTile;
        AddLoads(list, scoreboard, Ceiling((rows + columns) * sizeof(float), 16), Wavefronts(128 * FittedConstants.BroadcastWavefronts));
    }

    /// <summary>Shared loads of a slice, simulated as two runs.</summary>
    private void AddLoads(List<WarpInstruction> list, int scoreboard, int count, int wavefronts)
    {
        for (int run = count / 2, left = count; left > 0; run = left -= run)
        {
            if (run > 0)
            {
                list.Add(new(Pipe.Shared, Latency: _latencies.Shared) { Issues = run, Wavefronts = run * wavefronts, Sets = scoreboard });
            }
        }
    }

    /// <summary>Results of a thread on CUDA cores, near square.</summary>
    private (int Rows, int Columns) ThreadTile
    {
        get
        {
            int results = _tile.WarpM * _tile.WarpN / Lanes;
            int rows = results >= 128 ? 16 : results >= 32 ? 8 : 4;
            return (rows, results / rows);
        }
    }

    /// <summary>HMMA 16x16x16 as one, mma.sync m16n8, or a run of fused multiply-adds.</summary>
    private WarpInstruction Multiply
    {
        get
        {
            int subCores = _spec.Multiprocessor.SubCores;
            if (!_problem.Rate.OnTensorCores)
            {
                return new(Pipe.Fp32, RunLength * Lanes * subCores / _spec.Multiprocessor.Fp32Lanes, 2) { Issues = _spec.Multiprocessor.IssueCycles(RunLength) };
            }

            int macs = 16 * MultiplyColumns * _sliceBytes / _problem.ElementBytes;
            return new(Pipe.Tensor, macs * subCores * FittedConstants.TensorCycles(_spec.TensorCores.Instruction) / 32 / _problem.Rate.MacsPerCycle, _latencies.Multiply);
        }
    }

    private int MultiplyColumns => _spec.TensorCores.Instruction == MatrixInstruction.Hmma ? 16 : 8;

    private int MultipliesPerSlice => _problem.Rate.OnTensorCores
        ? _tile.WarpM / 16 * (_tile.WarpN / MultiplyColumns)
        : Ceiling(_tile.WarpM * _tile.WarpN / Lanes, RunLength);

    private int IntegerCycles => Lanes * _spec.Multiprocessor.SubCores / _spec.Multiprocessor.IntegerLanes;

    /// <summary>Bytes of the results through shared memory, sixteen rows at a time, so that stores are whole lines.</summary>
    private WarpSegment[] Epilogue(int rows, int columns, int outputBytes)
    {
        const int Rows = 16;
        int bytes = Rows * columns * outputBytes;
        int wavefronts = Wavefronts(bytes);
        WarpInstruction[] round =
        [
            new(Pipe.Integer, IntegerCycles * Ceiling(Rows * columns, 2 * Lanes)) { Issues = Ceiling(Rows * columns, 2 * Lanes), Stall = 6 + Ceiling(Rows * columns, 2 * Lanes) },
            new(Pipe.Shared) { Wavefronts = wavefronts },
            Sync,
            new(Pipe.Shared, Latency: _latencies.Shared) { Wavefronts = wavefronts, Sets = 0 },
            new(Pipe.Store) { Bytes = bytes, Waits = 1 },
            Sync,
        ];
        return [new(round, Ceiling(rows, Rows))];
    }

    /// <summary>Sums of other CTAs come from L2, sixteen rows at a time, and are added.</summary>
    private WarpSegment AddPartials(int rows, int columns, int partials)
    {
        const int Rows = 16;
        int sums = partials * Rows * columns / Lanes;
        return new(
        [
            new(Pipe.Load) { Issues = Ceiling(sums * sizeof(float), 16), Bytes = partials * Rows * columns * sizeof(float), Sets = 0 },
            new(Pipe.Fp32, sums * Lanes * _spec.Multiprocessor.SubCores / _spec.Multiprocessor.Fp32Lanes) { Issues = _spec.Multiprocessor.IssueCycles(sums), Waits = 1 },
        ],
        Ceiling(rows, Rows));
    }

    private WarpInstruction Sync => new(Pipe.None, Latency: _latencies.Barrier) { Use = BarrierUse.Sync };

    /// <summary>Consumer warpgroups of four warps, and one warp that loads; a stage is a phase of the barriers "full" and "empty".</summary>
    private CtaProgram WarpSpecialized(int steps, Func<int, int, WarpSegment[]> epilogue)
    {
        WarpInstruction[] multiply = Wgmma();
        WarpInstruction wait = new(Pipe.None) { Use = BarrierUse.Wait, Barrier = Full };
        WarpInstruction release = new(Pipe.None) { Use = BarrierUse.Arrive, Barrier = Empty };
        WarpSegment[] loop = _problem.ElementBytes == 1
            ? [new([wait, .. multiply, Promote, release], steps)]
            :
            [
                new([wait, .. multiply]),
                new([wait, .. multiply, release with { GroupsLeft = 1 }], steps - 1),
                new([release with { GroupsLeft = 0 }]),
            ];
        var consumer = new WarpProgram([new([Setup]), .. loop, .. epilogue(_tile.WarpM / 4, _tile.WarpN)]);
        var producer = new WarpProgram(
        [
            new([Setup]),
            new(
            [
                new(Pipe.None) { Use = BarrierUse.Wait, Barrier = Empty },
                new(Pipe.Load, Latency: _latencies.Tma) { Bytes = _tile.M * _tile.KBytes },
                new(Pipe.Load, Latency: _latencies.Tma) { Bytes = _tile.N * _tile.KBytes, Use = BarrierUse.Arrive, Barrier = Full },
            ],
            steps),
        ]);
        return new CtaProgram(
            [.. Enumerable.Repeat(consumer, _tile.Warps), producer],
            [new BarrierSpec(_tile.Warps), new BarrierSpec(1), new BarrierSpec(_tile.Warps, _tile.Stages)]);
    }

    /// <summary>A warp's part of the wgmma of one k step: 64 rows of A and all columns of B are read per instruction of the warpgroup.</summary>
    private WarpInstruction[] Wgmma()
    {
        int perInstruction = 64 * _tile.WarpN * _sliceBytes / _problem.ElementBytes;
        var one = new WarpInstruction(Pipe.Warpgroup, perInstruction / _problem.Rate.MacsPerCycle, _latencies.Multiply)
        {
            Wavefronts = Wavefronts((64 + _tile.WarpN) * _sliceBytes) / _spec.Multiprocessor.SubCores,
            Joins = true,
        };
        WarpInstruction[] all = [.. Enumerable.Repeat(one, _slices * _tile.WarpM / 64)];
        all[^1] = one with { Commits = true };
        return all;
    }

    /// <summary>Sums of fp8 products, which the tensor core keeps with few bits, are added in fp32 on the CUDA cores after every 128 of K (DeepGEMM; DeepSeek-V3, arXiv 2412.19437, 3.3.2).</summary>
    private WarpInstruction Promote
    {
        get
        {
            int sums = _tile.WarpM * _tile.WarpN / (4 * Lanes);
            return new(Pipe.Fp32, sums * Lanes * _spec.Multiprocessor.SubCores / _spec.Multiprocessor.Fp32Lanes) { Issues = sums, GroupsLeft = 0 };
        }
    }

    /// <summary>Spreads <paramref name="other"/> evenly over <paramref name="count"/> multiplies; those between two of them become one instruction.</summary>
    private static void Interleave(List<WarpInstruction> list, List<WarpInstruction> other, WarpInstruction multiply, int count)
    {
        int done = 0;
        for (int i = 0; i < other.Count; i++)
        {
            list.Add(other[i]);
            int until = count * (i + 1) / other.Count;
            AddRun(list, multiply, until - done);
            done = until;
        }

        AddRun(list, multiply, count - done);
    }

    private static void AddRun(List<WarpInstruction> list, WarpInstruction multiply, int count)
    {
        if (multiply.Pipe == Pipe.Fp32)
        {
            Add(list, multiply, count);
        }
        else if (count > 0)
        {
            list.Add(multiply with { PipeCycles = count * multiply.PipeCycles, Stall = count });
        }
    }

    private static void Add(List<WarpInstruction> list, WarpInstruction instruction, int count)
    {
        for (int i = 0; i < count; i++)
        {
            list.Add(instruction);
        }
    }

    private static int Ceiling(int value, int by) => (value + by - 1) / by;
}

/// <summary>Latencies that differ by generation, in SM cycles beyond the time that the unit is held.</summary>
/// <param name="Shared">Load from shared memory or ldmatrix: 19 on V100 (Jia et al. 2018), 23 on A100 (Abdelkhalik et al. 2022), 29 on H100 (measured, CUDA Performance Study).</param>
/// <param name="Multiply">Dependent matrix instruction: V100 33 (Jia et al.), A100 25 less 8 of issue (Sun et al. 2022), H100 32 (Luo et al. 2024).</param>
/// <param name="Tma">What a TMA load takes beyond a plain one: 369 against 264 cycles (H800, Luo et al.).</param>
/// <param name="Barrier">bar.sync once the last warp has come; inferred.</param>
internal sealed record WarpLatencies(int Shared, int Multiply, int Tma, int Barrier)
{
    private static readonly WarpLatencies Volta = new(19, 33, 0, 16);
    private static readonly WarpLatencies Ampere = new(23, 17, 0, 16);
    private static readonly WarpLatencies Hopper = new(29, 32, 105, 16);

    /// <summary>Those of a generation.</summary>
    public static WarpLatencies Of(MatrixInstruction instruction) => instruction switch
    {
        MatrixInstruction.Hmma => Volta,
        MatrixInstruction.MmaSync => Ampere,
        _ => Hopper,
    };
}
