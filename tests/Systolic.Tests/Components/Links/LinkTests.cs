using CsCheck;
using Systolic.Components;
using Systolic.Machines;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Components;

public class LinkTests
{
    private static readonly Bytes EightMegabytes = Bytes.Parse("8 MB");

    // 4 chips, two links of 10 GB/s, both driven: 20 GB/s; 1 us per hop.
    private static readonly LinkLevel Ring = Level(LinkTopology.Ring, 4, links: 2);

    [Theory]
    [InlineData(CollectiveFunction.AllGather, 303)] // 3/4 x 8 MB / 20 GB/s = 300 us, 3 hops
    [InlineData(CollectiveFunction.ReduceScatter, 303)]
    [InlineData(CollectiveFunction.AllReduce, 606)] // twice both; a tree takes 2 x 8 MB / 10 GB/s = 1,600 us
    [InlineData(CollectiveFunction.AllToAll, 402)] // 3/4 of 8 MB goes (1 + 2 + 1) / 3 hops on average: 8 MB / 20 GB/s = 400 us, 2 hops
    public void A_ring_takes_the_textbook_time(CollectiveFunction function, double microseconds)
    {
        ExchangeCost cost = Ring.Cost(function, EightMegabytes, 4, 4);

        cost.Time.Microseconds.Should().BeApproximately(microseconds, 1e-6);
        cost.Algorithm.Should().Be(function == CollectiveFunction.AllToAll ? "direct" : "ring");
    }

    [Fact]
    public void A_small_sum_goes_up_and_down_a_tree()
    {
        // A ring of 4: 2 hops to the farthest, up and down 4 us; each link carries 1 kB both ways, 2 x 100 ns. The ring takes 6 hops.
        ExchangeCost ring = Ring.Cost(CollectiveFunction.AllReduce, Bytes.Parse("1 kB"), 4, 4);

        // A switch with 8 chips: depth 3, 6 us; two trees keep 20 GB/s busy, 2 x 1 kB / 20 GB/s.
        ExchangeCost through = Level(LinkTopology.Switch, 8, links: 2).Cost(CollectiveFunction.AllReduce, Bytes.Parse("1 kB"), 8, 8);

        (ring.Algorithm, ring.Time).Should().Be(("tree", SimTime.FromNanoseconds(4_200)));
        (through.Algorithm, through.Time).Should().Be(("tree", SimTime.FromNanoseconds(6_100)));
    }

    [Theory]
    [InlineData(LinkTopology.Torus, 16, 16, 40)] // around the whole torus: four links
    [InlineData(LinkTopology.Torus, 4, 16, 20)] // a row closes to a ring: two
    [InlineData(LinkTopology.Torus, 3, 16, 10)] // a line: one
    [InlineData(LinkTopology.Ring, 4, 16, 10)]
    [InlineData(LinkTopology.Switch, 3, 16, 40)]
    public void A_group_sends_on_the_links_that_join_it(LinkTopology topology, int chips, int group, double gigabytes) =>
        Level(topology, 16, links: 4).Rate(chips, group).BytesPerSecond.Should().BeApproximately(gigabytes * 1e9, 1);

    [Fact]
    public void Only_as_many_links_are_driven_as_the_algorithm_drives() =>
        (Level(LinkTopology.Torus, 16, links: 4) with { Rings = 1 }).Rate(16, 16).BytesPerSecond.Should().BeApproximately(10e9, 1);

    [Fact]
    public void Outer_links_carry_the_part_of_an_inner_chip()
    {
        // 8 chips in two rings of 4 behind a switch of 1 GB/s and 10 us. Inside 300 us each way and 3 hops of 1 us; outside 2/2 x 2 MB / 1 GB/s = 2,000 us and 2 hops of 10 us.
        var fabric = new LinkFabric([Ring, Level(LinkTopology.Switch, 8, links: 1) with { Bandwidth = Bandwidth.Parse("1 GB/s"), Latency = SimTime.Parse("10 us") }]);

        fabric.Cost(CollectiveFunction.AllReduce, EightMegabytes, 8).Time.Microseconds.Should().BeApproximately(2_000 + 3 + 3 + 20, 1e-6);
        fabric.Cost(CollectiveFunction.ReduceScatter, EightMegabytes, 8).Time.Microseconds.Should().BeApproximately(1_000 + 3 + 10, 1e-6);

        // Every fourth chip: only the switch joins them.
        fabric.Cost(CollectiveFunction.AllGather, EightMegabytes, 2, stride: 4).Time.Microseconds.Should().BeApproximately(4_010, 1e-6);
        fabric.Send(EightMegabytes, 1).Time.Microseconds.Should().BeApproximately(801, 1e-6);
        fabric.Send(EightMegabytes, 2).Time.Microseconds.Should().BeApproximately(801, 1e-6, "half way round the ring is the furthest");
        fabric.Send(EightMegabytes, 4).Time.Microseconds.Should().BeApproximately(8_010, 1e-6);
    }

    [Fact]
    public void Exchanges_on_the_same_links_take_both_times_and_on_different_ones_the_longer()
    {
        ExchangeCost Cost(int latency, int stream, string algorithm) => new(SimTime.FromNanoseconds(latency), SimTime.FromNanoseconds(stream), new Bytes(stream), algorithm);
        (ExchangeCost ring, ExchangeCost tree) = (Cost(10, 100, "ring"), Cost(5, 30, "tree"));

        ring.Then(ring).Should().Be(Cost(20, 200, "ring"));
        ring.Then(tree).Should().Be(Cost(15, 130, "ring + tree"));
        ring.Piped(tree).Should().Be(Cost(15, 100, "ring + tree") with { Sent = new Bytes(130) });
        tree.Piped(ring).Should().Be(Cost(15, 100, "tree + ring") with { Sent = new Bytes(130) });
        (ExchangeCost.None.Then(tree), ExchangeCost.None.Piped(tree), tree.Piped(ExchangeCost.None)).Should().Be((tree, tree, tree));
        ring.Then(tree).Time.Should().Be(SimTime.FromNanoseconds(145));
    }

    // The guide of the vendor's benchmark, 64 cores of two Trn1 instances: 1 GiB in 41.8 ms, 256 MiB in 11.95 ms.
    [Theory]
    [InlineData("1 GiB", 41_806)]
    [InlineData("256 MiB", 11_954)]
    public void Long_sums_over_two_instances_take_the_published_time(string size, double microseconds)
    {
        ExchangeCost cost = MachinePresets.Load("trn1").Links!.Cost(CollectiveFunction.AllReduce, Bytes.Parse(size), 32);

        (cost.Time.Microseconds / microseconds).Should().BeInRange(0.85, 1.05);
    }

    // Of an all-gather each chip's part reaches the n - 1 others once; reduced, n - 1 partial sums of each part are sent on.
    [Theory]
    [InlineData(CollectiveFunction.AllGather, 1)]
    [InlineData(CollectiveFunction.ReduceScatter, 1)]
    [InlineData(CollectiveFunction.AllReduce, 2)]
    public void A_ring_moves_each_byte_to_every_other_chip(CollectiveFunction function, int times) => Gen.Int[2, 64].Sample(chips =>
    {
        var bytes = new Bytes(chips * 1_000_000L);
        ExchangeCost cost = (Level(LinkTopology.Ring, chips, links: 2) with { Latency = SimTime.Zero }).Cost(function, bytes, chips, chips);
        (cost.Sent * chips).Should().Be(bytes * (times * (chips - 1)));
    });

    [Fact]
    public void More_bandwidth_is_never_slower() => Gen.Select(Gen.Enum<CollectiveFunction>(), Gen.Enum<LinkTopology>(), Gen.Int[2, 64], Gen.Long[1, 1L << 32], Gen.Double[1, 8]).Sample((function, topology, chips, bytes, factor) =>
    {
        LinkLevel level = Level(topology, 64, links: 4);
        SimTime Time(LinkLevel links) => links.Cost(function, new Bytes(bytes), chips, 64).Time;
        Time(level with { Bandwidth = level.Bandwidth * factor }).Should().BeLessThanOrEqualTo(Time(level));
    });

    internal static LinkLevel Level(LinkTopology topology, int chips, int links) => new()
    {
        Name = "links",
        Topology = topology,
        Chips = chips,
        Links = links,
        Rings = links,
        Bandwidth = Bandwidth.Parse("10 GB/s"),
        Latency = SimTime.Parse("1 us"),
    };
}
