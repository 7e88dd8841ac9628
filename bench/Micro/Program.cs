using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

// Micro-benchmarks. --quick is a short job; --artifacts says where the figures go.
var quick = args.Contains("--quick", StringComparer.Ordinal);
var artifacts = args[Array.IndexOf(args, "--artifacts") + 1];
var job = quick
    ? Job.Default.WithWarmupCount(2).WithIterationCount(3).WithIterationTime(Perfolizer.Horology.TimeInterval.FromMilliseconds(100))
    : Job.Default.WithWarmupCount(5).WithIterationCount(15).WithIterationTime(Perfolizer.Horology.TimeInterval.FromMilliseconds(250));
var config = ManualConfig.CreateEmpty()
    .AddJob(job.WithToolchain(InProcessEmitToolchain.Instance))
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddLogger(ConsoleLogger.Default)
    .AddColumnProvider(BenchmarkDotNet.Columns.DefaultColumnProviders.Instance)
    .AddExporter(JsonExporter.Full)
    .WithArtifactsPath(artifacts);
var summaries = BenchmarkSwitcher.FromAssembly(typeof(Rev.Bench.Micro.Pricing).Assembly).RunAllJoined(config);
return summaries.Reports.All(r => r.Success) ? 0 : 1;
