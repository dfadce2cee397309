using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Simulation;

/// <summary>One program as one core ran it.</summary>
/// <param name="Time">From the first instruction's issue to the last completion.</param>
/// <param name="Counts">Events and bytes.</param>
/// <param name="Busy">Busy time of <see cref="Simulator.Engines"/>.</param>
/// <param name="Stack">Causes along the critical path; sums to <paramref name="Time"/>.</param>
/// <param name="Spans">A span per instruction and transfer, with what it waited for and its part of the critical path; empty unless asked for.</param>
public sealed record CoreRun(SimTime Time, ActivityCounts Counts, ImmutableArray<SimTime> Busy, CycleStack Stack, ImmutableArray<Span> Spans)
{
    /// <summary>The program's buffers and how many copies of each were ever written.</summary>
    public ImmutableArray<BufferUse> Buffers { get; init; } = [];

    /// <summary>What a finished simulation found.</summary>
    internal static CoreRun Of(SimulatedCore core, Accelerator machine, ImmutableArray<Span> spans)
    {
        CoresRun run = CoresRun.Of([core], machine, [spans]);
        (var stack, var counts, var busy) = (new CycleStack(), new ActivityCounts(), new SimTime[Simulator.Engines.Length]);
        for (int part = 0; part < run.Stacks.Length; part++)
        {
            stack.Add(run.Stacks[part], 1);
            counts.Add(run.Cores[0][part].Counts, 1);
            for (int i = 0; i < busy.Length; i++)
            {
                busy[i] += run.Cores[0][part].Busy[i];
            }
        }

        return new CoreRun(stack.Total, counts, [.. busy], stack, run.Spans[0]) { Buffers = Used(core.Program) };
    }

    /// <summary>The buffers of a program and how many copies of each are ever written.</summary>
    internal static ImmutableArray<BufferUse> Used(Program program)
    {
        var written = new bool[program.Tiles];
        foreach (StreamId stream in Enum.GetValues<StreamId>())
        {
            foreach (ref readonly Instruction op in program[stream])
            {
                Write(written, op.Target);
                Write(written, op.Reduced);
            }
        }

        return
        [
            .. program.Buffers.Select(buffer => new BufferUse(
                buffer.Space == MemorySpace.Sbuf ? "sbuf" : "psum", buffer.Name, new Bytes(buffer.BytesPerPartition), buffer.Copies, written.AsSpan(buffer.FirstTile, buffer.Copies).Count(true))),
        ];
    }

    private static void Write(bool[] written, int tile)
    {
        if (tile >= 0)
        {
            written[tile] = true;
        }
    }
}
