using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>A channel as a state: what is described as equal goes on alike, what is not alike is told apart, and what is skipped goes on as if it had been stepped.</summary>
public class ChannelStateTests
{
    // HBM2 of one bus, 16 banks; HBM3 of two buses and two dies; LPDDR5 of two-part activates.
    private static readonly DramStandard[] Standards = [DramStandards.Hbm2Legacy, DramStandards.Hbm3, DramStandards.Lpddr5];
    private static readonly DramPolicy[] Policies = [DramPolicy.Dramsim3, DramPolicy.Ramulator2, DramPolicy.Ramulator2RowHit];

    public static TheoryData<int, int, DramRefresh> Cases()
    {
        var data = new TheoryData<int, int, DramRefresh>();
        for (int standard = 0; standard < Standards.Length; standard++)
        {
            for (int policy = 0; policy < Policies.Length; policy++)
            {
                data.Add(standard, policy, DramRefresh.Off);
                data.Add(standard, policy, DramRefresh.AllBank);
                data.Add(standard, policy, DramRefresh.PerBank);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_skipped_channel_goes_on_as_one_that_was_stepped(int standard, int policy, DramRefresh refresh)
    {
        foreach (RandomStream.Shape shape in RandomStream.Shapes)
        {
            DramDevice device = Device(standard, policy, refresh);
            (Driver here, Driver there) = (new Driver(device, default), new Driver(device, default));
            (long Address, bool IsWrite, int Gap)[] stream = [.. new RandomStream(policy, shape).Take(device, 300)];
            here.Run(stream[..150]);
            there.Run(stream[..150]);
            there.Describe().Equals(here.Describe()).Should().BeTrue();

            // Seven rows and a whole number of ticks of LPDDR5's two phases further; the counts are those of a thousand reads.
            var shift = new DramShift(1_000_000, 7 * device.Mapping.RowStride, 7, 4000);
            there.Skip(shift, new DramCounts { Reads = 1000 });

            there.Describe().Equals(here.Describe()).Should().BeTrue("{0}: places and times are relative", shape.Name);
            here.Run(stream[150..]);
            there.Run(stream[150..]);
            here.Finish();
            there.Finish();
            here.Done.Should().HaveCountGreaterThan(50);
            there.Done.Should().Equal(here.Done, shape.Name);
            there.Accepted.Should().Equal(here.Accepted, shape.Name);
            there.Channel.Counts.Should().Be(here.Channel.Counts with { Reads = here.Channel.Counts.Reads + 1000 });
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    public void Streams_alike_but_for_place_and_time_are_described_as_equal(int standard, int policy)
    {
        DramDevice device = Device(standard, policy, DramRefresh.Off);
        var shift = new DramShift(4096, 3 * device.Mapping.RowStride, 3, 0);
        foreach (RandomStream.Shape shape in RandomStream.Shapes)
        {
            (Driver here, Driver there) = (new Driver(device, default), new Driver(device, shift));
            foreach ((long Address, bool IsWrite, int Gap) request in new RandomStream(5, shape).Take(device, 200))
            {
                here.Run([request]);
                there.Run([request]);
                there.Describe().Equals(here.Describe()).Should().BeTrue(shape.Name);
                there.Describe().GetHashCode().Should().Be(here.Describe().GetHashCode());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void One_request_that_is_different_is_told_apart_while_it_waits(int standard, int policy, DramRefresh refresh)
    {
        DramDevice device = Device(standard, policy, refresh);
        long stride = device.Mapping.RowStride, burst = device.Standard.Organization.BurstBytes;
        (long Address, bool IsWrite, int Gap)[] first = [(0, false, 0), (stride, true, 0)];
        (long, bool, int)[][] streams =
        [
            [.. first], [.. first, (2 * stride, false, 0)], [.. first, (2 * stride, true, 0)], [.. first, (3 * stride, false, 0)], [.. first, (2 * stride + burst, false, 0)],
            [.. first, (2 * stride, false, 1)], [.. first, (2 * stride, false, 0), (2 * stride, false, 0)], [.. first, (2 * stride, false, 0), (3 * stride, false, 0)],
            [.. first, (3 * stride, false, 0), (2 * stride, false, 0)], [(0, false, 0)], [(0, true, 0)], [],
        ];

        DramState[] states = [.. streams.Select(stream =>
        {
            var driver = new Driver(device, default);
            driver.Run(stream);
            return driver.Describe(tick: 1);
        })];

        states.Distinct().Should().HaveCount(streams.Length);
        // Seen from another place all of them are others, but for the empty one.
        for (int i = 0; i < streams.Length - 1; i++)
        {
            var driver = new Driver(device, default);
            driver.Run(streams[i]);
            driver.Describe(tick: 1, address: burst).Equals(states[i]).Should().BeFalse();
        }
    }

    [Fact]
    public void An_idle_channel_of_bank_queues_is_235_numbers_and_a_waiting_read_adds_five()
    {
        // Timers of one bus, one die, 4 groups and 16 banks: 7 + 2 + 3 x 4 + 5 x 16, four activates and two commands. For each bank its row (2), accesses,
        // what it was closed for, length, first read and first write; then two queues, 7 sets of banks, turn, draining, next command, refresh (2), its order, and refreshes at work.
        var driver = new Driver(Device(0, 0, DramRefresh.AllBank), default);
        driver.Describe().Count.Should().Be(7 + 2 + 12 + 80 + 4 + 2 + (16 * 7) + 2 + 7 + 7);

        // Address, acceptance (2), kind, and the end of its list.
        driver.Run([(0, false, 0)]);
        driver.Describe().Count.Should().Be(235 + 5);
    }

    [Fact]
    public void An_idle_channel_of_first_ready_is_336_numbers()
    {
        // The same timers; turn of refreshes: due (2), next (2), step, bus, a die; for reads and writes 3 sets and for each bank the end of its list, first hit and first miss;
        // for each bank its row (2) and active request; two requests of two phases, 3 sets, 7 times, 5 flags, a bank, refresh (2), and refreshes at work.
        new Driver(Device(0, 1, DramRefresh.AllBank), default).Describe().Count.Should().Be(107 + 7 + (2 * (3 + (16 * 3))) + (16 * 3) + 2 + 3 + 7 + 5 + 1 + 2 + 1);
    }

    [Fact]
    public void A_state_holds_times_ahead_places_and_rows_relative_to_its_own()
    {
        DramState Of(Action<DramState> add, long tick = 100, long address = 4096, long row = 8)
        {
            var state = new DramState(tick, address, row);
            add(state);
            return state;
        }

        Of(state => state.AddReady(100)).Should().Be(Of(state => state.AddReady(3)), "both have passed");
        Of(state => state.AddReady(101)).Should().NotBe(Of(state => state.AddReady(100)));
        Of(state => state.AddReady(long.MaxValue)).Should().NotBe(Of(state => state.AddReady(100)), "one never comes");
        Of(state => state.AddReady(105)).Should().Be(Of(state => state.AddReady(205), tick: 200));
        Of(state => state.AddTime(99)).Should().NotBe(Of(state => state.AddTime(100)), "a time counts though it has passed");
        Of(state => state.AddTime(99)).Should().Be(Of(state => state.AddTime(199), tick: 200));
        Of(state => state.AddTime(long.MaxValue)).Should().Be(Of(state => state.AddTime(long.MaxValue), tick: 200)).And.NotBe(Of(state => state.AddTime(100)));
        Of(state => state.AddAddress(4160)).Should().Be(Of(state => state.AddAddress(64), address: 0));
        Of(state => state.AddRow(9)).Should().Be(Of(state => state.AddRow(1), row: 0)).And.NotBe(Of(state => state.AddRow(10)));
        Of(state => state.AddRow(-1)).Should().Be(Of(state => state.AddRow(-1), row: 0)).And.NotBe(Of(state => state.AddRow(8))).And.NotBe(Of(state => state.AddRow(-2)));
        Of(state => state.AddBanks(ulong.MaxValue)).Should().Be(Of(state => state.Add(-1)));
        Of(state => state.Add(1)).Equals((object?)null).Should().BeFalse();
        Of(state => state.Add(0)).Should().NotBe(Of(state => { state.Add(0); state.Add(0); }));
        Of(state => Enumerable.Range(0, 1500).ToList().ForEach(i => state.Add(i))).Count.Should().Be(1500);
        Of(state => Enumerable.Range(0, 1500).ToList().ForEach(i => state.Add(i))).Should().NotBe(Of(state => Enumerable.Range(0, 1500).ToList().ForEach(i => state.Add(i % 1499))));
    }

    [Fact]
    public void What_never_happens_and_no_row_stay_where_they_are()
    {
        var shift = new DramShift(10, 64, 3, 5);
        (shift.Of(7), shift.Of(long.MaxValue), shift.OfRow(4), shift.OfRow(0), shift.OfRow(-1), shift.OfRow(-2)).Should().Be((17, long.MaxValue, 7, 3, -1, -2));
        long[] times = [1, long.MaxValue, 0];
        shift.Apply(times);
        times.Should().Equal(11, long.MaxValue, 10);
    }

    private static DramDevice Device(int standard, int policy, DramRefresh refresh) => new(Standards[standard], 1, "fine", Policies[policy] with { Refresh = refresh });

    /// <summary>Offers requests to one channel and notes what comes back, as if nothing had been moved.</summary>
    private sealed class Driver(DramDevice device, DramShift start)
    {
        private readonly RequestSourceOf _place = new(device);
        private DramShift _moved = start;
        private long _tick;
        private long _tag;

        public IRepeatingChannel Channel { get; } = (IRepeatingChannel)DramChannels.Create(device, DramFidelity.Fast)[0];

        public List<DramCompletion> Done { get; } = [];

        public List<long> Accepted { get; } = [];

        private long Now => _tick + _moved.Ticks;

        public void Run(IEnumerable<(long Address, bool IsWrite, int Gap)> requests)
        {
            foreach ((long address, bool isWrite, int gap) in requests)
            {
                AdvanceTo(_tick + gap);
                (int bank, int row) = _place.Of(address);
                while (!Channel.TryEnqueue(address + _moved.Bytes, bank, row + _moved.Rows, isWrite, _tag + _moved.Requests, Now))
                {
                    AdvanceTo(_tick + 1);
                }

                Accepted.Add(_tick);
                _tag++;
            }
        }

        public void Finish() => AdvanceTo(_tick + 30_000);

        public DramState Describe(long? tick = null, long address = 0)
        {
            AdvanceTo(tick ?? _tick);
            var state = new DramState(Now, _moved.Bytes + address, _moved.Rows);
            Channel.Describe(state);
            return state;
        }

        public void Skip(DramShift shift, DramCounts counts)
        {
            Channel.Skip(shift, counts);
            _moved = shift;
        }

        private void AdvanceTo(long tick)
        {
            for (long next = Channel.NextTick(Now); next < tick + _moved.Ticks; next = Channel.NextTick(next + 1))
            {
                Channel.Execute(next);
                Take();
            }

            _tick = tick;
            Take();
        }

        // A channel that is described or skipped has no completion left.
        private void Take()
        {
            while (Channel.TryTake(long.MaxValue, out DramCompletion completion))
            {
                Done.Add(completion with { Tag = completion.Tag - _moved.Requests, Tick = completion.Tick - _moved.Ticks });
            }
        }
    }

    private sealed class RequestSourceOf(DramDevice device)
    {
        public (int Bank, int Row) Of(long address) => device.Mapping.Locate(address) is var at ? (at.Bank, at.Row) : default;
    }
}
