using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Simulation;

/// <summary>A core after its simulation.</summary>
/// <param name="Program">What it executed.</param>
/// <param name="Streams">When each instruction started and completed.</param>
/// <param name="Units">The engines, memory and what they counted.</param>
internal sealed record SimulatedCore(Program Program, StreamState[] Streams, CoreUnits Units)
{
    /// <summary>What the core did for each part of its program until <paramref name="end"/>.</summary>
    /// <remarks>Main memory does not know for whom it works: rows and bytes of a part are those of its transfers' share of all bytes, refreshes those of its time.</remarks>
    public PartRun[] Parts(SimTime end, CycleStack[] stacks)
    {
        var memory = new ActivityCounts();
        Units.Memory.Count(memory, end.Value);
        var parts = new PartRun[stacks.Length];
        (long[] read, long[] written) = Transfers(parts.Length);
        long[] both = [.. read.Zip(written, (r, w) => r + w)], time = [.. stacks.Select(stack => stack.Total.Value)];
        for (int part = 0; part < parts.Length; part++)
        {
            parts[part] = new PartRun(Units.CountsOf(part), Units.BusyWith(part));
        }

        foreach (ActivityKind kind in Enum.GetValues<ActivityKind>())
        {
            if (memory[kind] > 0)
            {
                Share(kind, memory[kind], kind switch { ActivityKind.DramReadByte => read, ActivityKind.DramWriteByte => written, ActivityKind.DramRefresh => time, _ => both }, parts);
            }
        }

        return parts;
    }

    private (long[] Read, long[] Written) Transfers(int parts)
    {
        (long[] read, long[] written) = (new long[parts], new long[parts]);
        for (StreamId stream = StreamId.QueueWeights; stream <= StreamId.QueueLocal; stream++)
        {
            for (int i = 0; i < Program[stream].Length; i++)
            {
                ref readonly Instruction op = ref Program[stream][i];
                int part = Program.PartOf(stream, i);
                read[part] += op.TransferBytes * op.Sources;
                written[part] += op.Opcode.WritesMemory() ? op.TransferBytes : 0;
            }
        }

        return (read, written);
    }

    /// <summary>Divides a count by weights; rounded so that the parts sum to it.</summary>
    private static void Share(ActivityKind kind, long count, long[] weights, PartRun[] parts)
    {
        Int128 total = 0, sum = 0;
        foreach (long weight in weights)
        {
            total += weight;
        }

        long given = 0;
        for (int part = 0; part < parts.Length; part++)
        {
            sum += total == 0 ? (part == 0 ? 1 : 0) : weights[part];
            long until = (long)(sum * count / (total == 0 ? 1 : total));
            parts[part].Counts.Add(kind, until - given);
            given = until;
        }
    }
}

/// <summary>What one core did for one part of its program.</summary>
/// <param name="Counts">Events and bytes.</param>
/// <param name="Busy">Busy time of <see cref="Simulator.Engines"/>.</param>
internal readonly record struct PartRun(ActivityCounts Counts, ImmutableArray<SimTime> Busy);
