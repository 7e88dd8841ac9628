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
        var others = new Others();
        string[] arguments = [bench.Revs.Assembly("Micro"), "--artifacts", artifacts, .. bench.Plan.Quick ? ["--quick"] : Array.Empty<string>()];
        await Shell.Run("dotnet", arguments, new Dictionary<string, string>(StringComparer.Ordinal) { ["DOTNET_TieredPGO"] = "0" });
        var share = others.Share();
        foreach (var file in Directory.EnumerateFiles(artifacts, "*-report-full.json", SearchOption.AllDirectories))
        {
            using var report = JsonDocument.Parse(await File.ReadAllTextAsync(file));
            foreach (var benchmark in report.RootElement.GetProperty("Benchmarks").EnumerateArray())
            {
                var statistics = benchmark.GetProperty("Statistics");
                var parameters = benchmark.GetProperty("Parameters").GetString();
                var name = $"{benchmark.GetProperty("Type").GetString()}.{benchmark.GetProperty("Method").GetString()}{(parameters is { Length: > 0 } ? $" {parameters}" : "")}";
                group.Samples.Add(new(name, share, share > Bench.MostOthers, new(StringComparer.Ordinal)
                {
                    ["median"] = statistics.GetProperty("Median").GetDouble(), ["min"] = statistics.GetProperty("Min").GetDouble(), ["max"] = statistics.GetProperty("Max").GetDouble(),
                    ["bytes"] = benchmark.GetProperty("Memory").GetProperty("BytesAllocatedPerOperation").GetDouble(),
                }));
            }
        }
        foreach (var sample in group.Samples) Console.WriteLine($"  {sample.Cell}: {sample.Values["median"]:0.0} ns, {sample.Values["bytes"]:0} B");
    });
}
