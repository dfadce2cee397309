using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>The stepped and the fast controllers accept and complete the same requests in the same ticks and count the same commands.</summary>
public class DramFidelityTests
{
    private static readonly DramPolicy[] Policies = [DramPolicy.Dramsim3, DramPolicy.Ramulator2, DramPolicy.Ramulator2RowHit];

    public static TheoryData<int, int> StandardsAndPolicies()
    {
        var data = new TheoryData<int, int>();
        for (int standard = 0; standard < DramStandards.All.Length; standard++)
        {
            for (int policy = 0; policy < Policies.Length; policy++)
            {
                data.Add(standard, policy);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(StandardsAndPolicies))]
    public void Random_streams_agree_in_every_tick(int standard, int policy)
    {
        foreach (DramRefresh refresh in Enum.GetValues<DramRefresh>())
        {
            foreach (RandomStream.Shape shape in RandomStream.Shapes)
            {
                Agree(DramStandards.All[standard], Policies[policy] with { Refresh = refresh }, new RandomStream(17 * standard + policy, shape), 400);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Small_queues_and_odd_watermarks_agree_in_every_tick(int policy)
    {
        foreach (RandomStream.Shape shape in RandomStream.Shapes)
        {
            DramPolicy odd = Policies[policy] with { ReadQueue = 3, WriteQueue = 5, BankQueue = 2, IdleWrites = 1, RowHitCap = 2, HighWatermark = 0.5, LowWatermark = 0.1 };
            Agree(DramStandards.Hbm2, odd, new RandomStream(policy, shape), 400);
            Agree(DramStandards.Hbm2Legacy, odd with { ReadQueue = 1, WriteQueue = 1, BankQueue = 1, IdleWrites = 0 }, new RandomStream(policy + 5, shape), 400);
        }
    }

    [Theory]
    [InlineData("rw_alt")]
    [InlineData("two_rd@0")]
    [InlineData("row_conflict_wr")]
    [InlineData("triad@512")]
    [InlineData("tile")]
    [InlineData("rand_rw@64")]
    public void Patterns_give_the_same_report(string pattern)
    {
        foreach (DramPolicy policy in Policies)
        {
            foreach (string injection in (string[])["greedy", "perchan", "window3", "rate40"])
            {
                var device = new DramDevice(DramStandards.Get("HBM2", policy), 2, "fine", policy);
                DramTrafficReport fast = Run(device, pattern, injection, DramFidelity.Fast);
                fast.Should().BeEquivalentTo(Run(device, pattern, injection, DramFidelity.Reference), policy.Name + " " + injection);
                (fast.Counts.Reads + fast.Counts.Writes).Should().BePositive();
            }
        }
    }

    private static DramTrafficReport Run(DramDevice device, string pattern, string injection, DramFidelity fidelity) =>
        DramTraffic.Run(device, DramPattern.Parse(pattern.Replace("@64", "@" + device.Standard.Organization.BurstBytes, StringComparison.Ordinal), device), 1500, DramInjection.Parse(injection), fidelity, TestContext.Current.CancellationToken);

    private static void Agree(DramStandard standard, DramPolicy policy, RandomStream stream, int requests)
    {
        var device = new DramDevice(standard, 1, "fine", policy);
        (List<DramCompletion> completions, List<long> accepted, DramCounts counts) = Drive(device, DramFidelity.Fast, stream.Take(device, requests));
        (List<DramCompletion> expected, List<long> expectedAccepted, DramCounts expectedCounts) = Drive(device, DramFidelity.Reference, stream.Take(device, requests));

        string because = $"{standard.Source}, {policy}, {stream}";
        accepted.Should().Equal(expectedAccepted, because);
        completions.Should().Equal(expected, because);
        counts.Should().Be(expectedCounts, because);
        completions.Should().HaveCount(requests);
    }

    private static (List<DramCompletion> Completions, List<long> Accepted, DramCounts Counts) Drive(
        DramDevice device, DramFidelity fidelity, IEnumerable<(long Address, bool IsWrite, int Gap)> requests)
    {
        var memory = new DramController(device, fidelity);
        (var completions, var accepted) = (new List<DramCompletion>(), new List<long>());
        (long tick, long tag) = (0L, 0L);
        foreach ((long address, bool isWrite, int gap) in requests)
        {
            tick += gap;
            while (!memory.TryEnqueue(address, isWrite, tag, tick))
            {
                tick = memory.NextEvent + 1;
                memory.AdvanceTo(tick);
                Collect(memory, completions);
            }

            accepted.Add(tick);
            tag++;
        }

        while (memory.Outstanding > 0)
        {
            memory.AdvanceTo(memory.NextEvent + 1);
            Collect(memory, completions);
        }

        // What is left to write or to refresh must agree, too.
        memory.AdvanceTo(memory.Now / 10_000 * 10_000 + 30_000);
        return (completions, accepted, memory.Counts);
    }

    private static void Collect(DramController memory, List<DramCompletion> completions)
    {
        while (memory.TryTake(out DramCompletion completion))
        {
            completions.Add(completion);
        }
    }
}
