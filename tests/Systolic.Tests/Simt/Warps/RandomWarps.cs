using CsCheck;
using Systolic.Simt;

namespace Systolic.Tests.Simt.Warps;

/// <summary>Random thread blocks that end: every warp passes the same barriers, a producer is as many stages ahead as there are.</summary>
internal static class RandomWarps
{
    private static readonly Gen<WarpInstruction> Plain =
        Gen.Select(Gen.Enum<Pipe>(), Gen.Int[0, 12], Gen.Int[0, 30], Gen.Int[1, 4], Gen.Int[1, 8], Gen.Int[-1, 5], Gen.Int[0, 63], Gen.Int[0, 6]).Select(
            (pipe, cycles, latency, issues, stall, sets, waits, wavefronts) => new WarpInstruction(pipe, cycles, latency)
            {
                Issues = issues,
                Stall = stall,
                Sets = sets,
                Waits = waits & (waits >> 1),
                Wavefronts = pipe is Pipe.Shared or Pipe.Load or Pipe.Warpgroup ? wavefronts : 0,
                Bytes = pipe is Pipe.Load or Pipe.Store ? 128 * (1 + wavefronts) : 0,
            });

    private static readonly Gen<WarpInstruction> Any = Gen.Frequency(
        (6, Plain), (1, Plain.Select(plain => plain with { Joins = true, Commits = true })), (1, Gen.Int[0, 3].Select(left => new WarpInstruction(Pipe.None) { GroupsLeft = left })));

    private static readonly Gen<WarpInstruction[]> Body = Any.Array[1, 6];

    /// <summary>Loops with a barrier at the end of each iteration, and a ring of stages between warp 0 and the others.</summary>
    public static Gen<CtaProgram> Ctas(int iterations) =>
        Gen.Select(Body.Array[3, 9], Gen.Int[1, iterations].Array[3], Gen.Int[1, 3], Gen.Int[1, 2], Gen.Bool).Select((bodies, counts, stages, repeats, ring) =>
        {
            int warps = bodies.Length - 2;
            BarrierSpec[] barriers = [new(warps), new(1), new(Math.Max(1, warps - 1), stages)];
            WarpProgram[] programs = [.. Enumerable.Range(0, warps).Select(w => new WarpProgram(
                [
                    new(bodies[0]),
                    new([.. bodies[w], Sync], counts[0]),
                    new(!ring || warps == 1 ? bodies[1] : w == 0 ? Produce : [Wait(1), .. bodies[w + 1], Release], counts[1]),
                    new([Sync, .. bodies[w + 2]]),
                ],
                1,
                repeats))];
            return new CtaProgram([.. programs], [.. barriers]);
        });

    public static readonly Gen<IReadOnlyList<CtaBatch>> Queues = Gen.Select(Gen.Int[1, 4], Gen.Int[0, 2], Gen.Int[10, 700], Gen.Int[10, 300]).Select(
        IReadOnlyList<CtaBatch> (full, tail, ticks, latency) => [new(full, new Supply(ticks, ticks / 2, latency)), new(tail, new Supply(ticks / 3, ticks / 2, latency))]);

    public static readonly Gen<MultiprocessorConfig> Configs = Gen.Select(Gen.Int[1, 4], Gen.Int[0, 16], Gen.Int[0, 40], Gen.Enum<WarpScheduling>()).Select(
        (subCores, queue, turnaround, rule) => new MultiprocessorConfig(subCores, queue, turnaround, rule));

    private static WarpInstruction Sync => new(Pipe.None, Latency: 3) { Use = BarrierUse.Sync };

    private static WarpInstruction Release => new(Pipe.None) { Use = BarrierUse.Arrive, Barrier = 2 };

    private static WarpInstruction[] Produce =>
    [
        Wait(2),
        new(Pipe.Load, Latency: 5) { Bytes = 2048 },
        new(Pipe.Load, Latency: 9) { Bytes = 1024, Use = BarrierUse.Arrive, Barrier = 1 },
    ];

    private static WarpInstruction Wait(int barrier) => new(Pipe.None) { Use = BarrierUse.Wait, Barrier = barrier };
}
