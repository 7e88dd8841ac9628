using System.Text.Json;

namespace Rev.Bench.Runner;

/// <summary>Runs the micro-benchmarks and keeps their figures.</summary>
internal static class Micros
{
    public const string Name = "micro";

    public static async Task Run(Bench bench) => await bench.Once(Name, async group =>
    {
        var artifacts = bench.State.In("micro");
        if (Directory.Exists(artifacts)) Directory.Delete(artifacts, recursive: true);
        var (machine, ours, at) = (Cpu.Machine(), Cpu.Tree(Environment.ProcessId), System.Diagnostics.Stopwatch.GetTimestamp());
        string[] arguments = [bench.Revs.Assembly("Micro"), "--artifacts", artifacts, .. bench.Plan.Quick ? ["--quick"] : Array.Empty<string>()];
        await Shell.Run("dotnet", arguments, new Dictionary<string, string>(StringComparer.Ordinal) { ["DOTNET_TieredPGO"] = "0" });
        var seconds = System.Diagnostics.Stopwatch.GetElapsedTime(at).TotalSeconds * Environment.ProcessorCount;
        var others = Math.Max(0, (Cpu.Machine() - machine - (Cpu.Tree(Environment.ProcessId) - ours)) / seconds);
        foreach (var file in Directory.EnumerateFiles(artifacts, "*-report-full.json", SearchOption.AllDirectories))
        {
            using var report = JsonDocument.Parse(await File.ReadAllTextAsync(file));
            foreach (var benchmark in report.RootElement.GetProperty("Benchmarks").EnumerateArray())
            {
                var statistics = benchmark.GetProperty("Statistics");
                var parameters = benchmark.GetProperty("Parameters").GetString();
                var name = $"{benchmark.GetProperty("Type").GetString()}.{benchmark.GetProperty("Method").GetString()}{(parameters is { Length: > 0 } ? $" {parameters}" : "")}";
                group.Samples.Add(new(name, others, others > Bench.MostOthers, new(StringComparer.Ordinal)
                {
                    ["median"] = statistics.GetProperty("Median").GetDouble(), ["min"] = statistics.GetProperty("Min").GetDouble(), ["max"] = statistics.GetProperty("Max").GetDouble(),
                    ["bytes"] = benchmark.GetProperty("Memory").GetProperty("BytesAllocatedPerOperation").GetDouble(),
                }));
            }
        }
        foreach (var sample in group.Samples) Console.WriteLine($"  {sample.Cell}: {sample.Values["median"]:0.0} ns, {sample.Values["bytes"]:0} B");
    });
}
