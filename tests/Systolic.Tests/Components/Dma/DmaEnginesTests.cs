using Systolic.Accounting;
using Systolic.Components;
using Systolic.Kernels;
using Systolic.Programs;
using Systolic.Tests.Simulation;

namespace Systolic.Tests.Components;

/// <summary>The engines of a core together, beside the same engines stepped one by one in the order of time.</summary>
public class DmaEnginesTests
{
    private const int Pieces = 512;
    private const long Latency = 200_000_000;

    public static TheoryData<int> Counts { get; } = [1, 3, 5, 12, 16];

    [Theory]
    [MemberData(nameof(Counts))]
    public void Pieces_of_engines_are_taken_in_the_order_of_time_and_at_equal_times_of_the_lower_engine(int engines)
    {
        for (int seed = 0; seed < 5; seed++)
        {
            (DmaSpec spec, Program program, List<Call> calls) = RandomTransfers(engines, seed);
            (var memory, var plain) = (new Memory(), new Memory());
            List<TransferEnd> ends = Drive(new DmaEngines(spec, memory), program, calls), expected = DriveOneByOne(spec, plain, program, calls);

            memory.Log.Should().Equal(plain.Log);
            memory.Log.Select(access => access.Time).Should().BeInAscendingOrder();
            ends.Should().Equal(expected);
            ends.Select(end => end.Time).Should().BeInAscendingOrder();
            ends.Select(end => (end.Stream, end.Index)).Should().BeEquivalentTo(calls.Select(call => (call.Stream, call.Index)), "every transfer ends");
        }
    }

    [Theory]
    [MemberData(nameof(Counts))]
    public void Equal_engines_move_their_runs_round_by_round_from_the_lowest_on(int engines)
    {
        // Two runs of 256 B for each engine: 256 B at 23 B/ns take 11,130,434.8 fs, rounded up.
        const long Run = 11_130_435;
        DmaSpec spec = Core.Trn2.Dma with { Engines = engines, PartitionsPerEngine = 2 };
        Program program = Write(spec, kernel => kernel.Load(StreamId.QueueWeights, kernel.Sbuf("tile", 256)[0], 2 * engines, 256));
        var memory = new Memory();
        var dma = new DmaEngines(spec, memory);
        dma.NextTime.Should().Be(long.MaxValue);

        dma.Add(program, StreamId.QueueWeights, 0, 7_000_000);

        // 1,000 ns from the trigger.
        dma.NextTime.Should().Be(1_007_000_000);
        List<TransferEnd> ends = [];
        Step(dma, long.MaxValue, ends);
        memory.Log.Should().Equal(Enumerable.Range(0, 2 * engines).Select(i => new Access((i % engines * 512) + (i / engines * 256), 256, 1_007_000_000 + (i / engines * Run))));
        // The last run has come 200 ns after it was asked for; 300 ns to the consumer.
        ends.Should().Equal(new TransferEnd(StreamId.QueueWeights, 0, 1_007_000_000 + Run + Latency + 300_000_000));
        dma.BusyTime(0).Should().Be(2 * Run, "all were busy for two runs");
        dma.NextTime.Should().Be(long.MaxValue);
    }

    [Fact]
    public void A_transfer_takes_no_more_engines_than_its_partitions_need()
    {
        DmaSpec spec = Core.Trn2.Dma with { Engines = 3 };
        Program program = Write(spec, kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", 256, 3);
            foreach (int runs in (int[])[8, 9, 25])
            {
                kernel.Load(StreamId.QueueWeights, tiles[0], runs, 256);
            }
        });

        // 8 partitions an engine: 8 on one, 8 + 1 on two; 25 on three are 9 + 9 + 7.
        Starts(0).Should().Equal(0);
        Starts(1).Should().Equal(0, 8);
        Starts(2).Should().Equal(0, 9, 18);

        // Runs with which engines begin: those asked for when the transfer arrives.
        IEnumerable<long> Starts(int index)
        {
            var memory = new Memory();
            var dma = new DmaEngines(spec, memory);
            dma.Add(program, StreamId.QueueWeights, index, 0);
            Step(dma, long.MaxValue, []);
            return memory.Log.Where(access => access.Time == 1_000_000_000).Select(access => (access.Address - ((long)index << 24)) / 256);
        }
    }

    [Fact]
    public void Transfers_described_at_run_time_wait_for_the_block_of_their_side_or_for_software()
    {
        // Issue 60 ns; a block 600 ns, software 860 ns, each for one transfer at a time. Block 0 loads, block 1 stores.
        var program = Write(Core.Trn2.Dma, kernel =>
        {
            TileBuffer tiles = kernel.Sbuf("tiles", 256, 1);
            foreach (DescriptorSource source in (DescriptorSource[])[DescriptorSource.Compiled, DescriptorSource.Hardware, DescriptorSource.HardwareOneBlock, DescriptorSource.Software])
            {
                kernel.Descriptors = source;
                kernel.Load(StreamId.QueueWeights, tiles[0], 8, 256);
                kernel.Store(StreamId.QueueStores, tiles[0], 8, 256);
            }
        });
        var dma = new DmaEngines(Core.Trn2.Dma, new Memory());
        Issued(StreamId.QueueWeights).Should().Equal(60, 600, 600, 860);

        dma.Add(program, StreamId.QueueWeights, 1, 600_000_000);
        Issued(StreamId.QueueWeights).Should().Equal([60, 1200, 1200, 860], "its block writes until 600");
        Issued(StreamId.QueueStores).Should().Equal([60, 600, 1200, 860], "stores have another block, unless all have one");

        dma.Add(program, StreamId.QueueStores, 1, 700_000_000);
        Issued(StreamId.QueueWeights).Should().Equal(60, 1200, 1200, 860);
        Issued(StreamId.QueueStores).Should().Equal(60, 1300, 1200, 860);

        dma.Add(program, StreamId.QueueWeights, 3, 860_000_000);
        Issued(StreamId.QueueStores).Should().Equal(60, 1300, 1200, 1720);
        Issued(StreamId.QueueStores, 2000).Should().Equal([2060, 2600, 2600, 2860], "all are free again");

        IEnumerable<long> Issued(StreamId stream, long start = 0) => Enumerable.Range(0, 4).Select(i => dma.IssuedAt(stream, program[stream][i], start * 1_000_000) / 1_000_000);
    }

    private static Program Write(DmaSpec spec, Action<KernelBuilder> write)
    {
        var kernel = new KernelBuilder(Core.Trn2 with { Dma = spec }, "transfers");
        write(kernel);
        return kernel.Build();
    }

    /// <summary>Forty loads and stores of random sizes on four queues, issued at random times.</summary>
    private static (DmaSpec Spec, Program Program, List<Call> Calls) RandomTransfers(int engines, int seed)
    {
        var random = new Random(seed);
        DmaSpec spec = Core.Trn2.Dma with { Engines = engines, PartitionsPerEngine = 1 + random.Next(8) };
        List<Call> calls = [];
        var next = new int[Streams.Count];
        Program program = Write(spec, kernel =>
        {
            Tile tile = kernel.Sbuf("tile", 8192)[0];
            long time = 0;
            for (int i = 0; i < 40; i++)
            {
                StreamId stream = (StreamId)((int)StreamId.QueueWeights + random.Next(4));
                (int runs, int bytes) = (1 + random.Next(128), 1 << random.Next(13));
                if (stream == StreamId.QueueStores)
                {
                    kernel.Store(stream, tile, runs, bytes);
                }
                else
                {
                    kernel.Load(stream, tile, runs, bytes);
                }

                // Some at once, some later.
                time += random.Next(3) * 400_000_000L;
                calls.Add(new Call(stream, next[(int)stream]++, time));
            }
        });
        return (spec, program, calls);
    }

    private static List<TransferEnd> Drive(DmaEngines dma, Program program, List<Call> calls)
    {
        List<TransferEnd> ends = [];
        foreach (Call call in calls)
        {
            Step(dma, call.Time, ends);
            dma.Add(program, call.Stream, call.Index, call.Time);
        }

        Step(dma, long.MaxValue, ends);
        return ends;
    }

    private static void Step(DmaEngines dma, long until, List<TransferEnd> ends)
    {
        while (dma.NextTime < until)
        {
            dma.Step();
            while (dma.TryTake(out TransferEnd end))
            {
                ends.Add(end);
            }
        }
    }

    /// <summary>Looks at all engines before each piece.</summary>
    private static List<TransferEnd> DriveOneByOne(DmaSpec spec, Memory memory, Program program, List<Call> calls)
    {
        DmaEngine[] engines = [.. Enumerable.Range(0, spec.Engines).Select(_ => new DmaEngine(spec, memory, new long[1]))];
        List<TransferEnd> ends = [];
        foreach (Call call in calls)
        {
            StepTo(call.Time);
            Instruction op = program[call.Stream][call.Index];
            int each = Math.Max(spec.PartitionsPerEngine, (op.Partitions + spec.Engines - 1) / spec.Engines), slices = (op.Partitions + each - 1) / each;
            var transfer = new Transfer(spec, program, op, call.Stream, call.Index, 0, slices);
            for (int i = 0; i < slices; i++)
            {
                engines[i].Add(new TransferSlice(transfer, i * each, Math.Min(op.Partitions, (i + 1) * each), call.Time + spec.TriggerLatency.Value), call.Time);
            }
        }

        StepTo(long.MaxValue);
        return ends;

        void StepTo(long until)
        {
            while (engines.MinBy(engine => engine.NextTime) is { } first && first.NextTime < until)
            {
                if (first.Step() is { } done)
                {
                    ends.Add(new TransferEnd(done.Stream, done.Index, done.End + spec.CompletionLatency.Value));
                }
            }
        }
    }

    private sealed record Call(StreamId Stream, int Index, long Time);

    private sealed record Access(long Address, int Bytes, long Time);

    /// <summary>Serves every request after the same time, and notes it.</summary>
    private sealed class Memory : IMainMemory
    {
        public List<Access> Log { get; } = [];

        public long Piece => Pieces;

        public long Read(long address, int bytes, long time, bool placed)
        {
            Log.Add(new Access(address, bytes, time));
            return time + Latency;
        }

        public long Write(long address, int bytes, long time, bool placed) => Read(address, bytes, time, placed);

        public long Finish(long time) => time;

        public void Count(ActivityCounts counts, long end)
        {
        }
    }
}
