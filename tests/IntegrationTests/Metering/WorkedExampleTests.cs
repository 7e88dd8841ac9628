using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Metering;

public sealed partial class WorkedExampleTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task The_guides_call_costs_0_01212(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        var answer = await account.Live.Meter(Bodies.Call());

        answer["price_charged"].ShouldBe("0.01212");
        answer["currency"].ShouldBe("usd");
        answer.Node("price")!.AsObject().Select(field => field.Key).ShouldBe(["base_fee", "token_charge", "outcome_bonus", "total"]);
        answer["price.base_fee"].ShouldBe("0.005");
        answer["price.token_charge"].ShouldBe("0.00462");
        answer["price.outcome_bonus"].ShouldBe("0.0025");
        answer["price.total"].ShouldBe("0.01212");
        answer["outcome"].ShouldBe("success");
        answer["outcome_status"].ShouldBe("succeeded");
        answer["bonus.name"].ShouldBe("any success");
        answer["bonus.reason"].ShouldBe("rule 1 matched");
        answer["tier.key"].ShouldBe("default");
        answer["tier.version"].ShouldBe("1");
        answer["agent_id"].ShouldBe("outreach-agent-v2");
        answer["action"].ShouldBe("email.sent");
        answer["customer_id"].ShouldBe("default");
        answer["expires_at"].ShouldBeNull();
        answer["occurred_at"]!.ShouldMatch(UtcInstant);
        EventId().IsMatch(answer["event_id"]!).ShouldBeTrue(answer["event_id"]);
        answer["outcome_id"].ShouldBe("out_" + answer["event_id"]![4..]);
        answer.Replayed.ShouldBeFalse();

        (await app.Count("calls")).ShouldBe(1);
        (await app.Count("ledger_entries")).ShouldBe(0, "An outcome decided at the call needs no entry of its own.");
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_pending_call_is_charged_its_bonus_once_on_success(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var expiresAt = app.Now.AddDays(7);

        var call = await account.Live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(expiresAt)));
        call["price_charged"].ShouldBe("0.00962");
        call["price.outcome_bonus"].ShouldBe("0");
        call["potential_bonus"].ShouldBe("0.0025");
        call["outcome_status"].ShouldBe("pending");
        call["bonus"].ShouldBeNull();
        DateTimeOffset.Parse(call["expires_at"]!, CultureInfo.InvariantCulture).ShouldBe(expiresAt, TimeSpan.FromMilliseconds(0.001));

        var success = (await account.Live.Resolve(call["outcome_id"]!, "success", new { reply_received = true })).Is(200);
        success["outcome_id"].ShouldBe(call["outcome_id"]);
        success["event_id"].ShouldBe(call["event_id"]);
        success["status"].ShouldBe("succeeded");
        success["outcome_bonus"].ShouldBe("0.0025");
        success["price_charged"].ShouldBe("0.01212");
        success["currency"].ShouldBe("usd");
        success["bonus.name"].ShouldBe("any success");
        success["resolved_at"]!.ShouldMatch(UtcInstant);
        success.Has("settles_at").ShouldBeTrue();

        var again = (await account.Live.Resolve(call["outcome_id"]!, "success", new { other = 1 })).Is(200);
        again.Body.ShouldBe(success.Body);

        var before = await app.Counts();
        (await account.Live.Resolve(call["outcome_id"]!, "failure")).Refused(409, "outcome.already_resolved");
        (await app.Counts()).ShouldBe(before);

        (await app.Count("ledger_entries")).ShouldBe(1);
        (await account.Live.Event(call["event_id"]!)).Is(200)["price_charged"].ShouldBe("0.01212");
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task An_expired_outcome_cannot_be_resolved(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var swept = await account.Live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(app.Now.AddSeconds(20))));
        var unswept = await account.Live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(app.Now.AddSeconds(40))));

        app.Clock.Advance(TimeSpan.FromSeconds(30));
        (await app.Sweep()).ShouldBe(1);
        (await account.Live.Outcome(swept["outcome_id"]!)).Is(200)["status"].ShouldBe("expired");
        (await account.Live.Outcome(unswept["outcome_id"]!)).Is(200)["status"].ShouldBe("pending");
        (await account.Live.Resolve(swept["outcome_id"]!, "success")).Refused(409, "outcome.expired");

        // A resolve that comes late is refused by the stored clock, and expires the outcome itself.
        app.Clock.Advance(TimeSpan.FromSeconds(30));
        (await account.Live.Resolve(unswept["outcome_id"]!, "success")).Refused(409, "outcome.expired");
        (await account.Live.Outcome(unswept["outcome_id"]!)).Is(200)["status"].ShouldBe("expired");
        (await app.Sweep()).ShouldBe(0);

        (await account.Live.Event(unswept["event_id"]!)).Is(200)["price_charged"].ShouldBe("0.00962");
        (await account.Live.Resolve(unswept["outcome_id"]!, "failure")).Refused(409, "outcome.expired");
        (await app.Count("ledger_entries")).ShouldBe(0);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_call_without_an_outcome_costs_base_and_tokens(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        var answer = await account.Live.Meter(Bodies.Call().Without("outcome"));

        answer["price_charged"].ShouldBe("0.00962");
        answer["outcome_id"].ShouldBeNull();
        answer["outcome_status"].ShouldBeNull();
        answer["bonus"].ShouldBeNull();
        (await account.Live.Resolve("out_" + answer["event_id"]![4..], "success")).Refused(404);
        (await app.Count("outcomes")).ShouldBe(0);
    }

    [Theory, EachProvider]
    public async Task A_failure_has_no_bonus(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        var answer = await account.Live.Meter(Bodies.Call("failure"));

        answer["price_charged"].ShouldBe("0.00962");
        answer["outcome_status"].ShouldBe("failed");
        answer["bonus.name"].ShouldBeNull();
        answer["bonus.reason"].ShouldNotBeNullOrEmpty();
        (await account.Live.Resolve(answer["outcome_id"]!, "failure")).Is(200)["outcome_bonus"].ShouldBe("0");
        (await account.Live.Resolve(answer["outcome_id"]!, "success")).Refused(409, "outcome.already_resolved");
    }

    [Theory, EachProvider]
    public async Task Only_agent_and_action_are_required(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        var answer = await account.Live.Meter(new { agent_id = "a", action = "b" });

        answer["price_charged"].ShouldBe("0.005");
        answer["price.token_charge"].ShouldBe("0");
        (DateTimeOffset.Parse(answer["occurred_at"]!, CultureInfo.InvariantCulture) - app.Now).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(1));
    }

    [Theory, EachProvider]
    public async Task An_event_tells_what_was_charged_at_the_call_and_to_date(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var occurredAt = app.Now.AddDays(-3);
        var call = await account.Live.Meter(Bodies.Call("pending")
            .With("customer_id", "acme").With("model", "small-1").With("occurred_at", Bodies.Instant(occurredAt)));
        (await account.Live.Resolve(call["outcome_id"]!, "success", new { reply_received = true })).Is(200);

        var stored = (await account.Live.Event(call["event_id"]!)).Is(200);

        stored["event_id"].ShouldBe(call["event_id"]);
        stored["outcome_id"].ShouldBe(call["outcome_id"]);
        stored["outcome_status"].ShouldBe("succeeded");
        stored["price_charged"].ShouldBe("0.01212");
        stored["price_charged_at_call"].ShouldBe("0.00962");
        stored["price.total"].ShouldBe("0.01212");
        stored["price.outcome_bonus"].ShouldBe("0.0025");
        stored.Node("price")!.AsObject().Count.ShouldBe(4);
        stored["customer_id"].ShouldBe("acme");
        stored["metadata.recipient"].ShouldBe("prospect@company.com");
        stored["received_at"]!.ShouldMatch(UtcInstant);
        stored["tier.key"].ShouldBe("default");
        DateTimeOffset.Parse(stored["occurred_at"]!, CultureInfo.InvariantCulture).ShouldBe(occurredAt, TimeSpan.FromMilliseconds(0.001));
        var ledger = stored.Array("ledger");
        ledger.Select(entry => Rows.Nanos(entry!["amount"]!.GetValue<string>())).Sum().ShouldBe(Rows.Nanos("0.01212"));
        ledger.Select(entry => entry!["component"]!.GetValue<string>()).Order(StringComparer.Ordinal).ShouldBe(["base", "outcome", "tokens"]);
    }

    [Theory, EachProvider]
    public async Task Live_and_test_are_kept_apart(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var live = await account.Live.Meter(Bodies.Call());
        var test = await account.Test.Meter(Bodies.Call());

        (await account.Live.Event(test["event_id"]!)).Refused(404);
        (await account.Test.Event(live["event_id"]!)).Refused(404);
        (await account.Live.All("/v1/events")).Count.ShouldBe(1);
        (await account.Test.All("/v1/events")).Count.ShouldBe(1);
    }

    [Theory, EachProvider]
    public async Task A_batch_prices_each_item_and_keeps_their_order(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var events = new JsonArray();
        for (var i = 0; i < 1000; i++)
            events.Add(new JsonObject { ["agent_id"] = $"agent-{i % 7}", ["action"] = "email.sent", ["tokens_input"] = i, ["outcome"] = i % 2 == 0 ? "success" : "failure" });

        var answer = (await account.Live.Post("/v1/meter/batch", new JsonObject { ["events"] = events })).Is(200);

        answer["accepted"].ShouldBe("1000");
        answer["replayed"].ShouldBe("0");
        answer["rejected"].ShouldBe("0");
        var results = answer.Array("results");
        results.Count.ShouldBe(1000);
        for (var i = 0; i < 1000; i++)
        {
            results[i]!["status"]!.GetValue<int>().ShouldBe(201);
            results[i]!["agent_id"]!.GetValue<string>().ShouldBe($"agent-{i % 7}");
            Rows.Nanos(results[i]!["price_charged"]!.GetValue<string>()).ShouldBe(5_000_000 + (i * 3_000L) + (i % 2 == 0 ? 2_500_000 : 0));
        }
        results.Select(result => result!["event_id"]!.GetValue<string>()).Distinct(StringComparer.Ordinal).Count().ShouldBe(1000);
        (await app.Count("calls")).ShouldBe(1000);
        await app.RollupsAddUp();
    }

    private const string UtcInstant = @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$";

    [GeneratedRegex("^evt_[0-9A-HJKMNP-TV-Z]{26}$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex EventId();
}
