using System.Collections.Immutable;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Workloads;
using Systolic.Workloads;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

/// <summary>The operators of a section linked for one core.</summary>
internal sealed record Linked(Program Program, ImmutableArray<Operator> Operators)
{
    public static Linked[] Of(string model, string phase, Accelerator machine) => Of(Presets.Graph(model, phase, batch: 1, tokens: 128), machine);

    private static Linked[] Of(OperatorGraph graph, Accelerator machine)
    {
        var kept = graph.Sections.SelectMany(section => section.Inputs).Select(tensor => tensor.Operand.Name).ToHashSet();
        return [.. graph.Sections.Select(section => Of(section, machine, kept))];
    }

    private static Linked Of(GraphSection section, Accelerator machine, HashSet<string> kept)
    {
        var linker = new ProgramLinker(machine, section.Name, kept);
        foreach (Operator op in section.Operators)
        {
            linker.Add(op, KernelLibrary.Lower(op, machine).Passes.Single().Program);
        }

        return new Linked(linker.Build(), section.Operators);
    }
}

/// <summary>Names the first instruction of a linked program that touches a place on chip, or reads a tensor of main memory, before an earlier operator is done with it.</summary>
internal sealed class LinkChecker(Program program, ImmutableArray<Operator> operators, StreamState[] streams)
{
    private readonly Access[] _accesses = [.. Accesses(program)];

    private sealed record Access(StreamId Stream, int Index, int Part, Instruction Op);

    public string? Find() => Places() ?? Tensors();

    /// <summary>Of two parts that touch a place, whatever the later one does there starts after everything of the earlier one is done, or after it in the same stream.</summary>
    private string? Places()
    {
        (TileBuffer Buffer, int Copy)[] tiles = [.. program.Buffers.SelectMany(buffer => Enumerable.Range(0, buffer.Copies).Select(copy => (buffer, copy)))];
        ILookup<int, Access> byTile = _accesses.SelectMany(access => new[] { access.Op.Target, access.Op.Reduced, access.Op.First, access.Op.Second, access.Op.Third }.Where(tile => tile >= 0).Distinct().Select(tile => (tile, access)))
            .ToLookup(pair => pair.tile, pair => pair.access);
        for (int one = 0; one < tiles.Length; one++)
        {
            for (int other = 0; other < tiles.Length; other++)
            {
                if (one == other || !Overlap(tiles[one], tiles[other]))
                {
                    continue;
                }

                foreach (IGrouping<(StreamId Stream, int Part), Access> users in byTile[one].GroupBy(access => (access.Stream, access.Part)))
                {
                    Access first = users.MinBy(Start)!;
                    if (byTile[other].FirstOrDefault(before => before.Part < first.Part && before.Stream != first.Stream && Done(before) > Start(first)) is { } before)
                    {
                        return $"{operators[first.Part].Name}: {first.Stream} {first.Index} ({first.Op.Opcode}) at a place that {operators[before.Part].Name} still uses";
                    }
                }
            }
        }

        return null;
    }

    /// <summary>What reads the output of an earlier operator starts when that one's last store is done.</summary>
    private string? Tensors()
    {
        var stored = new Dictionary<string, long>();
        for (int part = 0; part < operators.Length; part++)
        {
            Operator op = operators[part];
            Access[] loads = [.. _accesses.Where(access => access.Part == part && access.Op.Opcode.ReadsMemory())];
            MemoryTensor[] inputs = [.. loads.Select(load => program.MemoryOf(load.Op)).OfType<MemoryView>().Select(view => view.Tensor).Distinct().OrderBy(tensor => tensor.Index)];
            foreach ((Tensor read, int i) in op.Reads.Select((read, i) => (read, i)))
            {
                bool known = inputs.Length == op.Reads.Length;
                if (stored.TryGetValue(read.Operand.Name, out long done) && known
                    && loads.FirstOrDefault(load => program.MemoryOf(load.Op) is { } view && view.Tensor == inputs[i] && Start(load) < done) is { } early)
                {
                    return $"{op.Name}: {early.Stream} {early.Index} reads {read.Operand.Name} before it is stored";
                }
            }

            long last = _accesses.Where(access => access.Part == part && access.Op.Opcode.WritesMemory()).Select(Done).DefaultIfEmpty().Max();
            foreach (Tensor written in op.Writes)
            {
                stored[written.Operand.Name] = last;
            }
        }

        return null;
    }

    private static bool Overlap((TileBuffer Buffer, int Copy) one, (TileBuffer Buffer, int Copy) other) => one.Buffer.Space == other.Buffer.Space
        && one.Buffer.Start(one.Copy) < other.Buffer.Start(other.Copy + 1) && other.Buffer.Start(other.Copy) < one.Buffer.Start(one.Copy + 1);

    private long Start(Access access) => streams[(int)access.Stream].Start[access.Index];

    private long Done(Access access) => streams[(int)access.Stream].Done[access.Index];

    private static IEnumerable<Access> Accesses(Program program)
    {
        for (StreamId stream = 0; (int)stream < Streams.Count; stream++)
        {
            for (int i = 0; i < program[stream].Length; i++)
            {
                yield return new Access(stream, i, program.PartOf(stream, i), program[stream][i]);
            }
        }
    }
}
