using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>
/// Runs every sample of the guide as it is printed, in one shell for each page, and holds what it prints against what the page says
/// comes back. There <c>…</c> stands for anything, and a member <c>"…"</c> for members that are left out.
/// </summary>
public sealed partial class DocsSampleTests(Apps apps) : IClassFixture<Apps>
{
    private const string Anything = "…";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory, OneProvider]
    public Task Quickstart(Provider provider) => Runs(provider, "quickstart", blocks: 13);

    [Theory, OneProvider]
    public Task Concepts(Provider provider) => Runs(provider, "concepts", blocks: 16);

    [Theory, OneProvider]
    public Task Pricing(Provider provider) => Runs(provider, "pricing", blocks: 10);

    [Theory, OneProvider]
    public Task Outcomes(Provider provider) => Runs(provider, "outcomes", blocks: 16);

    [Theory, OneProvider]
    public Task Dashboard(Provider provider) => Runs(provider, "dashboard", blocks: 5);

    [Theory, OneProvider]
    public Task Going_live(Provider provider) => Runs(provider, "going-live", blocks: 6);

    [Fact]
    public void Every_page_of_the_guide_is_run() =>
        Directory.GetFiles(Path.Combine(Repository.Root, "docs", "guide"), "*.md").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)
            .ShouldBe(["concepts", "dashboard", "going-live", "outcomes", "pricing", "quickstart"]);

    [Theory]
    [InlineData("""{"a":"…","b":[1,"x…y"],"…":"…"}""", """{"a":"1","b":[1,"x-y"],"c":2}""", null)]
    [InlineData("""{"a":1}""", """{"a":1,"c":2}""", "$.c is not printed")]
    [InlineData("""{"a":1,"…":"…"}""", """{"b":1}""", "$.a is missing")]
    [InlineData("""{"a":"1"}""", """{"a":"1.0"}""", "$.a is \"1.0\"")]
    [InlineData("""{"a":"…"}""", """{"a":null}""", "$.a is null")]
    [InlineData("""{"a":[1]}""", """{"a":[1,2]}""", "$.a has 2 items")]
    public void What_differs_is_found(string printed, string answer, string? expected) =>
        Difference(JsonNode.Parse(printed), JsonNode.Parse(answer), "$").ShouldBe(expected);

    private async Task Runs(Provider provider, string page, int blocks)
    {
        var app = await apps.On(provider);
        // The quickstart signs up by itself: what it takes the key from is the folder of the mails.
        var account = await app.SignUpAsync();
        var folder = Repository.TemporaryFolder("guide");
        Directory.CreateSymbolicLink(Path.Combine(folder, "data"), app.DataDirectory);
        var address = app.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);
        var samples = (await Samples(page)).ConvertAll(s => s with { Code = s.Code.Replace("http://localhost:5080", address, StringComparison.Ordinal) });
        samples.Count.ShouldBe(blocks, "The page has another number of samples: see that all are run.");

        await Run(folder, await Script(folder, samples), address, page == "quickstart" ? null : account.Live.Key);

        for (var i = 1; i < samples.Count; i++)
        {
            if (samples[i].IsRun || samples[i].Language == "sh") continue;
            samples[i - 1].IsRun.ShouldBeTrue($"Nothing is run before\n{samples[i].Code}");
            var output = await File.ReadAllTextAsync(Path.Combine(folder, Name(i - 1)));
            if (samples[i].Language == "text")
                output.Trim().ShouldBe(samples[i].Code.Trim(), samples[i - 1].Code);
            else
                Difference(JsonNode.Parse(samples[i].Code), Parse(output, samples[i - 1].Code), "$").ShouldBeNull($"{samples[i - 1].Code}\nprinted\n{output}\nnot\n{samples[i].Code}");
        }
    }

    private static async Task<List<Sample>> Samples(string page)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "guide", page + ".md"));
        List<Sample> samples = [.. Fence().Matches(text).Select(m => new Sample(m.Groups["language"].Value, m.Groups["code"].Value)).Where(s => s.Language != "figure")];
        foreach (var sample in samples) sample.Language.ShouldBeOneOf("bash", "sh", "js", "python", "json", "text");
        // The one command that is not run is the one that starts Rev.
        foreach (var sample in samples.Where(s => s.Language == "sh")) sample.Code.Trim().ShouldBe("scripts/run.sh");
        return samples;
    }

    /// <summary>The samples one after the other, what each prints in a file of its own.</summary>
    private static async Task<string> Script(string folder, List<Sample> samples)
    {
        var script = new StringBuilder("set -euo pipefail\n");
        for (var i = 0; i < samples.Count; i++)
        {
            if (!samples[i].IsRun) continue;
            var (language, code) = samples[i];
            if (language != "bash")
            {
                var file = string.Create(CultureInfo.InvariantCulture, $"sample-{i}.{(language == "js" ? "mjs" : "py")}");
                await File.WriteAllTextAsync(Path.Combine(folder, file), code);
                code = $"{(language == "js" ? "node" : "python3")} {file}\n";
            }
            script.Append(CultureInfo.InvariantCulture, $"echo 'sample {i}' >&2\n{{\n{code}}} > {Name(i)}\n");
        }
        var path = Path.Combine(folder, "samples.sh");
        await File.WriteAllTextAsync(path, script.ToString());
        return path;
    }

    private static async Task Run(string folder, string script, string address, string? key)
    {
        var start = new ProcessStartInfo("bash", [script])
        {
            WorkingDirectory = folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["REV"] = address;
        start.Environment["NO_PROXY"] = start.Environment["no_proxy"] = "*";
        start.Environment.Remove("KEY");
        if (key is not null) start.Environment["KEY"] = key;
        using var process = Process.Start(start) ?? throw new InvalidOperationException("bash did not start.");
        var (errors, output) = (process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException exception)
        {
            process.Kill(entireProcessTree: true);
            throw new ShouldAssertException($"The samples did not end within {Patience}; the last was {await errors}", exception);
        }
        process.ExitCode.ShouldBe(0, $"{await errors}\n{await output}\n{await File.ReadAllTextAsync(script)}");
    }

    private static JsonNode? Parse(string output, string sample)
    {
        try
        {
            return JsonNode.Parse(output);
        }
        catch (JsonException exception)
        {
            throw new ShouldAssertException($"{sample}\nprinted no JSON:\n{output}", exception);
        }
    }

    /// <summary>The first place where an answer is not as it is printed; null when there is none.</summary>
    private static string? Difference(JsonNode? printed, JsonNode? answer, string path)
    {
        var otherwise = $"{path} is {answer?.ToJsonString() ?? "null"}";
        switch (printed, answer)
        {
            case (JsonObject map, JsonObject found):
                foreach (var (name, value) in map)
                {
                    if (name == Anything) continue;
                    if (!found.TryGetPropertyValue(name, out var there)) return $"{path}.{name} is missing";
                    if (Difference(value, there, $"{path}.{name}") is { } difference) return difference;
                }
                var more = map.ContainsKey(Anything) ? null : found.Select(member => member.Key).FirstOrDefault(name => !map.ContainsKey(name));
                return more is null ? null : $"{path}.{more} is not printed";
            case (JsonArray list, JsonArray found):
                if (list.Count != found.Count) return string.Create(CultureInfo.InvariantCulture, $"{path} has {found.Count} items");
                for (var i = 0; i < list.Count; i++)
                    if (Difference(list[i], found[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]")) is { } difference) return difference;
                return null;
            case (JsonValue text, JsonValue found) when text.GetValueKind() == JsonValueKind.String && text.GetValue<string>().Contains(Anything, StringComparison.Ordinal):
                return found.GetValueKind() == JsonValueKind.String && Fits(text.GetValue<string>(), found.GetValue<string>()) ? null : otherwise;
            default:
                return JsonNode.DeepEquals(printed, answer) ? null : otherwise;
        }
    }

    private static bool Fits(string printed, string answer) => Regex.IsMatch(
        answer, $"^{string.Join(".+", printed.Split(Anything).Select(Regex.Escape))}$", RegexOptions.CultureInvariant | RegexOptions.Singleline, TimeSpan.FromSeconds(1));

    private static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"output-{index}.txt");

    [GeneratedRegex("^```(?<language>\\w+)[^\\n]*\\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 5000)]
    private static partial Regex Fence();

    private sealed record Sample(string Language, string Code)
    {
        public bool IsRun => Language is "bash" or "js" or "python";
    }
}
