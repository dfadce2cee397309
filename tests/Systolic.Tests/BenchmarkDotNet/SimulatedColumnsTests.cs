using System.Globalization;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Exporters.Csv;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Systolic.BenchmarkDotNet;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Tests.Cli;
using Systolic.Workloads;

namespace Systolic.Tests.BenchmarkDotNet;

public class SimulatedColumnsTests
{
    /// <summary>Two machines, and a benchmark that simulates nothing.</summary>
    [SimulatedColumns]
    public class Products
    {
        private long _size;

        [Params(256, 512)]
        public long Size { get; set; }

        [GlobalSetup]
        public async Task SetupAsync()
        {
            await Task.Yield();
            _size = Size;
        }

        [Benchmark(Baseline = true)]
        public RunReport First() => Named("trn1-core");

        [Benchmark]
        public RunReport Other() => Named("trn2-core");

        // Benchmarks with other arguments have no baseline in common.
        [Benchmark]
        [Arguments("trn2-core")]
        public RunReport Named(string machine) => Simulate(machine, _size);

        [Benchmark]
        public long Nothing() => Size;
    }

    private static RunReport Simulate(string machine, long size) => MachinePresets.Load(machine).Run(OperatorGraph.Of(new MatMul("product", size, size, size, LeftTransposed: true)));

    [Fact]
    public void Every_export_shows_what_each_benchmark_simulated()
    {
        using var folder = new ScratchFolder();
        BenchmarkRunner.Run<Products>(ManualConfig.CreateEmpty()
            .AddJob(Job.Dry.WithToolchain(InProcessEmitToolchain.Instance))
            .AddLogger(NullLogger.Instance)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddExporter(MarkdownExporter.GitHub, CsvExporter.Default, JsonExporter.Full)
            .WithArtifactsPath(folder["out"]));
        string Export(string pattern) => File.ReadAllText(Directory.GetFiles(folder["out"], pattern, SearchOption.AllDirectories).Single());

        string[][] rows = [.. Export("*.md").Split('\n').Select(Cells)];
        string csv = Export("*.csv");
        using JsonDocument json = JsonDocument.Parse(Export("*.json"));
        foreach (long size in (long[])[256, 512])
        {
            RunReport first = Simulate("trn1-core", size), other = Simulate("trn2-core", size);
            foreach ((string method, RunReport report) in (ReadOnlySpan<(string, RunReport)>)[("First", first), ("Other", other)])
            {
                double time = report.Time.Seconds / first.Time.Seconds, energy = report.Energy / first.Energy;
                string cycles = report.TotalCycles.Value.ToString("N0", CultureInfo.InvariantCulture);
                string share = report.TensorUtilization.ToString("0.0 %", CultureInfo.InvariantCulture);
                string ratios = FormattableString.Invariant($"{time:0.00}x,{energy:0.00}x");
                string[] cells = [cycles, report.Time.ToString(), share, report.Energy.ToString(), FormattableString.Invariant($"{report.EnergyDelayProduct:G4} J s"), .. ratios.Split(',')];
                rows.Should().ContainSingle(row => row[0] == method && row.TakeLast(7).SequenceEqual(cells));
                csv.Should().Contain($",\"{cycles}\",{report.Time},{share},{report.Energy},{cells[4]},{ratios}");
                Metrics(json, method, size).Should().Equal(
                    report.TotalCycles.Value, report.Time.Seconds, report.TensorUtilization, report.Energy.Joules, report.EnergyDelayProduct, time, energy);
            }

        }

        rows.Where(row => row[0] == "Nothing").Should().HaveCount(2).And.OnlyContain(row => row.TakeLast(7).All(cell => cell == "-"));
    }

    private static string[] Cells(string line) => [.. line.Trim().Trim('|').Split('|').Select(cell => cell.Trim().Trim('*'))];

    private static IEnumerable<double> Metrics(JsonDocument json, string method, long size) =>
        json.RootElement.GetProperty("Benchmarks").EnumerateArray()
            .Single(run => run.GetProperty("Method").GetString() == method && run.GetProperty("Parameters").GetString()!.Contains($"Size={size}"))
            .GetProperty("Metrics").EnumerateArray().Select(metric => metric.GetProperty("Value").GetDouble());
}
