using System.Text.Json;
using System.Text.Json.Nodes;

namespace Rev.Client.Tests;

/// <summary>A run is metered once, with what it said last; what said nothing failed.</summary>
public sealed class RunTests
{
    [Fact]
    public async Task A_run_is_metered_with_its_tokens_its_outcome_and_its_metadata()
    {
        await using var server = new FakeRev();
        RevRun run;
        await using (run = server.Client().Run("outreach", "email.sent"))
        {
            using var usage = JsonDocument.Parse("""{ "input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 20 }""");
            run.Tokens(usage.RootElement)
                .Tokens(JsonNode.Parse("""{ "model": "small-2", "usage": { "prompt_tokens": 1, "completion_tokens": 2 } }""")!)
                .Tokens(1000, null)
                .With("campaign", "q4");
            run.CustomerId = "acme";
            run.Success(new() { ["reply_received"] = true });
        }

        var call = server.Requests.ShouldHaveSingleItem().Json;
        JsonNode.DeepEquals(
            call,
            JsonNode.Parse(
                $$"""
                { "agent_id": "outreach", "action": "email.sent", "tokens_input": 1101, "tokens_output": 22, "outcome": "success", "customer_id": "acme", "model": "small-2",
                  "metadata": { "campaign": "q4", "reply_received": true }, "idempotency_key": "{{call["idempotency_key"]!.GetValue<string>()}}" }
                """)).ShouldBeTrue(call.ToJsonString());
        run.Receipt!.PriceCharged.ShouldBe(0.01212m);
    }

    [Fact]
    public async Task A_scope_that_says_nothing_failed()
    {
        await using var server = new FakeRev();

        await Should.ThrowAsync<TimeoutException>(async () =>
        {
            await using var run = server.Client().Run("outreach", "email.sent");
            run.Tokens(5, 6);
            Break();
            run.Success();
        });

        var call = server.Requests.ShouldHaveSingleItem().Json;
        call["outcome"]!.GetValue<string>().ShouldBe("failure");
        ((int)call["tokens_output"]!).ShouldBe(6);
    }

    [Fact]
    public async Task RunAsync_sees_exceptions_and_throws_them_on()
    {
        await using var server = new FakeRev();
        var rev = server.Client();

        await Should.ThrowAsync<TimeoutException>(() => rev.RunAsync("outreach", "email.sent", async run =>
        {
            run.Success();
            await Task.Yield();
            Break();
        }));
        var answer = await rev.RunAsync("outreach", "email.sent", async run =>
        {
            await Task.Yield();
            run.Success();
            return 42;
        });

        await rev.RunAsync("outreach", "email.read", _ => Task.CompletedTask);

        answer.ShouldBe(42);
        server.Requests.Select(r => (string?)r.Json["outcome"] ?? "none").ShouldBe(["failure", "success", "none"]);
    }

    [Fact]
    public async Task A_failure_to_meter_does_not_hide_why_the_run_failed()
    {
        await using var server = new FakeRev { Always = Fault.Unauthorized };
        var rev = server.Client();
        RevRun? seen = null;

        await Should.ThrowAsync<TimeoutException>(() => rev.RunAsync("outreach", "email.sent", run =>
        {
            seen = run;
            Break();
            return Task.CompletedTask;
        }));
        await Should.ThrowAsync<TimeoutException>(async () =>
        {
            await using var run = rev.Run("outreach", "email.sent");
            Break();
        });

        seen!.MeteringError.ShouldBeOfType<RevException>().Code.ShouldBe("auth.invalid_key");
    }

    [Fact]
    public async Task A_decided_run_that_cannot_be_metered_throws_and_can_be_tried_again()
    {
        await using var server = new FakeRev { Always = Fault.Unauthorized };
        var run = server.Client().Run("outreach", "email.sent");
        run.Success();

        await Should.ThrowAsync<RevException>(() => run.CompleteAsync());
        await Should.ThrowAsync<RevException>(async () => await run.DisposeAsync());
        server.Always = null;
        var receipt = await run.CompleteAsync();
        await run.DisposeAsync();

        receipt!.OutcomeStatus.ShouldBe(OutcomeStatus.Succeeded);
        server.Requests.Select(r => r.Body).Distinct().Count().ShouldBe(1);
        server.Requests.Count.ShouldBe(3);
        Should.Throw<InvalidOperationException>(() => run.Success());
    }

    [Fact]
    public async Task A_run_can_be_pending_have_no_outcome_or_not_be_metered()
    {
        await using var server = new FakeRev();
        var rev = server.Client();
        var soon = new DateTimeOffset(2027, 1, 2, 3, 4, 5, TimeSpan.Zero);
        await using (var run = rev.Run("a", "b"))
        {
            run.IdempotencyKey = "proposal-17";
            run.Pending(expiresAt: soon);
        }
        await using (var run = rev.Run("a", "b")) run.NoOutcome();
        await using (var run = rev.Run("a", "b")) run.Discard();

        server.Requests.Count.ShouldBe(2);
        server.Requests[0].Body.ShouldBe("""{"agent_id":"a","action":"b","tokens_input":0,"tokens_output":0,"outcome":"pending","expires_at":"2027-01-02T03:04:05Z","idempotency_key":"proposal-17"}""");
        server.Requests[1].Json.ContainsKey("outcome").ShouldBeFalse();
    }

    [Fact]
    public async Task A_run_of_a_tracker_is_tracked_and_needs_no_await()
    {
        await using var server = new FakeRev();
        await using var tracker = new RevTracker(server.Client(), new RevTrackerOptions { Spool = RevSpoolMode.Off });

        using (var run = tracker.Run("a", "b"))
        {
            run.Tokens(1, 2);
            run.Success();
        }
        await Should.ThrowAsync<TimeoutException>(() => tracker.RunAsync("a", "b", _ =>
        {
            Break();
            return Task.CompletedTask;
        }));
        (await tracker.RunAsync("a", "b", _ => Task.FromResult(7))).ShouldBe(7);

        (await tracker.FlushAsync()).ShouldBeTrue();
        server.Stored.Values.Select(call => (string?)JsonNode.Parse(call)!["outcome"] ?? "none").Order(StringComparer.Ordinal).ShouldBe(["failure", "none", "success"]);
    }

    [Fact]
    public async Task A_run_that_was_done_is_metered_though_nobody_waits_for_it()
    {
        await using var server = new FakeRev();
        using var cancelled = new CancellationTokenSource();

        await Should.ThrowAsync<OperationCanceledException>(() => server.Client().RunAsync(
            "a", "b",
            async run =>
            {
                run.Success();
                await cancelled.CancelAsync();
            },
            cancelled.Token));

        await Wait.Until(() => server.Stored.Count == 1);
    }

    [Fact]
    public async Task Metadata_that_cannot_be_written_is_refused_when_it_is_given()
    {
        await using var server = new FakeRev();
        var run = server.Client().Run("a", "b");

        Should.Throw<ArgumentException>(() => run.Success(new() { ["score"] = double.NaN })).Message.ShouldContain("metadata.score");
        Should.Throw<ArgumentException>(() => run.With("score", double.PositiveInfinity));
        Should.Throw<ArgumentException>(() => RevMetadata.From(new Dictionary<string, object?> { ["score"] = double.NaN }));
        run.Success();

        (await run.CompleteAsync()).ShouldNotBeNull();
    }

    [Fact]
    public async Task Tokens_may_be_added_from_many_threads()
    {
        await using var server = new FakeRev();
        var run = server.Client().Run("a", "b");

        await Parallel.ForAsync(0, 1000, (_, _) =>
        {
            run.Tokens(1, 2);
            return ValueTask.CompletedTask;
        });

        run.Usage.ShouldBe(new TokenUsage(1000, 2000));
        Should.Throw<ArgumentOutOfRangeException>(() => run.Tokens(-1, 0));
        run.Discard();
    }

    private static void Break() => throw new TimeoutException("The mail server does not answer.");
}
