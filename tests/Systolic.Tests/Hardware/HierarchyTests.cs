using CsCheck;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Hardware;

/// <summary>One workload over generated memory hierarchies: scratchpad, accumulator memory, DMA engines, a shared cache or none, main memory of another standard.</summary>
public class HierarchyTests
{
    private static readonly DramStandard[] Standards = [DramStandards.Hbm2, DramStandards.Hbm2E, DramStandards.Hbm3, DramStandards.Ddr5, DramStandards.Lpddr5];

    private static readonly Operator[] Workload =
    [
        new MatMul("product", 512, 768, 640), new Norm("norm", NormFunction.Layer, 300, 768), new Attention("attention", 1, 2, 1, 256, 256, 64, true), new Softmax("softmax", 200, 900),
    ];

    private static readonly Gen<Accelerator> Hierarchies =
        from partition in Gen.Int[64, 512]
        from banks in Gen.Int[8, 16]
        from engines in Gen.Int[1, 32]
        from engineRate in Gen.Double[2, 60]
        from outstanding in Gen.Int[1, 64]
        from latency in Gen.Int[50, 3000]
        from standard in Gen.Int[0, Standards.Length - 1].Select(i => Standards[i])
        from channels in Gen.Int[1, 32]
        from share in Gen.Double[0.5, 2]
        from interleave in Gen.Int[0, 3]
        from lookAhead in Gen.Int[1, 32]
        from writes in Gen.Int[4, 64]
        from rules in Gen.Int[0, 3]
        from refresh in Gen.Enum<DramRefresh>()
        from ports in Gen.Select(Gen.Int[1, 4], Gen.Int[1, 4], Gen.Int[0, 6], Gen.Int[0, 100], Gen.Int[0, 100])
        from cache in Gen.Select(Gen.Bool, Gen.Int[0, 4], Gen.Int[1, 16], Gen.Int[1, 500], Gen.Int[1, 16], Gen.Int[10, 3000], Gen.Int[0, 200])
        select WithCache(WithPorts(Make(partition, banks, engines, engineRate, outstanding, latency, standard, channels, share, interleave, lookAhead, writes, rules, refresh), ports), cache);

    [Fact]
    public void Fifty_hierarchies_keep_the_bounds_and_explain_their_time() => Hierarchies.Sample(
        machine =>
        {
            foreach (Program program in Programs(machine))
            {
                CoreRun run = Simulator.Run(program, machine);
                run.Stack.Total.Should().Be(run.Time);
                // A store is complete when the controllers have taken it; what their buffers hold may still wait to be written.
                long buffered = (long)StreamMemory.Share(machine.Memory, machine.Cores) * machine.Memory.WriteBuffer * machine.Memory.Interleave.Value;
                run.Time.Should().BeGreaterThanOrEqualTo(machine.Memory.Bandwidth.TimeFor(new Bytes(Math.Max(run.Counts.DramBytes - run.Counts[ActivityKind.DramWriteByte], run.Counts.DramBytes - buffered))));
                run.Time.Should().BeGreaterThanOrEqualTo(machine.Dma.Bandwidth.TimeFor(new Bytes(Transferred(program))));
                if (machine.SharedCache is { } cache)
                {
                    // What engines read and wrote, and what was fetched and written back. Fetches of part of a line are the only bytes that nobody asked for.
                    long level = run.Counts[ActivityKind.SharedCacheReadByte] + run.Counts[ActivityKind.SharedCacheWriteByte];
                    level.Should().BeLessThanOrEqualTo(Transferred(program) + run.Counts.DramBytes);
                    run.Time.Should().BeGreaterThanOrEqualTo(cache.Bandwidth.TimeFor(new Bytes(level - run.Counts.DramBytes)));
                }
                else
                {
                    run.Counts.DramBytes.Should().Be(Transferred(program));
                }

                run.Busy.Should().OnlyContain(busy => busy <= run.Time);
            }
        },
        iter: 50);

    // For one fixed program. Queues that take turns are a list schedule, and those have anomalies (Graham 1969): a transfer that comes earlier may hold back a more urgent
    // one. The worst of 1,000 machines was 12 % slower; 25 % and a refresh are left.
    [Fact]
    public void Fifty_hierarchies_are_never_slower_with_more_of_anything() => Hierarchies.Sample(
        machine =>
        {
            Accelerator[] better =
            [
                machine with { Memory = machine.Memory with { Bandwidth = machine.Memory.Bandwidth * 2 } },
                machine with { Dma = machine.Dma with { EngineBandwidth = machine.Dma.EngineBandwidth * 2 } },
                machine with { Sbuf = machine.Sbuf with { Ports = ScratchpadSpec.Engines, Width = null, Latency = SimTime.Zero, AccessSetup = 0 } },
                machine with { SharedCache = machine.SharedCache is { } cache ? cache with { Bandwidth = cache.Bandwidth * 2, Latency = SimTime.Zero } : null },
                machine with { Dma = machine.Dma with { TriggerLatency = SimTime.FromNanoseconds(20) } },
            ];
            foreach (Program program in Programs(machine))
            {
                double time = Simulator.Run(program, machine).Time.Microseconds;
                Simulator.Run(program, machine with { Sbuf = machine.Sbuf with { PartitionSize = new Bytes(machine.Sbuf.PartitionSize.Value * 2) } }).Time.Microseconds.Should().Be(time);
                foreach (Accelerator faster in better)
                {
                    Simulator.Run(program, faster).Time.Microseconds.Should().BeLessThanOrEqualTo((time * 1.25) + 0.5, "{0}", Array.IndexOf(better, faster));
                }
            }
        },
        iter: 50);

    private static IEnumerable<Program> Programs(Accelerator machine) => Workload.SelectMany(op => KernelLibrary.Lower(op, machine).Passes.Select(pass => pass.Program));

    private static Accelerator WithPorts(Accelerator machine, (int Sbuf, int Psum, int Width, int Latency, int Setup) ports) => machine with
    {
        Sbuf = machine.Sbuf with { Ports = ports.Sbuf, Width = ports.Width == 0 ? null : new Bytes(1 << ports.Width), Latency = SimTime.FromNanoseconds(ports.Latency), AccessSetup = ports.Setup },
        Psum = machine.Psum with { Ports = ports.Psum },
    };

    private static long Transferred(Program program) =>
        Enum.GetValues<StreamId>().Where(stream => stream.IsQueue() && stream != StreamId.QueueLocal).Sum(stream => program[stream].ToArray().Sum(op => op.TransferBytes));

    private static Accelerator WithCache(Accelerator machine, (bool Is, int Line, int Ways, int Sets, int Banks, int Rate, int Latency) cache)
    {
        long line = Math.Max(machine.Memory.Standard.Organization.BurstBytes, machine.Memory.Interleave.Value >> cache.Line);
        return !cache.Is ? machine : machine with
        {
            SharedCache = new SharedCacheSpec
            {
                Capacity = new Bytes(line * cache.Ways * cache.Sets),
                Line = new Bytes(line),
                Ways = cache.Ways,
                Banks = cache.Banks,
                Bandwidth = Bandwidth.FromGigabytesPerSecond(cache.Rate),
                Latency = SimTime.FromNanoseconds(cache.Latency),
            },
        };
    }

    private static Accelerator Make(
        int partition, int banks, int engines, double engineRate, int outstanding, int latency, DramStandard standard, int channels, double share, int interleave, int lookAhead, int writes, int rules, DramRefresh refresh)
    {
        Accelerator core = rules % 2 == 0 ? Core.Trn1 : Core.Trn2;
        long row = new StreamUnits(standard).RowBytes;
        return core with
        {
            Sbuf = core.Sbuf with { PartitionSize = new Bytes(partition * 1024L) },
            Psum = core.Psum with { Banks = banks, PartitionSize = new Bytes(banks * 2048L), ExclusiveBanks = rules >= 2 },
            Dma = core.Dma with
            {
                Engines = engines,
                EngineBandwidth = Bandwidth.FromGigabytesPerSecond(engineRate),
                Outstanding = new Bytes(outstanding * 512L),
                TriggerLatency = SimTime.FromNanoseconds(latency),
            },
            Memory = core.Memory with
            {
                Standard = standard,
                Channels = channels,
                Bandwidth = Bandwidth.FromGigabytesPerSecond(channels * standard.ChannelBytesPerSecond * share / 1e9),
                Interleave = new Bytes(Math.Max(standard.Organization.BurstBytes, row >> interleave)),
                LookAhead = lookAhead,
                WriteBuffer = writes,
                Refresh = refresh,
            },
        };
    }
}
