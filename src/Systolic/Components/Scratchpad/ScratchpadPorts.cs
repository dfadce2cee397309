using Systolic.Programs;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>Which engine is at the scratchpad and the accumulator memory until when; engines that may not be there together wait.</summary>
internal sealed class ScratchpadPorts(ScratchpadSpec sbuf, ScratchpadSpec psum, int tiles)
{
    private const Operands InPsum = Operands.DestinationInPsum | Operands.FirstInPsum | Operands.SecondInPsum;

    private readonly long[] _sbufUntil = new long[Streams.Count];
    private readonly long[] _psumUntil = new long[Streams.Count];
    private readonly (StreamId Engine, long Until)[] _banks = new (StreamId, long)[psum.ExclusiveBanks ? tiles : 0];
    private long _fastUntil;

    /// <summary>When an instruction of an engine that is ready at <paramref name="ready"/> may start. Calls must come in the order of these times.</summary>
    public long Earliest(StreamId engine, in Instruction op, bool fast, long ready)
    {
        long start = ready;
        if (UsesSbuf(engine, op))
        {
            start = Wait(sbuf, _sbufUntil, engine, fast, start);
        }

        if ((op.Operands & InPsum) != 0)
        {
            start = Wait(psum, _psumUntil, engine, fast, start);
            start = Math.Max(start, Bank(op.Target, engine, op.Operands.HasFlag(Operands.DestinationInPsum)));
            start = Math.Max(start, Bank(op.First, engine, op.Operands.HasFlag(Operands.FirstInPsum)));
            start = Math.Max(start, Bank(op.Second, engine, op.Operands.HasFlag(Operands.SecondInPsum)));
        }

        return start;
    }

    /// <summary>The instruction accesses its operands until <paramref name="until"/>.</summary>
    public void Take(StreamId engine, in Instruction op, bool fast, long until)
    {
        if (UsesSbuf(engine, op))
        {
            _sbufUntil[(int)engine] = until;
            _fastUntil = fast ? until : _fastUntil;
        }

        if ((op.Operands & InPsum) != 0)
        {
            _psumUntil[(int)engine] = until;
            Occupy(op.Target, engine, op.Operands.HasFlag(Operands.DestinationInPsum), until);
            Occupy(op.First, engine, op.Operands.HasFlag(Operands.FirstInPsum), until);
            Occupy(op.Second, engine, op.Operands.HasFlag(Operands.SecondInPsum), until);
        }
    }

    /// <summary>Neither memory holds up an instruction once it has its port.</summary>
    public bool ArePlain { get; } = IsPlain(sbuf) && IsPlain(psum);

    /// <summary>By how many cycles the memories hold up an instruction that takes an engine <paramref name="cycles"/>, to set up its accesses and at ports narrower than the engine; and how much later its result can be read.</summary>
    public (Cycles Hold, long Latency) Hold(StreamId engine, in Instruction op, Cycles cycles)
    {
        long setup = 0, access = 0, latency = 0;
        for (int i = 0; i < 2; i++)
        {
            ScratchpadSpec memory = i == 0 ? sbuf : psum;
            long bytes = EngineTraffic.PerPartition(engine, op, psum: i == 1);
            if (bytes > 0)
            {
                setup = Math.Max(setup, memory.AccessSetup);
                access = Math.Max(access, memory.Width is { } width ? (bytes + width.Value - 1) / width.Value : 0);
                latency += memory.Latency.Value;
            }
        }

        return (new Cycles(setup + Math.Max(0, access - cycles.Value)), latency);
    }

    private static bool IsPlain(ScratchpadSpec memory) => memory.Width is null && memory.Latency == SimTime.Zero && memory.AccessSetup == 0;

    /// <summary>An operand lies in SBUF: always of a product, else unless all are in PSUM.</summary>
    private static bool UsesSbuf(StreamId engine, in Instruction op) => engine == StreamId.Tensor
        || (op.Operands & (Operands.DestinationInPsum | Operands.FirstInPsum)) != (Operands.DestinationInPsum | Operands.FirstInPsum)
        || (op.Operands & (Operands.TwoTensors | Operands.SecondInPsum)) == Operands.TwoTensors;

    private long Wait(ScratchpadSpec memory, long[] until, StreamId engine, bool fast, long start)
    {
        foreach (EngineExclusion rule in memory.Exclusions)
        {
            if (rule.First != engine && rule.Second != engine)
            {
                continue;
            }

            StreamId other = rule.First == engine ? rule.Second : rule.First;
            long free = !rule.FastOnly ? until[(int)other] : engine != StreamId.Vector ? _fastUntil : fast ? until[(int)other] : 0;
            start = Math.Max(start, free);
        }

        return memory.Ports < ScratchpadSpec.Engines ? Math.Max(start, PortFree(memory.Ports, until, engine)) : start;
    }

    /// <summary>When so few other engines are left that one of the ports is free.</summary>
    private static long PortFree(int ports, long[] until, StreamId engine)
    {
        Span<long> others = stackalloc long[ScratchpadSpec.Engines];
        until.AsSpan(0, ScratchpadSpec.Engines).CopyTo(others);
        others[(int)engine] = 0;
        others.Sort();
        return others[^ports];
    }

    private long Bank(int tile, StreamId engine, bool inPsum) =>
        inPsum && psum.ExclusiveBanks && tile >= 0 && _banks[tile].Engine != engine ? _banks[tile].Until : 0;

    private void Occupy(int tile, StreamId engine, bool inPsum, long until)
    {
        if (inPsum && psum.ExclusiveBanks && tile >= 0)
        {
            _banks[tile] = (engine, until);
        }
    }
}
