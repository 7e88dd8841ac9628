using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Operations;

public sealed partial class OperationsTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task Health_tells_that_it_lives_and_is_ready(Provider provider)
    {
        var app = await apps.On(provider);
        (await app.Anonymous.Get("/health/live")).Is(200);
        (await app.Anonymous.Get("/health/ready")).Is(200);
    }

    [Theory, EachProvider]
    public async Task Metrics_count_the_calls(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        var pending = await live.Meter(Bodies.Call("pending"));
        (await live.Resolve(pending["outcome_id"]!, "success")).Is(200);

        var metrics = (await app.Anonymous.Get("/metrics")).Is(200);

        foreach (var name in new[] { "rev_meter_calls", "rev_meter_commit_duration", "rev_meter_queue_length", "rev_outcomes_resolved" })
            metrics.Body.ShouldContain(name);
        metrics.Body.ShouldNotContain("outreach-agent-v2");
        metrics.Body.ShouldNotContain(live.Key);
    }

    [Theory, EachProvider]
    public async Task Metrics_have_buckets_that_fit_what_they_measure(Provider provider)
    {
        var app = await apps.On(provider);
        await (await app.SignUpAsync()).Live.Meter(Bodies.Call());

        var metrics = (await app.Anonymous.Get("/metrics")).Is(200).Body;

        double[] seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
        Bounds("rev_request_duration_seconds").ShouldBe(seconds);
        Bounds("rev_meter_commit_duration_seconds").ShouldBe(seconds);
        Bounds("rev_meter_batch_size").ShouldBe([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]);

        IEnumerable<double> Bounds(string name) => Bucket().Matches(metrics).Where(m => m.Groups["name"].Value == name && m.Groups["le"].Value != "+Inf")
            .Select(m => double.Parse(m.Groups["le"].Value, CultureInfo.InvariantCulture)).Distinct().Order();
    }

    [Theory, EachProvider]
    public async Task Outside_development_metrics_and_dashboard_are_for_operators(Provider provider)
    {
        var hash = (await Program("hash-password", RevApp.OperatorPassword)).Output.Trim().Split('\n')[^1].Trim();
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Operators:0:Name"] = RevApp.Operator,
            ["Operators:0:PasswordHash"] = hash,
        }, "Production");
        string Basic(string password) => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RevApp.Operator}:{password}"));

        foreach (var path in new[] { "/hangfire", "/metrics" })
        {
            var refused = (await app.Anonymous.Get(path)).Is(401);
            refused.Header("WWW-Authenticate")!.ShouldContain("Basic");
            (await app.Anonymous.Get(path, ("Authorization", Basic("wrong")))).Is(401);
            (await app.Anonymous.Get(path, ("Authorization", "Basic !!!"))).Is(401);
            (await app.Anonymous.Get(path, ("Authorization", Basic(RevApp.OperatorPassword)))).Is(200);
        }
        var account = await app.SignUpAsync();
        (await account.Live.Get("/hangfire")).Is(401);
        (await app.Anonymous.Get("/health/ready")).Is(200);
        (await Followed(app, "/docs/api")).Is(200);
    }

    [Theory, EachProvider]
    public async Task In_development_the_dashboard_asks_the_operator_too(Provider provider)
    {
        var app = await apps.On(provider);
        (await app.Anonymous.Get("/hangfire")).Is(401);
        (await app.Anonymous.Get("/metrics")).Is(200);
    }

    [Theory, EachProvider]
    public async Task The_OpenAPI_document_is_whole_and_the_one_in_the_repository(Provider provider)
    {
        var app = await apps.On(provider);
        var document = (await app.Anonymous.Get("/openapi/v1.json")).Is(200).Json!.AsObject();

        document["openapi"]!.GetValue<string>().ShouldStartWith("3.1");
        var paths = document["paths"]!.AsObject();
        var documented = paths.SelectMany(path => path.Value!.AsObject()
            .Where(operation => operation.Key is "get" or "put" or "post" or "patch" or "delete")
            .Select(operation => $"{operation.Key.ToUpperInvariant()} {Parameter().Replace(path.Key, "{}").TrimEnd('/')}")).ToList();
        TenantIsolationTests.Routes(app).Except(documented, StringComparer.Ordinal).ShouldBeEmpty("Undocumented.");
        foreach (var (path, operations) in paths)
        {
            if (!path.StartsWith("/v1/", StringComparison.Ordinal)) continue;
            foreach (var (method, operation) in operations!.AsObject())
            {
                if (method == "parameters") continue;
                operation!["summary"]?.GetValue<string>().ShouldNotBeNullOrEmpty($"{method} {path}");
                operation["responses"]!.AsObject().ShouldContain(response => response.Key.StartsWith('4'), $"{method} {path}");
            }
        }

        var committed = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "api", "openapi.json")))!.AsObject();
        document.Remove("servers");
        committed.Remove("servers");
        Difference(committed, document, "").ShouldBeNull("docs/api/openapi.json is not what the code says.");
    }

    [Theory, EachProvider]
    public async Task The_reference_is_shown(Provider provider)
    {
        var app = await apps.On(provider);
        var reference = await Followed(app, "/docs/api");
        reference.Is(200).ContentType.ShouldBe("text/html");
        reference.Body.ShouldNotContain("cdn.jsdelivr.net");
    }

    [Theory, EachProvider]
    public async Task An_unknown_route_or_method_is_a_problem_too(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;

        (await app.Anonymous.Get("/v1/nothing")).Refused(404);
        (await live.Get("/v1/nothing")).Refused(404);
        (await app.Anonymous.Get("/nothing/here")).Refused(404);
        (await live.Get("/v1/events/evt_short")).Refused(404);
        (await live.Get("/v1/events/evt_01arz3ndektsv4rrffq69g5fav")).Refused(404);
        (await live.Get("/v1/outcomes/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV")).Refused(404);
        (await live.Get("/v1/outcomes/%00")).Status.ShouldBeInRange(400, 404);
        (await live.Delete("/v1/meter")).Refused(405).Body.ShouldNotBeEmpty();
        (await live.Get("/v1/meter")).Refused(405);
        (await app.Anonymous.Get("/v1/signup")).Refused(405);
    }

    [Theory, EachProvider]
    public async Task Every_answer_carries_a_request_id(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;

        (await live.Get("/v1/account", ("X-Request-Id", "mine-42"))).Is(200).Header("X-Request-Id").ShouldBe("mine-42");
        (await live.Get("/v1/nothing", ("X-Request-Id", "mine-43"))).Refused(404)["request_id"].ShouldBe("mine-43");
        var own = (await live.Get("/v1/account")).Header("X-Request-Id");
        own.ShouldNotBeNullOrEmpty();
        (await live.Get("/v1/account")).Header("X-Request-Id").ShouldNotBe(own);
        foreach (var insane in new[] { new string('x', 500), "a b<script>", "x;y=\"1\"\\" })
            (await live.Get("/v1/account", ("X-Request-Id", insane))).Is(200).Header("X-Request-Id").ShouldNotBe(insane);
        (await app.Anonymous.Get("/health/live")).Header("X-Request-Id").ShouldNotBeNullOrEmpty();
    }

    [Theory, OneProvider]
    public async Task Verify_finds_what_rollups_say_wrongly_and_a_rebuild_mends_it(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        for (var i = 0; i < 5; i++) await live.Meter(Bodies.Call());
        var pending = await live.Meter(Bodies.Call("pending"));
        (await live.Resolve(pending["outcome_id"]!, "success")).Is(200);
        (await live.Reverse(pending["outcome_id"]!)).Is(200);

        (await Program(app, "--verify")).ExitCode.ShouldBe(0);
        await app.Execute("UPDATE rollups SET bonus_nanos = bonus_nanos + 1");
        var wrong = await Program(app, "--verify");
        wrong.ExitCode.ShouldBe(1, wrong.Output);
        wrong.Output.ShouldNotBeEmpty();
        var rebuilt = await Program(app, "--rebuild-rollups");
        rebuilt.ExitCode.ShouldBe(0, rebuilt.Output);
        (await Program(app, "--verify")).ExitCode.ShouldBe(0);
        await app.RollupsAddUp();
    }

    private static async Task<Answer> Followed(RevApp app, string path)
    {
        var answer = await app.Anonymous.Get(path);
        for (var i = 0; i < 3 && answer.Status is 301 or 302 or 307 or 308; i++)
        {
            path = new Uri(new Uri(new Uri("http://localhost"), path), answer.Header("Location")).PathAndQuery;
            answer = await app.Anonymous.Get(path);
        }
        return answer;
    }

    private static Task<(int ExitCode, string Output)> Program(RevApp app, params string[] arguments) =>
        RevProcess.Run(arguments, RevProcess.Settings(app));

    private static Task<(int ExitCode, string Output)> Program(params string[] arguments) =>
        RevProcess.Run(arguments, new Dictionary<string, string>(StringComparer.Ordinal));

    /// <summary>The first place where two documents differ.</summary>
    private static string? Difference(JsonNode? expected, JsonNode? actual, string path)
    {
        switch (expected, actual)
        {
            case (JsonObject left, JsonObject right):
                foreach (var key in left.Select(item => item.Key).Union(right.Select(item => item.Key), StringComparer.Ordinal))
                {
                    if (!left.ContainsKey(key)) return $"{path}/{key} is not in the file";
                    if (!right.ContainsKey(key)) return $"{path}/{key} is in the file only";
                    if (Difference(left[key], right[key], $"{path}/{key}") is { } found) return found;
                }
                return null;
            case (JsonArray left, JsonArray right):
                if (left.Count != right.Count) return $"{path} has {right.Count} items, in the file {left.Count}";
                for (var i = 0; i < left.Count; i++)
                    if (Difference(left[i], right[i], $"{path}/{i}") is { } found) return found;
                return null;
            default:
                return JsonNode.DeepEquals(expected, actual) ? null : $"{path}: {actual?.ToJsonString()}, in the file {expected?.ToJsonString()}";
        }
    }

    [GeneratedRegex(@"\{[^}]*\}", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Parameter();

    [GeneratedRegex("^(?<name>\\w+)_bucket\\{[^\\n]*le=\"(?<le>[^\"]+)\"", RegexOptions.CultureInvariant | RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Bucket();
}
