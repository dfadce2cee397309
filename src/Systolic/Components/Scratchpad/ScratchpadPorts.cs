using Systolic.Programs;

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

        return start;
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
