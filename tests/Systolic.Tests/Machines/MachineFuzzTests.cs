using System.Diagnostics;
using Systolic.Accounting;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Machines;

/// <summary>Files that are almost right: refused with a list of problems, or usable.</summary>
public sealed class MachineFuzzTests
{
    private static readonly OperatorGraph Gemm = OperatorGraph.Of(new MatMul("product", 64, 96, 80));

    [Theory]
    [InlineData("trn2", 20261123)]
    [InlineData("h100", 20261124)]
    public void A_mutated_machine_is_refused_or_runs(string name, int seed)
    {
        var random = new Random(seed);
        string original = MachinePresets.Json(name);
        int read = 0;
        var failures = new List<string>();
        for (int i = 0; i < 2000; i++)
        {
            string mutated = Mutations.Of(original, random);
            var watch = Stopwatch.StartNew();
            try
            {
                IMachine machine = name == "h100" ? SimtReader.Read(mutated, "mutated.json") : new SystolicMachine(AcceleratorReader.Read(mutated, "mutated.json"));
                read++;
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
                RunReport report = machine.Run(Gemm, cancellation: limit.Token);
                report.Time.Should().BeGreaterThanOrEqualTo(report.LowerBound.Time);
                report.Trace.Operators[0].Stack.Total.Should().Be(report.Trace.Operators[0].Time);
            }
            catch (InvalidDocumentException refused)
            {
                refused.Message.Should().StartWith("mutated.json: ");
            }
            catch (CapacityException refused)
            {
                refused.Message.Length.Should().BeGreaterThan(20);
            }
            catch (Exception other)
            {
                failures.Add($"#{i} {other.GetType().Name}: {other.Message}\n{Mutations.Difference(original, mutated)}");
            }

            if (watch.ElapsedMilliseconds > 3000)
            {
                failures.Add($"#{i} took {watch.ElapsedMilliseconds} ms\n{Mutations.Difference(original, mutated)}");
            }
        }

        failures.Should().BeEmpty();
        read.Should().BeGreaterThan(200, "mutations of values often leave a machine");
    }
}
