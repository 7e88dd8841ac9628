using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Metering;

/// <summary>Each bad input is a clear refusal that names its field, and stores nothing.</summary>
public sealed class BadInputTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_bad_call_is_refused_by_name_and_stores_nothing(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var good = Bodies.Call("pending");
        var long129 = new string('a', 129);
        (string Field, JsonObject Body)[] bodies =
        [
            ("agent_id", good.Without("agent_id")),
            ("agent_id", good.With("agent_id", null)),
            ("agent_id", good.With("agent_id", "")),
            ("agent_id", good.With("agent_id", long129)),
            ("agent_id", good.With("agent_id", "a b")),
            ("agent_id", good.With("agent_id", "ä")),
            ("agent_id", good.With("agent_id", "a/b")),
            ("agent_id", good.With("agent_id", ".")),
            ("agent_id", good.With("agent_id", "..")),
            ("agent_id", good.With("agent_id", 12)),
            ("action", good.Without("action")),
            ("action", good.With("action", "")),
            ("action", good.With("action", long129)),
            ("action", good.With("action", "email sent")),
            ("action", good.With("action", new JsonArray("a"))),
            ("customer_id", good.With("customer_id", "")),
            ("customer_id", good.With("customer_id", long129)),
            ("customer_id", good.With("customer_id", "a\nb")),
            ("model", good.With("model", "")),
            ("model", good.With("model", long129)),
            ("model", good.With("model", "a\u0007b")),
            ("tokens_input", good.With("tokens_input", -1)),
            ("tokens_input", good.With("tokens_input", 1_000_000_001)),
            ("tokens_input", good.With("tokens_input", "12")),
            ("tokens_input", good.With("tokens_input", true)),
            ("tokens_output", good.With("tokens_output", -1)),
            ("tokens_output", good.With("tokens_output", new JsonObject())),
            ("outcome", good.With("outcome", "won")),
            ("outcome", good.With("outcome", "Success")),
            ("outcome", good.With("outcome", "")),
            ("outcome", good.With("outcome", 1)),
            ("expires_at", good.With("expires_at", Bodies.Instant(app.Now.AddMinutes(-1)))),
            ("expires_at", good.With("expires_at", Bodies.Instant(app.Now.AddDays(366)))),
            ("expires_at", good.With("expires_at", "tomorrow")),
            ("expires_at", good.With("expires_at", "2026-13-45T00:00:00Z")),
            ("expires_at", good.With("expires_at", 1_900_000_000)),
            ("expires_at", Bodies.Call().With("expires_at", Bodies.Instant(app.Now.AddDays(1)))),
            ("expires_at", Bodies.Call(null).With("expires_at", Bodies.Instant(app.Now.AddDays(1)))),
            ("occurred_at", good.With("occurred_at", Bodies.Instant(app.Now.AddDays(-36)))),
            ("occurred_at", good.With("occurred_at", Bodies.Instant(app.Now.AddMinutes(10)))),
            ("occurred_at", good.With("occurred_at", "yesterday")),
            ("metadata", good.With("metadata", new JsonArray(1))),
            ("metadata", good.With("metadata", "text")),
            ("metadata", good.With("metadata", 1)),
            ("metadata", good.With("metadata", new JsonObject { ["x"] = new string('x', 17 * 1024) })),
            ("metadata", good.With("metadata", Deep(9))),
            ("idempotency_key", good.With("idempotency_key", "")),
            ("idempotency_key", good.With("idempotency_key", 7)),
        ];
        var before = await app.Counts();
        var wrong = new List<string>();

        foreach (var (field, body) in bodies)
        {
            var answer = await account.Live.TryMeter(body);
            Check(wrong, body.ToJsonString(), () => answer.Refused(400, field: field));
        }

        wrong.ShouldBeEmpty();
        (await app.Counts()).ShouldBe(before);
        await account.Live.Meter(good.With("metadata", Deep(8)).With("tokens_input", 1_000_000_000));
    }

    [Theory, EachProvider]
    public async Task Whole_numbers_are_written_as_whole_numbers(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var before = await app.Counts();
        var wrong = new List<string>();

        foreach (var number in new[] { "12.0", "12.5", "1e3", "1E3", "-0.0", "\"12\"", "9007199254740993", "99999999999999999999999999", "1e400", "[]", "-1" })
        {
            foreach (var field in new[] { "tokens_input", "tokens_output" })
            {
                var answer = await account.Live.TryMeter($$"""{"agent_id":"a","action":"b","{{field}}":{{number}}}""");
                Check(wrong, $"{field} {number}", () => answer.Refused(400, field: field));
            }
        }

        wrong.ShouldBeEmpty();
        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task A_misspelt_field_is_refused_with_a_suggestion(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var before = await app.Counts();

        var answer = (await account.Live.TryMeter(Bodies.Call().With("token_input", 5))).Refused(400, field: "token_input");
        answer.Body.ShouldContain("tokens_input");
        (await account.Live.TryMeter(Bodies.Call().With("Action", "x"))).Refused(400, field: "Action").Body.ShouldContain("action");
        (await account.Live.TryMeter(Bodies.Call().With("zzzzzzzzzz", 5))).Refused(400, field: "zzzzzzzzzz");
        (await account.Live.Put("/v1/tiers/t", Bodies.Tier().With("base_fees", "1"))).Refused(400, field: "base_fees").Body.ShouldContain("base_fee");
        (await account.Live.Put("/v1/agents/a", new { teir = "default" })).Refused(400, field: "teir").Body.ShouldContain("tier");
        (await account.Live.Post("/v1/api_keys", new { name = "a", mode = "live", scope = new[] { "read" } })).Refused(400, field: "scope").Body.ShouldContain("scopes");
        (await app.Anonymous.Post("/v1/signup", new { email = RevApp.NewAddress(), compny = "x" })).Refused(400, field: "compny").Body.ShouldContain("company");

        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task What_is_not_JSON_is_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var before = await app.Counts();
        var wrong = new List<string>();
        var invalidUtf8 = Encoding.UTF8.GetBytes("""{"agent_id":"a","action":"b","metadata":{"x":"?"}}""");
        invalidUtf8[Array.IndexOf(invalidUtf8, (byte)'?')] = 0xC3;

        foreach (var text in new[]
        {
            "", "{", "[]", "null", "1", "\"text\"", """{"agent_id":"a","action":"b",}""", """{"agent_id":"a" "action":"b"}""",
            """{"agent_id":"a","action":"b"} x""", """{"agent_id":"a","action":"b","tokens_input":NaN}""", """{agent_id:"a"}""",
            """{"agent_id":"a","action":"b","metadata":{"x":"\uD800"}}""",
        })
        {
            var answer = await account.Live.TryMeter(text);
            Check(wrong, text, () => answer.Refused(400));
        }
        (await account.Live.TryMeter(invalidUtf8)).Refused(400);
        (await account.Live.TryMeter(new string('[', 5000))).Refused(400);
        (await account.Live.TryMeter("""{"agent_id":"a","agent_id":"b","action":"c"}""")).Refused(400, field: "agent_id");
        (await account.Live.TryMeter("""{"agent_id":"a","action":"c","metadata":{"x":{"y":1,"y":2}}}""")).Refused(400).Body.ShouldContain("y");

        wrong.ShouldBeEmpty();
        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task Another_content_type_is_415(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var before = await app.Counts();

        foreach (var type in new[] { "text/plain", "application/x-www-form-urlencoded", "application/xml" })
        {
            using var content = new StringContent(Bodies.Call().ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue(type));
            (await account.Live.SendContent(HttpMethod.Post, "/v1/meter", content)).Refused(415);
        }
        using (var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Bodies.Call().ToJsonString())))
            (await account.Live.SendContent(HttpMethod.Post, "/v1/meter", content)).Refused(415);

        (await app.Counts()).ShouldBe(before);
        using var charset = new StringContent(Bodies.Call().ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json", "utf-8"));
        (await account.Live.SendContent(HttpMethod.Post, "/v1/meter", charset)).Is(201);
    }

    [Theory, EachProvider]
    public async Task A_body_of_five_megabytes_is_413(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var before = await app.Counts();
        var five = Bodies.Call().With("metadata", new JsonObject { ["x"] = new string('x', 5 * 1024 * 1024) });

        (await account.Live.Post("/v1/meter", five, ("Expect", "100-continue"))).Refused(413);
        (await account.Live.Put("/v1/tiers/t", Bodies.Tier(new string('n', 2 * 1024 * 1024)), ("Expect", "100-continue"))).Refused(413);
        (await account.Live.Post("/v1/meter/batch", $$"""{"events":[{{new string(' ', 21 * 1024 * 1024)}}]}""", ("Expect", "100-continue"))).Refused(413);

        // Without a length beforehand, too.
        using var chunked = new StreamContent(new MemoryStream(Encoding.UTF8.GetBytes(five.ToJsonString())));
        chunked.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        (await account.Live.SendContent(HttpMethod.Post, "/v1/meter", chunked, ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"))).Refused(413);

        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task A_batch_has_1_to_1000_items(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var before = await app.Counts();
        var tooMany = new JsonArray();
        for (var i = 0; i < 1001; i++) tooMany.Add(new JsonObject { ["agent_id"] = "a", ["action"] = "b" });

        (await account.Live.Post("/v1/meter/batch", new { events = Array.Empty<int>() })).Refused(400, field: "events");
        (await account.Live.Post("/v1/meter/batch", new JsonObject { ["events"] = tooMany })).Refused(400, field: "events");
        (await account.Live.Post("/v1/meter/batch", new { })).Refused(400, field: "events");
        (await account.Live.Post("/v1/meter/batch", new { events = "x" })).Refused(400, field: "events");
        (await account.Live.Post("/v1/meter/batch", new { event_list = Array.Empty<int>() })).Refused(400, field: "event_list");

        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task A_batch_with_bad_items_stores_the_others(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        var answer = (await account.Live.Post("/v1/meter/batch", new JsonObject
        {
            ["events"] = new JsonArray(
                Bodies.Call(),
                Bodies.Call().With("tokens_input", -1),
                Bodies.Call().With("token_input", 1),
                Bodies.Call().With("tokens_output", "12"),
                7,
                null,
                new JsonObject { ["agent_id"] = "a" },
                Bodies.Call("failure")),
        })).Is(200);

        answer["accepted"].ShouldBe("2");
        answer["rejected"].ShouldBe("6");
        answer["replayed"].ShouldBe("0");
        answer.Array("results").Select(result => result!["status"]!.GetValue<int>()).ShouldBe([201, 400, 400, 400, 400, 400, 400, 201]);
        answer.Node("results.1.error.errors.tokens_input").ShouldNotBeNull();
        answer.Node("results.2.error.errors.token_input")!.ToJsonString().ShouldContain("tokens_input");
        answer.Node("results.3.error.errors.tokens_output").ShouldNotBeNull();
        answer.Node("results.6.error.errors.action").ShouldNotBeNull();
        answer["results.1.error.code"].ShouldNotBeNullOrEmpty();
        answer["results.1.error.status"].ShouldBe("400");
        (await app.Count("calls")).ShouldBe(2);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Numbers_beyond_decimals_are_stored_as_sent_and_match_nothing(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        (await account.Live.Put("/v1/tiers/default", Bodies.Parse("""
            {"name":"n","outcome_bonuses":[
              {"name":"big","when":{"field":"metadata.x","op":"gte","value":1},"amount":"5"},
              {"name":"there","when":{"field":"metadata.x","op":"exists"},"amount":"1"}]}
            """))).Is(200);

        var call = await account.Live.Meter("""{"agent_id":"a","action":"b","outcome":"success","metadata":{"x":1e400,"y":1.5}}""");

        call["bonus.name"].ShouldBe("there");
        var stored = (await account.Live.Event(call["event_id"]!)).Is(200);
        stored.Node("metadata")!.ToJsonString().ShouldBe("""{"x":1e400,"y":1.5}""");
    }

    [Theory, EachProvider]
    public async Task A_call_that_would_overflow_the_sums_is_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        // 10⁹ tokens at 10⁶ per million cost 10⁹: ten of them pass what a row of nanos can hold.
        (await account.Live.Put("/v1/tiers/default", Bodies.Parse("""
            {"name":"n","token_rates":{"input_per_million":"1000000","output_per_million":"0"}}
            """))).Is(200);

        var statuses = new List<int>();
        for (var i = 0; i < 12; i++)
        {
            var answer = await account.Live.TryMeter("""{"agent_id":"a","action":"b","tokens_input":1000000000}""");
            if (answer.Status == 201) answer["price_charged"].ShouldBe("1000000000");
            else answer.Refused(409, "amount.too_large");
            statuses.Add(answer.Status);
        }

        statuses.ShouldContain(409);
        (await app.Count("calls")).ShouldBe(statuses.Count(status => status == 201));
        await app.RollupsAddUp();
        await account.Live.Meter(new { agent_id = "another", action = "b", tokens_input = 1 });
    }

    private static JsonObject Deep(int levels)
    {
        var node = new JsonObject { ["end"] = 1 };
        for (var i = 1; i < levels; i++) node = new JsonObject { ["x"] = node };
        return node;
    }

    private static void Check(List<string> wrong, string what, Action check)
    {
        try
        {
            check();
        }
        catch (ShouldAssertException exception)
        {
            wrong.Add(string.Create(CultureInfo.InvariantCulture, $"{(what.Length > 150 ? what[..150] : what)} → {exception.Message}"));
        }
    }
}
