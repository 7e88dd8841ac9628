using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Telemetry;

public sealed class CloudEventTests(Apps apps) : IClassFixture<Apps>
{
    private const string Path = "/v1/events:ingest";
    private const string Structured = "application/cloudevents+json";
    private const string Batch = "application/cloudevents-batch+json";

    [Theory, EachProvider]
    public async Task An_event_is_a_metered_call_in_every_mode(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var time = app.Now.AddDays(-1);

        var one = (await Send(live, Structured, Event("one").With("time", Bodies.Instant(time)).With("subject", "not-a-customer").With("traceparent", "00-…"))).Is(200);
        var two = (await Send(live, Batch, new JsonArray(Event("two"), Event("three").With("data", Bodies.Call("pending"))))).Is(200);
        var three = (await Binary(live, "four", Bodies.Call(), ("ce-time", Bodies.Instant(time)))).Is(200);

        one["accepted"].ShouldBe("1");
        one["results.0.status"].ShouldBe("201");
        one["results.0.price_charged"].ShouldBe("0.01212");
        one["results.0.customer_id"].ShouldBe("default");
        one["results.0.occurred_at"].ShouldBe(three["results.0.occurred_at"]);
        two["accepted"].ShouldBe("2");
        two["results.0.price_charged"].ShouldBe("0.01212");
        two["results.1.price_charged"].ShouldBe("0.00962");
        two["results.1.outcome_status"].ShouldBe("pending");
        (await app.Count("calls")).ShouldBe(4);
        (await live.Event(one["results.0.event_id"]!)).Is(200)["metadata.recipient"].ShouldBe("prospect@company.com");
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task An_event_counts_once_by_its_source_and_id(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 3) switch
        {
            0 => Send(live, Structured, Event("one")),
            1 => Send(live, Batch, new JsonArray(Event("one"), Event("one"))),
            _ => Binary(live, "one", Bodies.Call()),
        }));

        answers.Sum(answer => answer.Is(200).Node("accepted")!.GetValue<int>()).ShouldBe(1);
        answers.SelectMany(answer => answer.Array("results")).Select(result => result!["event_id"]!.GetValue<string>()).Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
        (await app.Count("calls")).ShouldBe(1);

        // Another source is another event; other data under the same name is not.
        (await Send(live, Structured, Event("one").With("source", "/agents/other"))).Is(200)["accepted"].ShouldBe("1");
        (await Send(live, Structured, Event("one").With("data", Bodies.Call("failure")))).Refused(409, "idempotency.key_reused");
        (await app.Count("calls")).ShouldBe(2);

        // The key is what the documentation says.
        var key = "ce:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("/agents/outreach\npending")));
        (await Send(live, Structured, Event("pending").With("data", Bodies.Call("pending")))).Is(200);
        (await live.Post("/v1/outcomes/resolve", new { idempotency_key = key, outcome = "success" })).Is(200)["price_charged"].ShouldBe("0.01212");
        await app.RollupsAddUp();
    }

    [Theory, OneProvider]
    public async Task What_is_wrong_with_an_event_is_said_by_name(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var good = Event("x");
        (string Field, JsonObject Event)[] events =
        [
            ("type", good.With("type", "rev.refund")), ("type", good.Without("type")), ("specversion", good.With("specversion", "0.3")), ("specversion", good.Without("specversion")),
            ("source", good.Without("source")), ("source", good.With("source", "")), ("source", good.With("source", "a\nb")), ("id", good.Without("id")), ("id", good.With("id", 7)),
            ("id", good.With("id", new string('i', 1025))), ("time", good.With("time", "yesterday")), ("occurred_at", good.With("time", Bodies.Instant(app.Now.AddDays(-36)))),
            ("data", good.Without("data")), ("data", good.With("data", null)), ("body", good.With("data", "text")), ("data_base64", good.With("data_base64", "e30=")),
            ("datacontenttype", good.With("datacontenttype", "text/xml")), ("idempotency_key", good.With("data", Bodies.Call().With("idempotency_key", "k"))),
            ("tokens_input", good.With("data", Bodies.Call().With("tokens_input", "12"))), ("token_input", good.With("data", Bodies.Call().With("token_input", 12))),
            ("agent_id", good.With("data", Bodies.Call().Without("agent_id"))),
        ];
        var before = await app.Counts();

        foreach (var (field, one) in events) (await Send(live, Structured, one)).Refused(400, "request.invalid", field);
        var batch = (await Send(live, Batch, new JsonArray([.. events.Select(e => (JsonNode)e.Event.DeepClone()), 7, "\uFFFD"]))).Is(200);

        batch["rejected"].ShouldBe((events.Length + 2).ToString(System.Globalization.CultureInfo.InvariantCulture));
        batch.Array("results").ShouldAllBe(result => result!["status"]!.GetValue<int>() == 400);
        batch.Node("results.0.error.errors.type").ShouldNotBeNull();
        (await app.Counts()).ShouldBe(before);

        // Of two ids neither is the event's.
        foreach (var (name, value) in new[] { ("id", "\"y\""), ("data", "{}") })
        {
            var twice = good.ToJsonString()[..^1] + $",\"{name}\":{value}}}";
            (await SendText(live, Structured, twice)).Refused(400, "request.invalid", name).ErrorsOf(name).ShouldContain("given twice");
            (await SendText(live, Batch, $"[{twice}]")).Is(200)["rejected"].ShouldBe("1");
        }
        (await app.Counts()).ShouldBe(before);

        // In a batch the others count all the same, and what a string cannot hold refuses its event alone.
        var text = new JsonArray(Event("a"), Event("HALF"), Event("b").With("type", "x")).ToJsonString().Replace("HALF", "\\ud83d", StringComparison.Ordinal);
        var mixed = (await SendText(live, Batch, text)).Is(200);
        (mixed["accepted"], mixed["rejected"]).ShouldBe(("1", "2"));
        mixed["results.1.error.code"].ShouldBe("body.malformed_json");
        (await SendText(live, Batch, "[]")).Is(200)["accepted"].ShouldBe("0");
    }

    [Theory, OneProvider]
    public async Task What_is_no_event_is_refused_as_a_whole(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var before = await app.Counts();

        (await live.Post(Path, Event("one"))).Refused(415, "body.unsupported_type").Body.ShouldContain(Structured);
        foreach (var type in new[] { "application/cloudevents+xml", "text/plain" }) (await Send(live, type, Event("one"))).Refused(415, "body.unsupported_type");
        (await SendText(live, Structured, "{")).Refused(400, "body.malformed_json");
        (await SendText(live, Structured, "[]")).Refused(400, "request.invalid", "body");
        (await Send(live, Batch, Event("one"))).Refused(400, "request.invalid", "body");
        (await Send(live, Batch, new JsonArray([.. Enumerable.Range(0, 1001).Select(i => (JsonNode)Event($"{i}"))]))).Refused(400, "request.invalid", "body");
        (await Send(live, Structured, Event("one").With("dataschema", new string('x', 2 * 1024 * 1024)), ("Expect", "100-continue"))).Refused(413, "body.too_large");
        foreach (var (name, value) in new[] { ("ce-type", "other"), ("ce-specversion", "2.0"), ("ce-source", ""), ("ce-time", "later") })
            (await Binary(live, "one", Bodies.Call(), (name, value))).Refused(400, "request.invalid", name["ce-".Length..]);
        (await Binary(live, "", Bodies.Call())).Refused(400, "request.invalid", "id");
        (await live.Get(Path)).Refused(405);

        (await app.Counts()).ShouldBe(before);
        // An id in a header is percent-encoded, and the same in the body.
        (await Binary(live, "%C3%A4%20b", Bodies.Call())).Is(200)["accepted"].ShouldBe("1");
        (await Send(live, Structured, Event("ä b"))).Is(200)["replayed"].ShouldBe("1");
        // Quotes around it are no part of it, a backslash without them is.
        (await Binary(live, "\"%C3%A4\\ b\"", Bodies.Call())).Is(200)["replayed"].ShouldBe("1");
        (await Binary(live, "a\\b", Bodies.Call())).Is(200)["accepted"].ShouldBe("1");
        (await Send(live, Structured, Event("a\\b"))).Is(200)["replayed"].ShouldBe("1");
    }

    [Theory, EachProvider]
    public async Task Events_are_those_of_their_key_its_mode_and_its_scope(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var reader = app.With((await account.Live.Post("/v1/api_keys", new { name = "n", mode = "live", scopes = new[] { "read" } })).Is(201)["secret"]!);

        (await Send(reader, Structured, Event("one"))).Refused(403, "auth.missing_scope");
        (await Send(app.Anonymous, Structured, Event("one"))).Refused(401, "auth.invalid_key");
        foreach (var caller in new[] { account.Live, account.Test }) (await Send(caller, Structured, Event("one"))).Is(200)["accepted"].ShouldBe("1");

        (await account.Live.All("/v1/events")).Count.ShouldBe(1);
        (await account.Test.All("/v1/events")).Count.ShouldBe(1);
    }

    /// <summary>An event whose data is the guide's call.</summary>
    private static JsonObject Event(string id) => new()
    {
        ["specversion"] = "1.0", ["type"] = "rev.call", ["source"] = "/agents/outreach", ["id"] = id, ["datacontenttype"] = "application/json", ["data"] = Bodies.Call(),
    };

    private static Task<Answer> Send(Caller caller, string type, JsonNode body, params (string Name, string Value)[] headers) => SendText(caller, type, body.ToJsonString(), headers);

    private static Task<Answer> SendText(Caller caller, string type, string body, params (string Name, string Value)[] headers)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return caller.SendContent(HttpMethod.Post, Path, content, headers);
    }

    /// <summary>An event whose attributes are headers, some of them others than usual.</summary>
    private static Task<Answer> Binary(Caller caller, string id, JsonObject data, params (string Name, string Value)[] others)
    {
        (string Name, string Value)[] usual = [("ce-specversion", "1.0"), ("ce-type", "rev.call"), ("ce-source", "/agents/outreach"), ("ce-id", id)];
        return Send(caller, "application/json", data, [.. usual.Where(header => !Array.Exists(others, other => other.Name == header.Name)), .. others]);
    }
}
