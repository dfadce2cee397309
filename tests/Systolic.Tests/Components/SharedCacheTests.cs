using System.Text;
using CsCheck;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Hardware;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Reporting;
using Systolic.Simulation;
using Systolic.Tests.Simulation;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Components;

public class SharedCacheTests
{
    private const int Line = 256;

    /// <summary>Eight lines in four sets; four banks of 16 B/ns; 10 ns to the first byte.</summary>
    private static readonly SharedCacheSpec Small = new()
    {
        Capacity = new Bytes(8 * Line),
        Line = new Bytes(Line),
        Ways = 2,
        Banks = 4,
        Bandwidth = Bandwidth.FromGigabytesPerSecond(64),
        Latency = SimTime.FromNanoseconds(10),
    };

    private static readonly SharedCacheSpec Large = Small with
    {
        Capacity = new Bytes(64 << 20),
        Ways = 16,
        Banks = 16,
        Bandwidth = Bandwidth.FromGigabytesPerSecond(4000),
    };

    [Fact]
    public void A_line_comes_from_main_memory_once_and_then_at_the_rate_of_its_bank()
    {
        var cache = new SharedCache(Small, 1, new FixedMemory());

        Read(cache, 0, Line, 0).Should().Be(10 + 100, "looked up, then read from main memory");
        Read(cache, 0, Line, 200).Should().Be(200 + 10 + 16, "256 B at 16 B/ns");
        Read(cache, 0, Line, 300).Should().Be(300 + 10 + 16);
        Read(cache, 0, Line / 2, 300).Should().Be(300 + 10 + 16 + 8, "its bank is busy with the access before");
        Read(cache, 4 * Line, Line, 400).Should().Be(400 + 10 + 100, "the same bank and set");
        Read(cache, 0, 2 * Line, 600).Should().Be(600 + 10 + 100, "the first line was kept, the second is in another bank and not there");
        Read(cache, 0, 2 * Line, 800).Should().Be(800 + 10 + 16, "two banks at once");
    }

    [Fact]
    public void A_line_on_its_way_is_not_fetched_again()
    {
        var memory = new FixedMemory();
        var cache = new SharedCache(Small, 1, memory);

        Read(cache, 0, Line, 0);
        Read(cache, 0, Line, 50).Should().Be(110, "it comes 100 ns after 10 ns");
        memory.Fetched.Should().Equal(0);
    }

    [Fact]
    public void Whole_lines_are_written_without_a_fetch_and_go_to_main_memory_when_they_are_displaced()
    {
        var memory = new FixedMemory();
        var cache = new SharedCache(Small, 1, memory);

        Write(cache, 0, Line, 0).Should().Be(10 + 16);
        Write(cache, 4 * Line, Line / 2, 100).Should().Be(100 + 10 + 100, "the other half comes from main memory");
        memory.Fetched.Should().Equal(4);
        memory.WrittenBack.Should().BeEmpty();
        Read(cache, 8 * Line, Line, 300).Should().Be(300 + 10 + 100, "the third line of a set of two");
        memory.WrittenBack.Should().Equal(0);
        cache.Finish(1000 * Core.Nanosecond).Should().Be((1000 + 30) * Core.Nanosecond, "main memory takes 30 ns to take a line");
        memory.WrittenBack.Should().Equal(0, 4);
    }

    [Fact]
    public void A_core_has_its_share_of_sets_and_banks()
    {
        var cache = new SharedCache(Small, 4, new FixedMemory());

        Read(cache, 0, Line, 0);
        Read(cache, Line, Line, 200);
        Read(cache, 0, 2 * Line, 400).Should().Be(400 + 10 + 32, "one set of two lines, one bank of 16 B/ns");
        Read(cache, 2 * Line, Line, 600);
        Read(cache, 0, Line, 800).Should().Be(800 + 10 + 100, "displaced");
    }

    [Fact]
    public void A_share_without_a_set_is_refused() => FluentActions.Invoking(() => new SharedCache(Small, 5, new FixedMemory()))
        .Should().Throw<ArgumentException>().WithMessage("sharedCache: found 4 sets and 4 banks for 5 cores, expected at least one of each for each core.");

    [Fact]
    public void Data_whose_place_is_not_known_goes_past()
    {
        var cache = new SharedCache(Small, 1, new FixedMemory());
        for (int i = 0; i < 2; i++)
        {
            cache.Read(0, Line, 0, placed: false).Should().Be((10 + 100) * Core.Nanosecond);
        }

        Counts(cache)[ActivityKind.SharedCacheMiss].Should().Be(0);
    }

    /// <summary>Random accesses: the same hits, fetches and write-backs, in the same order, as a list of each set's lines, last used first.</summary>
    [Fact]
    public void Lines_come_and_go_as_in_lists_of_last_use() => Gen.Select(
        Gen.Int[1, 9], Gen.Int[1, 5], Gen.Select(Gen.Int[0, 40 * Line], Gen.Int[1, 2048], Gen.Bool).Array[1, 200]).Sample((sets, ways, accesses) =>
    {
        var memory = new FixedMemory();
        var cache = new SharedCache(Small with { Capacity = new Bytes(sets * ways * Line), Ways = ways }, 1, memory);
        var model = new LruModel(sets, ways);
        foreach ((int address, int bytes, bool write) in accesses)
        {
            int inPiece = Math.Min(bytes, (int)(memory.Piece - (address % memory.Piece)));
            _ = write ? Write(cache, address, inPiece, 0) : Read(cache, address, inPiece, 0);
            model.Access(address, inPiece, write);
        }

        cache.Finish(0);
        model.Finish();
        memory.Fetched.Should().Equal(model.Fetched);
        memory.WrittenBack.Should().Equal(model.WrittenBack);
        ActivityCounts counts = Counts(cache);
        counts[ActivityKind.SharedCacheHit].Should().Be(model.Hits);
        counts[ActivityKind.SharedCacheMiss].Should().Be(model.Misses);
        counts[ActivityKind.SharedCacheReadByte].Should().Be(accesses.Where(access => !access.Item3).Sum(Moved) + (model.WrittenBack.Count * Line));
        counts[ActivityKind.SharedCacheWriteByte].Should().Be(accesses.Where(access => access.Item3).Sum(Moved) + (model.Fetched.Count * Line));

        long Moved((int Address, int Bytes, bool) access) => Math.Min(access.Bytes, memory.Piece - (access.Address % memory.Piece));
    });

    [Fact]
    public void A_tensor_that_fits_is_read_from_main_memory_once()
    {
        // 4 MiB, four times.
        CoreRun without = LoadFourTimes(Core.Trn2), with = LoadFourTimes(Core.Trn2 with { SharedCache = Large }), small = LoadFourTimes(Core.Trn2 with { SharedCache = Large with { Capacity = new Bytes(2 << 20) } });

        without.Counts[ActivityKind.DramReadByte].Should().Be(16 << 20);
        with.Counts[ActivityKind.DramReadByte].Should().Be(4 << 20);
        small.Counts[ActivityKind.DramReadByte].Should().Be(16 << 20, "the least recently used of 4 MiB in turn is the one needed next");
        with.Counts[ActivityKind.SharedCacheReadByte].Should().Be(16 << 20);
        with.Counts[ActivityKind.SharedCacheWriteByte].Should().Be(4 << 20);
        // Lines of 256 B: 16,384 misses, three times as many hits.
        with.Counts[ActivityKind.SharedCacheMiss].Should().Be(16384);
        with.Counts[ActivityKind.SharedCacheHit].Should().Be(3 * 16384);
        // DMA engines of 368 GB/s are the limit without and with: 45.6 us.
        with.Time.Microseconds.Should().BeInRange(16.777216 / 0.368, without.Time.Microseconds);
    }

    [Fact]
    public void Hits_move_at_the_bandwidth_of_the_level_and_not_of_main_memory()
    {
        // Main memory of one channel in 64, 45 GB/s: 4 MiB from there take 92.6 us, 12 MiB of hits at the engines' 368 GB/s 34.2 us, at a level of 100 GB/s 125.8 us.
        Accelerator slow = Core.WithoutRefresh(Core.Trn2);
        slow = slow with { Memory = slow.Memory with { Channels = 1, Bandwidth = Bandwidth.FromGigabytesPerSecond(2900.0 / 64) } };

        double engines = LoadFourTimes(slow with { SharedCache = Large }).Time.Microseconds;
        double level = LoadFourTimes(slow with { SharedCache = Large with { Bandwidth = Bandwidth.FromGigabytesPerSecond(100) } }).Time.Microseconds;

        // Hits go on while the last 16 x 16 KiB that the engines may have outstanding are still on their way: 5.8 us.
        engines.Should().BeInRange(92.6 + 34.2 - 5.8, (92.6 + 34.2) * 1.05);
        level.Should().BeInRange(92.6 + 125.8 - 5.8, (92.6 + 125.8) * 1.05);
    }

    [Fact]
    public void What_a_program_writes_is_in_main_memory_when_it_ends()
    {
        (CoreRun run, _) = Core.Run(Core.Trn2 with { SharedCache = Large }, kernel => kernel.Store(
            StreamId.QueueActivations, kernel.Output("out", 128, 4096, DataType.Bf16).Part(0, 128), kernel.Sbuf("tile", 4096, DataType.Bf16)[0]));

        run.Counts[ActivityKind.DramWriteByte].Should().Be(128 * 8192);
        run.Counts[ActivityKind.DramReadByte].Should().Be(0);
        run.Time.Should().Be(run.Stack.Total);
    }

    [Fact]
    public void A_product_that_loads_an_operand_again_finds_it_and_the_report_says_so()
    {
        OperatorGraph product = OperatorGraph.Of(new MatMul("product", 4096, 4096, 4096));
        RunReport without = Run(Core.Trn2), with = Run(Core.Trn2 with { SharedCache = Large with { Capacity = new Bytes(128 << 20) } });

        // Three matrices of 32 MiB.
        without.Counts.DramBytes.Should().BeGreaterThan(96 << 20);
        with.Counts.DramBytes.Should().Be(96 << 20);
        with.Traffic.Select(level => level.Level).Should().Contain(["shared cache read", "shared cache written"]);
        with.EnergyBreakdown.Parts.Should().Contain(part => part.Component == "shared cache" && part.Value.Joules > 0);
        with.Time.Should().BeGreaterThanOrEqualTo(with.LowerBound.Time);
        Json(with).Should().Contain("\"shared_cache_hit_rate\"");
        Json(without).Should().NotContain("shared_cache");

        RunReport Run(Accelerator machine) => new SystolicMachine(machine).Run(product, cancellation: TestContext.Current.CancellationToken);
    }

    private static string Json(RunReport report)
    {
        using var text = new MemoryStream();
        JsonReportWriter.Write(text, report);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    private static CoreRun LoadFourTimes(Accelerator machine) => Core.Run(machine, kernel =>
    {
        MemoryTensor tensor = kernel.Input("in", 1024, 2048, DataType.Bf16);
        TileBuffer tiles = kernel.Sbuf("tiles", 2048, DataType.Bf16, 8);
        for (int i = 0; i < 32; i++)
        {
            kernel.Load(StreamId.QueueActivations, tiles[i], tensor.Part(i % 8 * 128, 128));
        }
    }).Run;

    private static ActivityCounts Counts(SharedCache cache)
    {
        var counts = new ActivityCounts();
        cache.Count(counts, 0);
        return counts;
    }

    private static double Read(SharedCache cache, long address, int bytes, long nanoseconds) => cache.Read(address, bytes, nanoseconds * Core.Nanosecond, true) / (double)Core.Nanosecond;

    private static double Write(SharedCache cache, long address, int bytes, long nanoseconds) => cache.Write(address, bytes, nanoseconds * Core.Nanosecond, true) / (double)Core.Nanosecond;

    /// <summary>A main memory that reads in 100 ns and takes a write in 30 ns, whatever else it has to do, and remembers the lines.</summary>
    private sealed class FixedMemory : IMainMemory
    {
        public List<long> Fetched { get; } = [];

        public List<long> WrittenBack { get; } = [];

        public long Piece => 2048;

        public long Read(long address, int bytes, long time, bool placed)
        {
            Remember(Fetched, address, bytes);
            return time + (100 * Core.Nanosecond);
        }

        public long Write(long address, int bytes, long time, bool placed)
        {
            Remember(WrittenBack, address, bytes);
            return time + (30 * Core.Nanosecond);
        }

        public long Finish(long time) => time;

        public void Count(ActivityCounts counts, long end)
        {
        }

        private void Remember(List<long> lines, long address, int bytes)
        {
            (address / Piece).Should().Be((address + bytes - 1) / Piece);
            for (long at = address; at < address + bytes; at += Line)
            {
                lines.Add(at / Line);
            }
        }
    }

    private sealed class LruModel(int sets, int ways)
    {
        private readonly List<(long Line, bool Dirty)>[] _sets = [.. Enumerable.Range(0, sets).Select(_ => new List<(long, bool)>())];

        public List<long> Fetched { get; } = [];

        public List<long> WrittenBack { get; } = [];

        public int Hits { get; private set; }

        public int Misses { get; private set; }

        public void Access(int address, int bytes, bool write)
        {
            foreach (IGrouping<int, int> touched in Enumerable.Range(address, bytes).GroupBy(at => at / Line))
            {
                List<(long Line, bool Dirty)> set = _sets[touched.Key % sets];
                int found = set.FindIndex(held => held.Line == touched.Key);
                bool dirty = write || (found >= 0 && set[found].Dirty);
                if (found >= 0)
                {
                    Hits++;
                    set.RemoveAt(found);
                }
                else
                {
                    Misses++;
                    Drop(set, ways - 1);
                    if (!write || touched.Count() < Line)
                    {
                        Fetched.Add(touched.Key);
                    }
                }

                set.Insert(0, (touched.Key, dirty));
            }
        }

        public void Finish() => WrittenBack.AddRange(_sets.SelectMany(set => set).Where(held => held.Dirty).Select(held => held.Line).Order());

        private void Drop(List<(long Line, bool Dirty)> set, int left)
        {
            foreach ((long line, bool dirty) in set.Skip(left).Where(held => held.Dirty))
            {
                WrittenBack.Add(line);
            }

            set.RemoveRange(Math.Min(left, set.Count), Math.Max(0, set.Count - left));
        }
    }
}
