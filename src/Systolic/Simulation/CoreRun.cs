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
    internal static CoreRun Of(Program program, Accelerator machine, StreamState[] streams, CoreUnits units, ImmutableArray<Span> spans)
    {
        var path = new CriticalPath(program, machine, streams, record: !spans.IsEmpty);
        CycleStack stack = path.Attribute();
        stack.Add(CycleComponent.MemoryBandwidth, new SimTime(units.Memory.Finish(stack.Total.Value)) - stack.Total);
        units.Memory.Count(units.Counts, stack.Total.Value);
        ImmutableArray<SimTime> busy = [.. units.Busy.Append(units.Dma.BusyTime).Select(time => new SimTime(time))];
        return new CoreRun(stack.Total, units.Counts, busy, stack, spans.IsEmpty ? spans : new SpanNotes(program, machine, streams, path).On(spans)) { Buffers = Used(program) };
    }

    private static ImmutableArray<BufferUse> Used(Program program)
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
