using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

// BenchmarkDotNet builds the library again, analyzers included: more than its two minutes on a small machine. Operators have long names.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(
    args,
    ManualConfig.Create(DefaultConfig.Instance).WithBuildTimeout(TimeSpan.FromMinutes(10)).WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(100)));
