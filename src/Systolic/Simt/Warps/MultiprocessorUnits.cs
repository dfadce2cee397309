namespace Systolic.Simt;

/// <summary>Pipes, shared-memory port and the port to L2: when each is free, and when what an instruction asks of it is done.</summary>
/// <remarks>Common to both simulations. All serve in the order of issue; who issues when is found by each on its own.</remarks>
internal sealed class MultiprocessorUnits(MultiprocessorConfig config)
{
    private const int PipesPerSubCore = 4;
    private readonly long[] _free = new long[config.SubCores * PipesPerSubCore];
    private long _shared;
    private long _readTicks;
    private long _writeTicks;

    /// <summary>The first cycle in which the unit takes <paramref name="instruction"/>.</summary>
    public long FreeAt(int subCore, in WarpInstruction instruction) => instruction.Pipe switch
    {
        Pipe.Fp32 or Pipe.Integer or Pipe.Special or Pipe.Tensor => _free[Index(subCore, instruction.Pipe)],
        Pipe.Shared or Pipe.Load or Pipe.Store when instruction.Wavefronts > 0 => _shared - config.SharedQueue,
        _ => 0,
    };

    /// <summary>Takes the unit from cycle <paramref name="now"/>; returns the cycle in which the result is there, a later one.</summary>
    public long Perform(int subCore, in WarpInstruction instruction, in Supply supply, long now)
    {
        if (instruction.Wavefronts > 0)
        {
            _shared = Math.Max(_shared, now) + instruction.Wavefronts;
        }

        long end = now;
        switch (instruction.Pipe)
        {
            case Pipe.Fp32 or Pipe.Integer or Pipe.Special or Pipe.Tensor:
                end = _free[Index(subCore, instruction.Pipe)] = now + instruction.PipeCycles;
                break;
            case Pipe.Warpgroup:
                // The tensor core works through its queue, no faster than shared memory feeds it.
                ref long free = ref _free[Index(subCore, Pipe.Tensor)];
                end = free = Math.Max(Math.Max(free, now) + instruction.PipeCycles, instruction.Wavefronts > 0 ? _shared : 0);
                break;
            case Pipe.Shared:
                end = Math.Max(_shared, now);
                break;
            case Pipe.Load:
                end = Serve(ref _readTicks, supply.ReadTicks, instruction.Bytes, now) + supply.Latency;
                break;
            case Pipe.Store:
                end = Serve(ref _writeTicks, supply.WriteTicks, instruction.Bytes, now);
                break;
        }

        return Math.Max(end + instruction.Latency, now + 1);
    }

    /// <summary>Why a scheduler waits for a unit, or a warp for its result.</summary>
    public static WarpStall Cause(Pipe pipe) => pipe switch
    {
        Pipe.Fp32 or Pipe.Integer or Pipe.Special => WarpStall.Arithmetic,
        Pipe.Tensor or Pipe.Warpgroup => WarpStall.Tensor,
        Pipe.Load => WarpStall.Memory,
        Pipe.None => WarpStall.Barrier,
        _ => WarpStall.Shared,
    };

    /// <summary>Why a scheduler waits to issue <paramref name="instruction"/>: its unit is busy.</summary>
    public static WarpStall BusyCause(in WarpInstruction instruction) => instruction.Pipe == Pipe.Load ? WarpStall.Shared : Cause(instruction.Pipe);

    /// <summary>Adds what is left of every unit's work at <paramref name="now"/> to a state.</summary>
    public void Describe(StateBuffer state, long now)
    {
        foreach (long free in _free)
        {
            state.AddTime(free, now);
        }

        state.AddTime(_shared, now);
        state.AddTime(_readTicks, now * Supply.TicksPerCycle);
        state.AddTime(_writeTicks, now * Supply.TicksPerCycle);
    }

    /// <summary>Moves every unit's time by <paramref name="cycles"/>.</summary>
    public void Shift(long cycles)
    {
        for (int i = 0; i < _free.Length; i++)
        {
            _free[i] += cycles;
        }

        _shared += cycles;
        _readTicks += cycles * Supply.TicksPerCycle;
        _writeTicks += cycles * Supply.TicksPerCycle;
    }

    private static int Index(int subCore, Pipe pipe) => (subCore * PipesPerSubCore) + (int)pipe - (int)Pipe.Fp32;

    private static long Serve(ref long ticks, int ticksPerKiB, int bytes, long now)
    {
        ticks = Math.Max(ticks, now * Supply.TicksPerCycle) + Supply.Ticks(bytes, ticksPerKiB);
        return (ticks + Supply.TicksPerCycle - 1) / Supply.TicksPerCycle;
    }
}
