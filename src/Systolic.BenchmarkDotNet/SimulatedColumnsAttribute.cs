using BenchmarkDotNet.Configs;
using Systolic.Reporting;

namespace Systolic.BenchmarkDotNet;

/// <summary>Shows, for every benchmark that returns a <see cref="RunReport"/>, what it simulated beside how fast the simulator was.</summary>
/// <remarks>
/// Columns in every export: simulated cycles, time, utilization of the matrix engine, energy, energy-delay product, and time and energy over those of the
/// benchmark with <c>Baseline = true</c>. The JSON export has them as metrics, in seconds and joules. A simulation gives equal figures each time, so they are
/// taken from one more run of each benchmark, with its parameters, arguments and setup, in the process that prints the summary.
/// </remarks>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Assembly)]
public sealed class SimulatedColumnsAttribute : Attribute, IConfigSource
{
    /// <summary>The columns and what fills them, to be added to a configuration of one's own.</summary>
    public IConfig Config { get; } = ManualConfig.CreateEmpty().AddDiagnoser(new SimulatedDiagnoser()).AddColumn([.. SimulatedFigure.All]);
}
