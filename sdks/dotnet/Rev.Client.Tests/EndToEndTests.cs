using System.Globalization;
using System.Text.Json.Nodes;

namespace Rev.Client.Tests;

/// <summary>What the SDK is for, against a Rev that runs: REV_BASE_URL names it, REV_API_KEY is a key of it that may do everything. Compiled with <c>-p:RevEndToEnd=true</c> only.</summary>
public sealed class EndToEndTests
{
    private readonly string _agent = string.Create(CultureInfo.InvariantCulture, $"dotnet-{Guid.NewGuid():N}");

    [Fact]
    public async Task The_fourth_step_is_one_line_of_code()
    {
        var rev = await ClientAsync();

        var call = await rev.MeterAsync(new()
        {
            AgentId = _agent, Action = "email.sent", TokensInput = 1200, TokensOutput = 340, Outcome = Outcome.Pending,
            ExpiresAt = TimeProvider.System.GetUtcNow().AddDays(2), CustomerId = _agent,
        });
        var resolution = await rev.ResolveOutcomeAsync(call.OutcomeId!, Outcome.Success, new() { ["reply_received"] = true, ["score"] = 0.75m });
        var again = await rev.ResolveOutcomeAsync(call.OutcomeId!, Outcome.Success);

        call.PriceCharged.ShouldBe(0.0137m);
        call.PotentialBonus.ShouldBe(2.5m);
        resolution.Status.ShouldBe(OutcomeStatus.Succeeded);
        resolution.PriceCharged.ShouldBe(2.5137m);
        again.ShouldBe(resolution);
        var outcome = await rev.GetOutcomeAsync(call.OutcomeId!);
        outcome.Explanation!.Rules[0].Matched.ShouldBeTrue();
        outcome.Metadata!["score"]!.GetValue<decimal>().ShouldBe(0.75m);
        var stored = await rev.GetEventAsync(call.EventId);
        stored.Ledger.Sum(l => l.Amount).ShouldBe(2.5137m);
        stored.TokensInput.ShouldBe(1200);
        var opposite = await Should.ThrowAsync<RevException>(() => rev.ResolveOutcomeAsync(call.OutcomeId!, Outcome.Failure));
        opposite.Code.ShouldBe("outcome.already_resolved");
        var reversal = await rev.ReverseOutcomeAsync(call.OutcomeId!, "goodwill");
        reversal.ReversedAmount.ShouldBe(2.5m);
        var statement = await rev.GetStatementAsync(_agent);
        statement.Currencies.ShouldHaveSingleItem().Total.ShouldBe(0.0137m);
        (await rev.GetStatementCsvAsync(_agent)).ShouldStartWith("service_at,");
    }

    [Fact]
    public async Task Repeats_and_batches_count_once()
    {
        var rev = await ClientAsync();
        var call = new MeterCall { AgentId = _agent, Action = "email.sent", Outcome = Outcome.Success, IdempotencyKey = _agent };

        var first = await rev.MeterAsync(call);
        var second = await rev.MeterAsync(call);
        var batch = await rev.MeterBatchAsync([call, call with { IdempotencyKey = null, TokensInput = -1 }, call with { IdempotencyKey = null }]);

        second.EventId.ShouldBe(first.EventId);
        second.Replayed.ShouldBeTrue();
        (batch.Accepted, batch.Replayed, batch.Rejected).ShouldBe((1, 1, 1));
        batch.Items[1].Error!.Errors!.Keys.ShouldContain("tokens_input");
        var reused = await Should.ThrowAsync<RevException>(() => rev.MeterAsync(call with { TokensInput = 1 }));
        reused.Code.ShouldBe("idempotency.key_reused");
        reused.Status.ShouldBe(409);
        reused.RequestId.ShouldNotBeNullOrEmpty();
        (await EventsAsync(rev)).Count.ShouldBe(2);
        var items = await rev.ResolveBatchAsync(
        [
            new OutcomeResolution { IdempotencyKey = _agent, Outcome = Outcome.Success },
            new OutcomeResolution { IdempotencyKey = "unknown", Outcome = Outcome.Success },
        ]);
        items.Select(i => i.Status).ShouldBe([200, 404]);
    }

    [Fact]
    public async Task What_is_tracked_arrives_once_over_a_restart_of_the_tracker()
    {
        var rev = await ClientAsync();
        using var folder = new TestFolder();
        var options = new RevTrackerOptions { SpoolDirectory = folder.Path, Spool = RevSpoolMode.Always, MaxBatchItems = 100, ShutdownTimeout = TimeSpan.Zero };
        await using (var tracker = new RevTracker(rev, options))
        {
            for (var i = 0; i < 500; i++) tracker.Track(new MeterCall { AgentId = _agent, Action = "step.done", TokensInput = i });
        }
        options.ShutdownTimeout = TimeSpan.FromSeconds(10);
        await using (var tracker = new RevTracker(rev, options))
        {
            using (var run = tracker.Run(_agent, "email.sent"))
            {
                run.Tokens(JsonNode.Parse("""{ "usage": { "prompt_tokens": 1200, "completion_tokens": 340 } }""")!);
                run.Success(new() { ["reply_received"] = true });
            }
            (await tracker.FlushAsync()).ShouldBeTrue();
            tracker.Statistics.Rejected.ShouldBe(0);
        }

        var events = await EventsAsync(rev);
        events.Count.ShouldBe(501);
        events.Sum(e => e.TokensInput).ShouldBe((500 * 499 / 2) + 1200);
        events.Single(e => e.Action == "email.sent").PriceCharged.ShouldBe(2.5137m);
    }

    [Fact]
    public async Task Tiers_customers_figures_and_simulations_are_read()
    {
        var rev = await ClientAsync();
        await rev.MeterAsync(new() { AgentId = _agent, Action = "email.sent", TokensInput = 1200, TokensOutput = 340, CustomerId = _agent });

        var tier = await rev.GetTierAsync(_agent);
        tier.Version.ShouldBe(1);
        (await rev.PutTierAsync(_agent, tier)).Version.ShouldBe(1);
        (await rev.PutTierAsync(_agent, tier with { BaseFee = 0.01m })).Version.ShouldBe(2);
        (await rev.GetAgentAsync(_agent)).Tier.ShouldBe(_agent);
        var customer = await rev.PutCustomerAsync(_agent, new CustomerUpdate { Name = "Acme", Metadata = new JsonObject { ["vat"] = "X1" } });
        customer.Metadata!["vat"]!.GetValue<string>().ShouldBe("X1");
        (await rev.PutCustomerAsync(_agent, new CustomerUpdate { Clear = ["name"] })).Name.ShouldBeNull();
        var simulated = await rev.SimulateAsync(new SimulationRequest { TierKey = _agent, CallsPerMonth = 1000, TokensInput = 1200, TokensOutput = 340, SuccessRate = 0.1m });
        simulated.BaseFees.ShouldBe(10m);
        simulated.TokenCharges.ShouldBe(8.7m);
        var series = await rev.GetRevenueAsync(new RevenueQuery { AgentId = _agent, Interval = RevenueInterval.Hour, GroupBy = RevenueGroup.Agent });
        series.Totals.Calls.ShouldBeInRange(0, 1);
        (await rev.GetSummaryAsync()).Currency.ShouldNotBeEmpty();
        var versions = 0;
        await foreach (var version in rev.ListTierVersionsAsync(_agent)) versions += version.Version > 0 ? 1 : 0;
        versions.ShouldBe(2);
    }

    private async Task<RevClient> ClientAsync()
    {
        var rev = new RevClient();
        await rev.PutTierAsync(_agent, new TierDefinition
        {
            Name = "SDK test",
            Currency = "usd",
            BaseFee = 0.005m,
            TokenRates = new TierTokenRates { InputPerMillion = 3m, OutputPerMillion = 15m },
            OutcomeBonuses = [new TierBonus { Name = "positive reply", Action = "email.*", When = TierCondition.Where("metadata.reply_received", "eq", true), Amount = 2.50m }],
            Pending = new TierPending { ExpiresAfter = TimeSpan.FromDays(7) },
        });
        await rev.PutAgentAsync(_agent, new AgentUpdate { Tier = _agent });
        return rev;
    }

    private async Task<List<EventSummary>> EventsAsync(RevClient rev)
    {
        var events = new List<EventSummary>();
        await foreach (var item in rev.ListEventsAsync(new EventFilter { AgentId = _agent, PageSize = 200 })) events.Add(item);
        return events;
    }
}
