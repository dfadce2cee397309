using System.Globalization;
using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Tests.Docs;

/// <summary>The product that docs/models.md counts and prices by hand: 4096 x 4096 x 4096 bf16 on trn2-core, in blocks of 2048 x 512 x 2048.</summary>
public sealed class ProductByHandTests
{
    private const long Result = 4096L * 4096; // elements
    private const long Products = 32L * 32 * 8; // tiles of 128 x 128 x 512

    private static readonly Dictionary<ActivityKind, long> Counts = new()
    {
        [ActivityKind.MacBf16] = 4096 * Result,
        [ActivityKind.PePipeline] = 4096 * Result,
        [ActivityKind.PeIdleCycle] = 0,
        [ActivityKind.WeightLoad] = Products * 128 * 128,
        [ActivityKind.ScratchpadReadByte] = (Products * ((128 * 128) + (128 * 512)) * 2) + (7 * Result * 4) + (Result * 2), // operands, partial sums, stores
        [ActivityKind.ScratchpadWriteByte] = (32L * 2 * 2048 * 512 * 2) + (7 * Result * 4) + (Result * 2), // loads, partial sums, results
        [ActivityKind.AccumulatorWriteByte] = Products * 128 * 512 * 4,
        [ActivityKind.AccumulatorReadByte] = (Products * 3 / 4 * 128 * 512 * 4) + (8 * Result * 4), // accumulation, evictions
        [ActivityKind.VectorOp] = 8 * Result,
        [ActivityKind.EngineLaneOverhead] = 8 * Result,
        [ActivityKind.EngineInstruction] = (2 * Products) + (8 * 32 * 8) + (32 * 8) + (2 * 32), // products, evictions, loads, stores
        [ActivityKind.DramReadByte] = 32L * 2 * 2048 * 512 * 2,
        [ActivityKind.DramWriteByte] = Result * 2,
        [ActivityKind.NetworkByte] = (32L * 2 * 2048 * 512 * 2) + (Result * 2),
        [ActivityKind.DramActivate] = ((32L * 2 * 2048 * 512 * 2) + (Result * 2)) / 1024, // every row of a KiB once
        [ActivityKind.DramRefresh] = 16 * 2 * 452, // pseudo-channels x 1,763.60 us / 3.9 us
    };

    /// <summary>pJ of a count at 5 nm, class systolic, as the page lists them.</summary>
    private static readonly Dictionary<ActivityKind, double> Picojoules = new()
    {
        [ActivityKind.MacBf16] = 0.4366,
        [ActivityKind.PePipeline] = 0.185,
        [ActivityKind.WeightLoad] = 0.0888,
        [ActivityKind.ScratchpadReadByte] = 1.02,
        [ActivityKind.ScratchpadWriteByte] = 1.275,
        [ActivityKind.AccumulatorReadByte] = 0.2975,
        [ActivityKind.AccumulatorWriteByte] = 0.3719,
        [ActivityKind.VectorOp] = 0.6253,
        [ActivityKind.EngineLaneOverhead] = 1.85,
        [ActivityKind.EngineInstruction] = 7.4,
        [ActivityKind.DramReadByte] = 33.6,
        [ActivityKind.DramWriteByte] = 33.6,
        [ActivityKind.NetworkByte] = 6.288,
        [ActivityKind.DramActivate] = 909,
        [ActivityKind.DramRefresh] = 30_420,
    };

    private static readonly RunReport Report = MachinePresets.Load("trn2-core").Run(OperatorGraph.Of(new MatMul("gemm", 4096, 4096, 4096, LeftTransposed: true)));

    [Fact]
    public void The_simulator_counts_what_the_page_counts() =>
        Enum.GetValues<ActivityKind>().Select(kind => (kind, Report.Counts[kind])).Should().Equal(Enum.GetValues<ActivityKind>().Select(kind => (kind, Counts.GetValueOrDefault(kind))));

    [Fact]
    public void The_page_states_these_counts() =>
        Counts.Values.Where(count => count > 0).Select(count => count.ToString("N0", CultureInfo.InvariantCulture))
            .Where(count => !Pages.Read("docs/models.md").Contains(count)).Should().BeEmpty();

    [Fact]
    public void Every_component_costs_what_the_page_derives()
    {
        var byHand = Counts.Where(line => line.Value > 0)
            .GroupBy(line => line.Key.Component(), line => line.Value * Picojoules[line.Key] * 1e-12)
            .ToDictionary(group => group.Key, group => group.Sum());
        byHand.Add("memory background", 1 * Report.Time.Seconds); // W
        byHand.Add("idle", (16.25 - 1) * Report.Time.Seconds);
        byHand.Add("active clocking", 0);

        Report.EnergyBreakdown.Parts.Select(part => part.Component).Should().BeEquivalentTo(byHand.Keys);
        foreach (EnergyPart part in Report.EnergyBreakdown.Parts)
        {
            part.Value.Joules.Should().BeApproximately(byHand[part.Component], 1e-12, part.Component);
            if (part.Value.Joules > 0)
            {
                Pages.Read("docs/models.md").Should().MatchRegex($@"\| {part.Component} \| [^|]+ \| [\d.]+ mJ \| {part.Value} \|");
            }
        }
    }

    [Fact]
    public void The_time_and_the_energy_are_those_of_the_page()
    {
        string page = Pages.Read("docs/models.md");

        // 8,192 x 512 columns at 2.4 GHz, what is around them, and the start of the program.
        page.Should().Contain(string.Create(CultureInfo.InvariantCulture, $"{Products * 512 / 2.4e9 * 1e6:N2} us of streaming"));
        page.Should().Contain(string.Create(CultureInfo.InvariantCulture, $"{Report.Operators[0].Run.Time.Microseconds:N2} us"));
        page.Should().Contain(string.Create(CultureInfo.InvariantCulture, $"{Report.Time.Microseconds:N2} us"));
        page.Should().Contain(string.Create(CultureInfo.InvariantCulture, $"{Report.Energy.Joules * 1e3:N2} mJ"));
    }
}
