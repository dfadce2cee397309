using System.Collections.Immutable;
using Systolic.Hardware;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Workloads;

namespace Systolic.Kernels;

/// <summary>The activations of a linked program that stay in SBUF between the operators: their stores and loads become copies on chip.</summary>
/// <remarks>
/// An activation qualifies when nobody else needs it, every operator that touches it says so and moves it by plain loads and stores, and it fits
/// beside the buffers of each two operators that follow each other while it lives. They lie at the highest addresses.
/// </remarks>
internal sealed class ResidentTensors
{
    private readonly List<LinkedPart?> _parts;
    private readonly long _limit;
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<(TileBuffer Buffer, int From, int Until)> _placed = [];

    /// <param name="parts">The operators in order.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="kept">Tensors that must lie in main memory.</param>
    public ResidentTensors(List<LinkedPart?> parts, Accelerator machine, IReadOnlySet<string> kept)
    {
        (_parts, _limit) = (parts, machine.Sbuf.PartitionSize.Value);
        for (int part = 0; part < parts.Count; part++)
        {
            foreach (Tensor tensor in parts[part]?.Op.Writes ?? [])
            {
                string name = tensor.Operand.Name;
                if (tensor.Operand.Role == TensorRole.Activation && !kept.Contains(name) && LastReader(name, part) is { } until && Gap(PerPartition(tensor, machine), part, until) is { } address)
                {
                    _numbers.Add(name, _placed.Count);
                    _placed.Add((new TileBuffer(name, MemorySpace.Sbuf, DataType.Int8, machine.Sbuf.Partitions, (int)PerPartition(tensor, machine), _placed.Count, 1) { Address = address }, part, until));
                }
            }
        }
    }

    /// <summary>A buffer for each of them.</summary>
    public ImmutableArray<TileBuffer> Buffers => [.. _placed.Select(placed => placed.Buffer)];

    /// <summary>Below this address SBUF is free for the buffers of a part.</summary>
    public long LimitOf(int part) => _placed.Where(placed => placed.From <= part && placed.Until >= part).Select(placed => placed.Buffer.Address).DefaultIfEmpty(_limit).Min();

    /// <summary>A transfer of a resident tensor as a copy between tiles, the tensor's numbered behind those of the program; all else as it is.</summary>
    public Instruction Redirect(LinkedPart part, in Instruction step)
    {
        if (_placed.Count == 0 || step.Opcode is not (Opcode.Load or Opcode.Store) || part.Program.MemoryOf(step) is not { Tensor: var tensor })
        {
            return step;
        }

        bool load = step.Opcode == Opcode.Load;
        int index = Array.IndexOf((load ? part.Inputs : part.Outputs) ?? [], tensor);
        if (index < 0 || !_numbers.TryGetValue((load ? part.Op.Reads : part.Op.Writes)[index].Operand.Name, out int number))
        {
            return step;
        }

        int tile = part.Program.Tiles + number;
        return load ? step with { Opcode = Opcode.LocalCopy, First = tile, Memory = -1 } : step with { Opcode = Opcode.LocalCopy, Target = tile, Memory = -1 };
    }

    /// <summary>The last part that reads a tensor; null when a part cannot have it on chip, or none reads it.</summary>
    private int? LastReader(string name, int writer)
    {
        int? last = null;
        for (int part = 0; part < _parts.Count; part++)
        {
            if (_parts[part] is not { } linked)
            {
                continue;
            }

            int read = Find(linked.Op.Reads, name), written = Find(linked.Op.Writes, name);
            bool possible = part == writer ? read < 0 && OnlyBy(linked, Opcode.Store, linked.Outputs, written)
                : written < 0 && (read < 0 || (part > writer && OnlyBy(linked, Opcode.Load, linked.Inputs, read)));
            if (!possible)
            {
                return null;
            }

            last = read >= 0 ? part : last;
        }

        return last;
    }

    /// <summary>All transfers of a tensor have this opcode, and there are some.</summary>
    private static bool OnlyBy(LinkedPart part, Opcode opcode, MemoryTensor[]? tensors, int index)
    {
        bool any = false;
        for (StreamId stream = StreamId.QueueWeights; tensors is not null && stream <= StreamId.QueueLocal; stream++)
        {
            foreach (ref readonly Instruction step in part.Program[stream])
            {
                if (part.Program.MemoryOf(step) is { Tensor: var tensor } && tensor == tensors[index])
                {
                    any = true;
                    if (step.Opcode != opcode)
                    {
                        return false;
                    }
                }
            }
        }

        return any;
    }

    private static int Find(ImmutableArray<Tensor> tensors, string name)
    {
        for (int i = 0; i < tensors.Length; i++)
        {
            if (tensors[i].Operand.Name == name)
            {
                return i;
            }
        }

        return -1;
    }

    private static long PerPartition(in Tensor tensor, Accelerator machine) => Math.Min(int.MaxValue, (tensor.Size.Value + machine.Sbuf.Partitions - 1) / machine.Sbuf.Partitions);

    /// <summary>The highest address that is free from part <paramref name="from"/> to part <paramref name="until"/>; null where what lies there would part neighbours that fit side by side.</summary>
    private long? Gap(long bytes, int from, int until)
    {
        long held = 0;
        for (int part = from; part < until; part++)
        {
            held = Math.Max(held, ProgramLinker.Held(_parts, part) + ProgramLinker.Held(_parts, part + 1));
        }

        long end = _limit;
        foreach ((TileBuffer buffer, int start, int last) in _placed.OrderByDescending(placed => placed.Buffer.End))
        {
            if (start <= until && last >= from && buffer.Address < end && buffer.End > end - bytes)
            {
                end = buffer.Address;
            }
        }

        return held + bytes <= end ? end - bytes : null;
    }
}
