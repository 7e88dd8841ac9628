using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Telemetry;

/// <summary>What is no telemetry, is too much of it, or comes from somebody who may not send it, is refused as a whole.</summary>
public sealed class OtlpLimitTests(Apps apps) : IClassFixture<Apps>
{
    private static readonly (string Name, object Value)[] Service = [("service.name", "s")];

    [Theory, OneProvider]
    public async Task Gzip_is_inflated_up_to_a_bound(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        foreach (var json in Otlp.Encodings) (await Otlp.Export(live, json, [Otlp.Chat(app.Now)], Service, gzip: true)).Done();
        (await app.Count("calls")).ShouldBe(2);

        (await Otlp.Send(live, new byte[21 * 1024 * 1024], json: false, gzip: true)).Is(413).Refusal().ShouldContain("body.too_large");
        (await Otlp.Send(live, Encoding.UTF8.GetBytes(new string(' ', 21 * 1024 * 1024)), json: true, gzip: true)).Is(413).ContentType.ShouldBe("application/problem+json");
        (await Otlp.Send(live, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], json: false, coding: "gzip")).Is(400).Refusal().ShouldContain("body.malformed_gzip");
        (await Otlp.Send(live, [], json: false, coding: "br")).Is(415).Refusal().ShouldContain("body.unsupported_type");
        (await Otlp.Send(live, Otlp.Protobuf([Otlp.Chat(app.Now)], Service, ""), json: false, coding: "identity")).Done();
        (await app.Count("calls")).ShouldBe(3);

        // What was cut off is refused, although all of it could be inflated but the end; members in a row are one body.
        foreach (var json in Otlp.Encodings)
        {
            var body = json ? Encoding.UTF8.GetBytes(Otlp.Json([Otlp.Chat(app.Now)], Service, "").ToJsonString()) : Otlp.Protobuf([Otlp.Chat(app.Now)], Service, "");
            var packed = Otlp.Gzip(body);
            foreach (var missing in new[] { 1, 4, 8, packed.Length / 2, packed.Length - 10 })
                Encoding.UTF8.GetString((await Otlp.Send(live, packed[..^missing], json, coding: "gzip")).Is(400).Body).ShouldContain("body.malformed_gzip");
            (await app.Count("calls")).ShouldBe(json ? 4 : 3);
            (await Otlp.Send(live, [.. Otlp.Gzip(body[..50]), .. Otlp.Gzip(body[50..])], json, coding: "gzip")).Done();
        }
        (await app.Count("calls")).ShouldBe(5);
    }

    [Theory, OneProvider]
    public async Task A_request_has_at_most_10000_spans(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var trace = Otlp.NewTrace();
        var spans = Enumerable.Range(0, 10_001).Select(_ => new Emitted(trace, Otlp.NewId(), "GET /", app.Now)).ToArray();

        (await Otlp.Export(live, json: false, spans)).Is(413).Refusal().ShouldContain("telemetry.too_many_spans");
        (await Otlp.Export(live, json: true, spans)).Is(413).ContentType.ShouldBe("application/problem+json");
        (await Otlp.Export(live, json: false, spans[1..])).Done();
        (await Otlp.Export(live, json: true, spans[1..])).Done();
    }

    [Theory, OneProvider]
    public async Task What_a_span_holds_is_bounded(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        object deep = 1L;
        for (var i = 0; i < 40; i++) deep = new KeyValuePair<string, object>[] { new("x", deep) };
        var many = Enumerable.Range(0, 300).Select(i => (string.Create(CultureInfo.InvariantCulture, $"rev.metadata.a{i}"), (object)1L)).ToArray();

        foreach (var json in Otlp.Encodings)
        {
            (await Otlp.Export(live, json, Otlp.Chat(app.Now).With(("rev.metadata.deep", deep)))).Message.ShouldNotBeNull().ShouldContain("rev.metadata.deep: is nested too deep");
            (await Otlp.Export(live, json, Otlp.Chat(app.Now).With(("rev.metadata.text", new string('x', 65 * 1024))))).Message.ShouldNotBeNull().ShouldContain("rev.metadata.text: is too large");
            (await Otlp.Export(live, json, Otlp.Chat(app.Now).With(("rev.metadata.text", new string('x', 17 * 1024))))).Message.ShouldNotBeNull().ShouldContain("16384 bytes");
            (await Otlp.Export(live, json, Otlp.Chat(app.Now).With(many))).Message.ShouldNotBeNull().ShouldContain("256 attributes");
            (await app.Count("calls")).ShouldBe(json ? 2 : 0);

            // What Rev does not read is no reason to refuse.
            (await Otlp.Export(live, json, Otlp.Chat(app.Now).With(("gen_ai.input.messages", deep), ("gen_ai.prompt", new string('x', 1024 * 1024))))).Done();
            (await Otlp.Export(live, json, Otlp.Chat(app.Now).With([.. many.Select(a => ("other." + a.Item1, a.Item2))]))).Done();
        }
    }

    [Theory, OneProvider]
    public async Task What_is_no_request_of_OTLP_is_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var good = Otlp.Protobuf([Otlp.Chat(app.Now)], Service, "tests");

        for (var length = 1; length < good.Length; length++)
        {
            if (length % 7 != 0 && length < good.Length - 20) continue;
            (await Otlp.Send(live, good[..length], json: false)).Is(400).Refusal().ShouldContain("body.malformed_protobuf");
        }
        (await Otlp.Send(live, "{}"u8.ToArray(), json: false)).Is(400).Refusal().ShouldContain("body.malformed_protobuf");
        foreach (var text in new[] { "", "{", "[", "nonsense" }) (await live.Post(Otlp.Path, text)).Refused(400, "body.malformed_json");
        foreach (var text in new[] { "[]", "1", "null" }) (await live.Post(Otlp.Path, text)).Refused(400, "request.invalid", "body");
        foreach (var (field, text) in new[]
        {
            ("resourceSpans", """{"resource_spans":[]}"""), ("resourceSpans", """{"resourceMetrics":[]}"""), ("resourceSpans", """{"resourceSpans":{}}"""), ("resourceSpans", """{"resourceSpans":[1]}"""), ("scopeSpans", """{"resourceSpans":[{"scopeSpans":"x"}]}"""),
            ("spans", """{"resourceSpans":[{"scopeSpans":[{"spans":[null]}]}]}"""), ("attributes", """{"resourceSpans":[{"resource":{"attributes":7}}]}"""),
        })
            (await live.Post(Otlp.Path, text)).Refused(400, "request.invalid", field);
        (await app.Count("calls")).ShouldBe(0);

        // Half a character in a text that nobody reads is no reason to refuse; in one that is read, it refuses its span.
        var half = Otlp.Json([Otlp.Chat(app.Now).With(("gen_ai.prompt", "HALF"))], Service, "").ToJsonString().Replace("HALF", "\\ud83d", StringComparison.Ordinal);
        (await live.Post(Otlp.Path, half)).Is(200).Body.ShouldBe("{}");
        (await live.Post(Otlp.Path, half.Replace("gen_ai.prompt", "rev.action", StringComparison.Ordinal))).Is(200).Body.ShouldContain("rev.action: is not valid Unicode");
    }

    [Theory, OneProvider]
    public async Task Another_content_type_is_415(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var body = Otlp.Protobuf([Otlp.Chat(app.Now)], Service, "");

        foreach (var type in new[] { "application/protobuf", "application/grpc", "text/plain", "application/vnd.api+json" })
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue(type);
            (await live.SendContent(HttpMethod.Post, Otlp.Path, content)).Refused(415, "body.unsupported_type").Body.ShouldContain("application/x-protobuf");
        }
        using (var content = new ByteArrayContent(body)) (await live.SendContent(HttpMethod.Post, Otlp.Path, content)).Refused(415);
        (await live.Get(Otlp.Path)).Refused(405);
        (await app.Count("calls")).ShouldBe(0);
        using var charset = new StringContent(Otlp.Json([Otlp.Chat(app.Now)], Service, "").ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json", "utf-8"));
        (await live.SendContent(HttpMethod.Post, Otlp.Path, charset)).Is(200);
    }

    [Theory, EachProvider]
    public async Task Spans_are_those_of_their_key_its_mode_and_its_scope(Provider provider)
    {
        var app = await apps.On(provider);
        var (mine, other) = (await app.SignUpAsync(), await app.SignUpAsync());
        var span = Otlp.Chat(app.Now);
        var reader = app.With((await mine.Live.Post("/v1/api_keys", new { name = "n", mode = "live", scopes = new[] { "read" } })).Is(201)["secret"]!);
        var meter = app.With((await mine.Live.Post("/v1/api_keys", new { name = "n", mode = "live", scopes = new[] { "meter:write" } })).Is(201)["secret"]!);

        (await Otlp.Export(reader, json: false, span)).Is(403).Refusal().ShouldContain("auth.missing_scope");
        (await Otlp.Export(app.With("rg_live_unknown"), json: false, span)).Is(401).Refusal().ShouldContain("auth.invalid_key");
        (await Otlp.Export(app.With("rg_live_unknown"), json: true, span)).Is(401).ContentType.ShouldBe("application/problem+json");
        (await app.Count("calls")).ShouldBe(0);

        // The same ids are other spans in each mode and account.
        foreach (var caller in new[] { meter, mine.Test, other.Live, other.Test, mine.Live }) (await Otlp.Export(caller, json: false, span)).Done();
        foreach (var caller in new[] { mine.Live, mine.Test, other.Live, other.Test }) (await caller.All("/v1/events")).Count.ShouldBe(1);
        (await app.Count("calls")).ShouldBe(4);
    }

    [Theory, OneProvider]
    public async Task Too_many_requests_are_told_when_to_come_again(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["RateLimits:Enabled"] = "true", ["RateLimits:PerKey:PerSecond"] = "1", ["RateLimits:PerKey:Burst"] = "2",
        });
        var live = (await app.SignUpAsync()).Live;
        var answers = new List<Exported>();
        for (var i = 0; i < 6; i++) answers.Add(await Otlp.Export(live, json: false, Otlp.Chat(app.Now)));

        var refused = answers.First(answer => answer.Status != 200).Is(429);
        refused.Refusal().ShouldContain("rate.limited");
        refused.Refusal().ShouldContain(refused.RequestId!);
        int.Parse(refused.RetryAfter!, CultureInfo.InvariantCulture).ShouldBeInRange(1, 10);
        (await app.Count("calls")).ShouldBe(answers.Count(answer => answer.Status == 200));
    }
}
