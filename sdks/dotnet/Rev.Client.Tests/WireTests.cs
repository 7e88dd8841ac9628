using System.Text.Json.Nodes;

namespace Rev.Client.Tests;

/// <summary>What is sent, and how answers are read.</summary>
public sealed class WireTests
{
    private const string Receipt = """{ "event_id": "evt_1", "price": { "total": "2.5" }, "price_charged": "2.5", "currency": "usd", "outcome": "a_new_one", "outcome_status": null }""";

    [Fact]
    public async Task A_call_is_sent_in_the_names_of_the_wire_and_without_what_is_absent()
    {
        var rev = StubHandler.Client(Receipt, out var handler);

        await rev.MeterAsync(new MeterCall
        {
            AgentId = "outreach", Action = "email.sent", TokensInput = 12, Outcome = Outcome.Pending, IdempotencyKey = "k",
            ExpiresAt = new DateTimeOffset(2026, 12, 1, 15, 0, 0, TimeSpan.FromHours(1)).AddTicks(1234567),
            Metadata = new JsonObject { ["name"] = "Ünsal", ["n"] = 1.50m, ["d"] = 0.1, ["list"] = new JsonArray(1, null) },
        });

        var (method, path, body) = handler.Seen.ShouldHaveSingleItem();
        method.ShouldBe("POST");
        path.ShouldBe("/base/v1/meter");
        body.ShouldBe("""
            {"agent_id":"outreach","action":"email.sent","tokens_input":12,"tokens_output":0,"outcome":"pending","expires_at":"2026-12-01T14:00:00.123456Z","metadata":{"name":"Ünsal","n":1.50,"d":0.1,"list":[1,null]},"idempotency_key":"k"}
            """);
    }

    [Fact]
    public async Task Names_that_are_new_are_unknown_and_no_failure()
    {
        var receipt = await StubHandler.Client(Receipt, out _).MeterAsync(new MeterCall { AgentId = "a", Action = "b" });

        receipt.Outcome.ShouldBe(Outcome.Unknown);
        receipt.OutcomeStatus.ShouldBeNull();
        receipt.PriceCharged.ShouldBe(2.5m);
    }

    [Fact]
    public async Task An_outcome_is_resolved_by_its_id_and_its_path_is_escaped()
    {
        var rev = StubHandler.Client(
            """
            { "outcome_id": "out_1", "status": "in_review", "outcome_bonus": "0", "potential_bonus": "4", "price_charged": "0.00962", "currency": "usd", "bonus": null,
              "resolved_at": "2026-11-23T12:00:00Z", "settles_at": "2026-11-25T12:00:00Z", "event_id": "evt_1" }
            """,
            out var handler);

        var resolution = await rev.ResolveOutcomeAsync("out/1?", Outcome.Success, new() { ["reply_received"] = true });

        resolution.Status.ShouldBe(OutcomeStatus.InReview);
        resolution.PotentialBonus.ShouldBe(4m);
        resolution.PriceCharged.ShouldBe(0.00962m);
        handler.Seen.ShouldHaveSingleItem().ShouldBe(("POST", "/base/v1/outcomes/out%2F1%3F/resolve", """{"outcome":"success","metadata":{"reply_received":true}}"""));
    }

    [Fact]
    public async Task Only_success_and_failure_resolve_and_dots_are_no_id()
    {
        var rev = StubHandler.Client("{}", out var handler);

        await Should.ThrowAsync<ArgumentException>(async () => await rev.ResolveOutcomeAsync("out_1", Outcome.Pending));
        await Should.ThrowAsync<ArgumentException>(async () => await rev.ReverseOutcomeAsync("..", "why"));
        await Should.ThrowAsync<ArgumentException>(async () => await rev.GetCustomerAsync(""));
        await Should.ThrowAsync<ArgumentException>(async () => await rev.ResolveByCallAsync(new OutcomeResolution { Outcome = Outcome.Failure }));
        handler.Seen.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_batch_of_resolutions_has_a_result_for_each()
    {
        var rev = StubHandler.Client(
            """
            { "results": [
              { "status": 200, "outcome_id": "out_1", "outcome_status": "succeeded", "outcome_bonus": "2.5", "potential_bonus": null, "price_charged": "2.5137",
                "currency": "usd", "bonus": { "name": "reply", "reason": "rule 1 matched" }, "resolved_at": "2026-11-23T12:00:00Z", "settles_at": null, "event_id": "evt_1" },
              { "status": 409, "error": { "type": "/x", "title": "Outcome expired", "status": 409, "detail": "Too late.", "code": "outcome.expired", "request_id": "r" } } ] }
            """,
            out var handler);

        var items = await rev.ResolveBatchAsync(
        [
            new OutcomeResolution { IdempotencyKey = "k", Outcome = Outcome.Success },
            new OutcomeResolution { EventId = "evt_2", Outcome = Outcome.Failure },
        ]);

        items[0].Resolution!.Status.ShouldBe(OutcomeStatus.Succeeded);
        items[0].Resolution!.OutcomeBonus.ShouldBe(2.5m);
        items[1].Error!.Code.ShouldBe("outcome.expired");
        handler.Seen[0].Body.ShouldBe("""{"items":[{"idempotency_key":"k","outcome":"success"},{"event_id":"evt_2","outcome":"failure"}]}""");
    }

    [Fact]
    public async Task A_tier_is_written_and_read_alike()
    {
        const string Json = """
            {"name":"Sales","currency":"usd","base_fee":"0.005","token_rates":{"input_per_million":"3","output_per_million":"15","models":{"small-*":{"input_per_million":"0.15","output_per_million":"0.6"}}},"outcome_bonuses":[{"name":"reply","action":"email.*","when":{"all":[{"field":"metadata.reply_received","op":"eq","value":true},{"not":{"field":"metadata.sentiment","op":"in","value":["negative",1]}}]},"amount":"2.5"},{"name":"share","percent":"5","of":"metadata.deal_value","max_amount":"500"}],"pending":{"expires_after":"P14D","on_expiry":{"bonus":"fixed","amount":"0.25"}},"review_window":"PT36H1.5S","reversal_window":"PT0S","one_bonus_per":{"field":"metadata.ticket_id","scope":"account"}}
            """;
        var rev = StubHandler.Client(
            Json.Replace("""{"name":"Sales",""", """{"key":"sales","version":3,"created_at":"2026-11-23T12:00:00Z","archived_at":null,"name":"Sales",""", StringComparison.Ordinal),
            out var handler);

        var tier = await rev.GetTierAsync("sales");
        var put = await rev.PutTierAsync("sales", tier);

        tier.Version.ShouldBe(3);
        tier.BaseFee.ShouldBe(0.005m);
        tier.ReviewWindow.ShouldBe(TimeSpan.FromHours(36) + TimeSpan.FromSeconds(1.5));
        tier.Pending!.ExpiresAfter.ShouldBe(TimeSpan.FromDays(14));
        tier.OneBonusPer.ShouldBe(new OneBonusPer("metadata.ticket_id", "account"));
        tier.TokenRates!.Models!["small-*"].OutputPerMillion.ShouldBe(0.6m);
        put.Key.ShouldBe("sales");
        JsonNode.DeepEquals(JsonNode.Parse(handler.Seen[1].Body!), JsonNode.Parse(Json.Replace("PT36H1.5S", "P1DT12H1.5S", StringComparison.Ordinal))).ShouldBeTrue(handler.Seen[1].Body);
    }

    [Fact]
    public async Task One_bonus_per_may_be_a_field_alone_and_weeks_are_durations()
    {
        var rev = StubHandler.Client("""{ "key": "t", "version": 1, "name": "T", "one_bonus_per": "metadata.ticket_id", "reversal_window": "P2W", "created_at": "2026-11-23T12:00:00Z" }""", out var handler);

        var tier = await rev.GetTierAsync("t");
        await rev.PutTierAsync("t", new TierDefinition { Name = "T", OneBonusPer = tier.OneBonusPer, BaseFee = 2.50m });

        tier.OneBonusPer.ShouldBe(new OneBonusPer("metadata.ticket_id"));
        tier.ReversalWindow.ShouldBe(TimeSpan.FromDays(14));
        handler.Seen[1].Body.ShouldBe("""{"name":"T","base_fee":"2.5","one_bonus_per":"metadata.ticket_id"}""");
    }

    [Fact]
    public async Task Lists_fetch_their_pages_as_they_are_needed()
    {
        var rev = StubHandler.Client(
            request => request.RequestUri!.Query.Contains("cursor=n%2B1", StringComparison.Ordinal)
                ? """{ "data": [ { "event_id": "evt_3", "metadata": { "a": 1 } } ], "next_cursor": null }"""
                : """{ "data": [ { "event_id": "evt_1" }, { "event_id": "evt_2" } ], "next_cursor": "n+1" }""",
            out var handler);
        var found = new List<string>();

        await foreach (var item in rev.ListEventsAsync(new EventFilter { AgentId = "a b", Outcome = Outcome.Failure, From = DateTimeOffset.UnixEpoch, PageSize = 2 }))
        {
            found.Add(item.EventId);
        }

        found.ShouldBe(["evt_1", "evt_2", "evt_3"]);
        handler.Seen.Select(s => s.Path).ShouldBe(
        [
            "/base/v1/events?agent_id=a%20b&outcome=failure&from=1970-01-01T00%3A00%3A00Z&limit=2",
            "/base/v1/events?agent_id=a%20b&outcome=failure&from=1970-01-01T00%3A00%3A00Z&limit=2&cursor=n%2B1",
        ]);
    }

    [Fact]
    public async Task Outcomes_explain_themselves()
    {
        var rev = StubHandler.Client(
            """
            { "outcome_id": "out_1", "event_id": "evt_1", "status": "succeeded", "outcome_bonus": "2.5", "tier": { "key": "default", "version": 1 }, "metadata": { "x": 1 },
              "transitions": [ { "at": "2026-11-23T12:00:00Z", "from": null, "to": "pending", "by": "call", "reason": "metered as pending" } ],
              "explanation": { "reason": "rule 1 matched", "rule": 1, "rules": [ { "rule": 1, "name": "reply", "action_fits": true, "matched": true, "conditions": [
                { "field": "metadata.x", "op": "gte", "expected": 1, "actual": null, "passed": true, "note": null } ] } ] } }
            """,
            out _);

        var outcome = await rev.GetOutcomeAsync("out_1");

        outcome.Transitions.ShouldHaveSingleItem().To.ShouldBe(OutcomeStatus.Pending);
        outcome.Explanation!.Rules[0].Conditions[0].Expected!.Value.GetInt32().ShouldBe(1);
        outcome.Explanation.Rules[0].Conditions[0].Actual.HasValue.ShouldBeFalse();
    }

    [Fact]
    public async Task An_update_says_what_changes_and_clears_what_is_named()
    {
        var rev = StubHandler.Client("""{ "customer_id": "acme", "created_at": "2026-11-23T12:00:00Z" }""", out var handler);

        await rev.PutCustomerAsync("acme", new CustomerUpdate { Name = "Acme", Clear = ["tier"] });

        handler.Seen[0].ShouldBe(("PUT", "/base/v1/customers/acme", """{"name":"Acme","tier":null}"""));
    }

    [Fact]
    public async Task A_simulation_names_a_tier_or_writes_it_out()
    {
        var rev = StubHandler.Client(
            """
            { "currency": "usd", "calls_per_month": 10, "base_fees": "0.05", "token_charges": "0", "outcome_bonuses": "1", "total": "1.05", "per_call": "0.105", "per_success": null,
              "successes": "2.5", "expired": "0", "compare": { "flat_per_call": { "total": "1", "difference": "-0.05" }, "seats": null },
              "sensitivity": { "success_rates": [ { "success_rate": "0.05", "total": "1" } ], "volumes": [ { "multiplier": "0.1", "calls": "1", "total": "0.1" } ] } }
            """,
            out var handler);

        var simulated = await rev.SimulateAsync(new SimulationRequest { TierKey = "sales", CallsPerMonth = 10, SuccessRate = 0.25m });
        await rev.SimulateAsync(new SimulationRequest { Tier = new TierDefinition { Name = "T", BaseFee = 0.005m }, CallsPerMonth = 10 });

        simulated.Total.ShouldBe(1.05m);
        simulated.Compare!.FlatPerCall!.Difference.ShouldBe(-0.05m);
        simulated.Sensitivity.Volumes[0].Multiplier.ShouldBe(0.1m);
        handler.Seen[0].Body.ShouldBe("""{"calls_per_month":10,"tokens_input":0,"tokens_output":0,"success_rate":"0.25","tier":"sales"}""");
        handler.Seen[1].Body.ShouldBe("""{"calls_per_month":10,"tokens_input":0,"tokens_output":0,"tier":{"name":"T","base_fee":"0.005"}}""");
        await Should.ThrowAsync<ArgumentException>(async () => await rev.SimulateAsync(new SimulationRequest { CallsPerMonth = 1 }));
    }

    [Fact]
    public async Task Figures_are_read()
    {
        const string Figures = """ "calls": 2, "tokens_input": 1, "tokens_output": 1, "base_fees": "0.01", "token_charges": "0", "outcome_bonuses": "0", "reversals": "-2.5", "revenue": "-2.49", "successes": 1, "failures": 0, "pending": 0, "expired": 0 """;
        const string Period = $$"""{ "from": "2026-11-23T00:00:00Z", "to": "2026-11-24T00:00:00Z", {{Figures}} }""";
        var rev = StubHandler.Client(
            request => request.RequestUri!.AbsolutePath.EndsWith("summary", StringComparison.Ordinal)
                ? $$"""
                { "currency": "usd", "today": {{Period}}, "last_24_hours": {{Period}}, "month_to_date": {{Period}}, "previous_month": {{Period}}, "success_rate": "0.5",
                  "pending": { "outcomes": 3, "potential_bonus": "7.5", "unbounded": 1 }, "in_review": { "outcomes": 0, "potential_bonus": "0", "unbounded": 0 },
                  "as_of": "2026-11-23T12:00:00Z", "other_currencies": [ "eur" ] }
                """
                : $$"""{ "currency": "usd", "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "data": [ { "start": "2026-11-23T00:00:00Z", "group": "outreach", {{Figures}} } ], "totals": { {{Figures}} }, "other_currencies": [] }""",
            out var handler);

        var summary = await rev.GetSummaryAsync("usd");
        var series = await rev.GetRevenueAsync(new RevenueQuery { Interval = RevenueInterval.Hour, GroupBy = RevenueGroup.Agent });

        summary.Last24Hours.Calls.ShouldBe(2);
        summary.Pending.PotentialBonus.ShouldBe(7.5m);
        summary.OtherCurrencies.ShouldBe(["eur"]);
        series.Data[0].Group.ShouldBe("outreach");
        series.Totals.Reversals.ShouldBe(-2.5m);
        handler.Seen[1].Path.ShouldBe("/base/v1/analytics/revenue?interval=hour&group_by=agent");
    }

    [Fact]
    public async Task A_statement_is_read_and_is_had_as_csv()
    {
        var rev = StubHandler.Client(
            request => request.RequestUri!.Query.Contains("csv", StringComparison.Ordinal)
                ? "service_at,amount\n"
                : """
                { "customer_id": "acme", "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "currencies": [ { "currency": "usd", "total": "9.8675", "lines": [
                  { "agent_id": "outreach", "action": "email.sent", "component": "reversal", "quantity": 1, "amount": "-2.5" } ] } ] }
                """,
            out _);

        var statement = await rev.GetStatementAsync("acme", DateTimeOffset.UnixEpoch);

        statement.Currencies[0].Lines[0].Component.ShouldBe(LedgerComponent.Reversal);
        statement.Currencies[0].Total.ShouldBe(9.8675m);
        (await rev.GetStatementCsvAsync("acme")).ShouldBe("service_at,amount\n");
    }

    [Fact]
    public void Metadata_is_made_of_dictionaries()
    {
        var json = RevMetadata.From(new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["deal_value"] = 4000.50m,
            ["won"] = true,
            ["at"] = DateTimeOffset.UnixEpoch,
            ["took"] = TimeSpan.FromSeconds(90),
            ["nothing"] = null,
            ["status"] = Outcome.Success,
            ["tags"] = new[] { "a", "b" },
            ["inner"] = new Dictionary<string, int>(StringComparer.Ordinal) { ["n"] = 1 },
        });

        json.ToJsonString().ShouldBe("""{"deal_value":4000.50,"won":true,"at":"1970-01-01T00:00:00Z","took":"PT1M30S","nothing":null,"status":"Success","tags":["a","b"],"inner":{"n":1}}""");
        Should.Throw<ArgumentException>(() => RevMetadata.From([new("x", new object())]));
    }
}
