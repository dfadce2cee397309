using Systolic.Components;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;

namespace Systolic.Tests.Simulation;

/// <summary>One core of Trainium2 and short programs on it, for timings derived by hand.</summary>
internal static class Core
{
    public const long Nanosecond = 1_000_000;

    public static Accelerator Trn1 { get; } = MachinePresets.Accelerator("trn1-core");

    public static Accelerator Trn2 { get; } = MachinePresets.Accelerator("trn2-core");

    public static Accelerator Trn3 { get; } = MachinePresets.Accelerator("trn3-core");

    /// <summary>The longest way of a lone access through a memory without refreshes: its row is closed and opened, it is read and moved; and others are before it.</summary>
    public const double MemoryNanoseconds = 120;

    /// <summary>The same machine with a memory that is never refreshed, so that a short transfer takes what can be derived by hand.</summary>
    public static Accelerator WithoutRefresh(Accelerator machine)
    {
        DramStandard standard = machine.Memory.Standard;
        return machine with { Memory = machine.Memory with { Standard = standard with { Timing = standard.Timing with { Refi = 1 << 26 } } } };
    }

    /// <summary>The same machine with engines that never wait for each other at SBUF or PSUM.</summary>
    public static Accelerator WithoutSharing(Accelerator machine) => machine with
    {
        Sbuf = machine.Sbuf with { Exclusions = [] },
        Psum = machine.Psum with { Exclusions = [], ExclusiveBanks = false },
    };

    /// <summary>Writes and runs a program; the builder's first argument places tiles.</summary>
    public static (CoreRun Run, StreamState[] Streams) Run(Accelerator machine, Action<KernelBuilder> write)
    {
        var kernel = new KernelBuilder(machine, "test");
        write(kernel);
        return Simulator.RunWithTimes(kernel.Build(), machine);
    }

    /// <summary>Time to the end of the program, in nanoseconds.</summary>
    public static double Nanoseconds(Accelerator machine, Action<KernelBuilder> write) => Run(machine, write).Run.Time.Value / (double)Nanosecond;

    public static void Copy(KernelBuilder kernel, StreamId engine, int free, DataType type) =>
        kernel.Copy(engine, kernel.Sbuf("target", free * (long)type.ByteSize())[0], kernel.Sbuf("source", free * (long)type.ByteSize())[0], 128, free, type, type);
}
