namespace Rev.Client.Tests;

/// <summary>A call counts once, whatever happens on its way.</summary>
public sealed class RetryTests
{
    private static readonly MeterCall Call = new() { AgentId = "outreach", Action = "email.sent", TokensInput = 1200, TokensOutput = 340, Outcome = Outcome.Success };

    [Fact]
    public async Task A_call_whose_answer_was_lost_counts_once()
    {
        await using var server = new FakeRev();
        server.Next(Fault.DropAfter, Fault.Unavailable);

        var receipt = await server.Client().MeterAsync(Call);

        receipt.Replayed.ShouldBeTrue();
        receipt.PriceCharged.ShouldBe(0.01212m);
        receipt.OutcomeStatus.ShouldBe(OutcomeStatus.Succeeded);
        receipt.OccurredAt.ShouldBe(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero).AddMicroseconds(123456));
        server.Requests.Count.ShouldBe(3);
        server.Requests.Select(r => r.HeaderKey).Distinct().ShouldBe([receipt.IdempotencyKey]);
        server.Requests.Select(r => r.Body).Distinct().Count().ShouldBe(1);
        server.Stored.Keys.ShouldBe([receipt.IdempotencyKey]);
    }

    [Fact]
    public async Task A_call_that_did_not_arrive_is_sent_again()
    {
        await using var server = new FakeRev();
        server.Next(Fault.DropBefore, Fault.DropBefore);

        var receipt = await server.Client().MeterAsync(Call);

        receipt.Replayed.ShouldBeFalse();
        server.Requests.Count.ShouldBe(3);
        server.Stored.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Two_calls_have_two_keys()
    {
        await using var server = new FakeRev();
        var rev = server.Client();

        await rev.MeterAsync(Call);
        await rev.MeterAsync(Call);

        server.Stored.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_key_of_ones_own_stands_in_the_body_and_is_kept()
    {
        await using var server = new FakeRev();
        server.Next(Fault.DropAfter);

        var receipt = await server.Client().MeterAsync(Call with { IdempotencyKey = "Brief 4711 – ä" });

        receipt.IdempotencyKey.ShouldBe("Brief 4711 – ä");
        server.Stored.Keys.ShouldBe(["Brief 4711 – ä"]);
        server.Requests.ShouldAllBe(r => r.HeaderKey == null);
    }

    [Fact]
    public async Task Statuses_that_pass_are_waited_out()
    {
        await using var server = new FakeRev();
        server.Next(Fault.Timeout, Fault.RateLimited, Fault.Broken, Fault.Unavailable, Fault.Unavailable);
        var clock = new FastClock();

        var receipt = await server.Client(o => o.Clock = clock).MeterAsync(Call);

        server.Requests.Count.ShouldBe(6);
        server.Stored.Keys.ShouldBe([receipt.IdempotencyKey]);
    }

    [Fact]
    public async Task Retry_After_is_honoured()
    {
        await using var server = new FakeRev();
        server.Next(Fault.RateLimited);
        var clock = new FastClock();

        await server.Client(o => o.Clock = clock).MeterAsync(Call);

        clock.Waits.ShouldHaveSingleItem().ShouldBeInRange(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(7.1));
    }

    [Fact]
    public async Task A_Retry_After_that_is_too_long_is_told_and_not_waited_for()
    {
        await using var server = new FakeRev();
        server.Next(Fault.RateLimitedForLong);

        var refused = await Should.ThrowAsync<RevException>(() => server.Client().MeterAsync(Call));

        refused.Code.ShouldBe("rate.limited");
        refused.RetryAfter.ShouldBe(TimeSpan.FromMinutes(10));
        refused.IsRetryable.ShouldBeTrue();
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Retries_come_to_an_end_and_their_waits_grow_no_further_than_the_ceiling()
    {
        await using var server = new FakeRev { Always = Fault.Broken };
        var clock = new FastClock();
        var rev = server.Client(o => (o.Clock, o.MaxRetries, o.RetryDelay, o.MaxRetryDelay) = (clock, 6, TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(400)));

        var refused = await Should.ThrowAsync<RevException>(() => rev.MeterAsync(Call));

        refused.Code.ShouldBe("http.500");
        refused.Status.ShouldBe(500);
        refused.RequestId.ShouldBe("req-1");
        refused.IdempotencyKey.ShouldBe(server.Requests[0].HeaderKey);
        server.Requests.Count.ShouldBe(7);
        clock.Waits.Max().ShouldBeLessThanOrEqualTo(TimeSpan.FromMilliseconds(400));
    }

    [Fact]
    public async Task An_attempt_that_takes_too_long_is_made_again()
    {
        await using var server = new FakeRev();
        server.Next(Fault.Slow);

        var receipt = await server.Client(o => o.Timeout = TimeSpan.FromMilliseconds(300)).MeterAsync(Call);

        receipt.Replayed.ShouldBeTrue();
        server.Stored.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_timeout_says_that_it_may_have_been_carried_out()
    {
        await using var server = new FakeRev();
        server.Next(Fault.Slow);
        var rev = server.Client(o => (o.Timeout, o.MaxRetries) = (TimeSpan.FromMilliseconds(300), 0));

        var failed = await Should.ThrowAsync<RevException>(() => rev.MeterAsync(Call));

        failed.Code.ShouldBe(RevException.TimeoutCode);
        failed.IsRetryable.ShouldBeTrue();
        failed.Status.ShouldBeNull();
        var again = await rev.MeterAsync(Call with { IdempotencyKey = failed.IdempotencyKey });
        again.EventId.ShouldBe($"evt_{failed.IdempotencyKey}");
    }

    [Fact]
    public async Task A_connection_that_cannot_be_made_is_retryable()
    {
        var server = new FakeRev();
        var rev = server.Client(o => o.MaxRetries = 1);
        await server.DisposeAsync();

        var failed = await Should.ThrowAsync<RevException>(() => rev.MeterAsync(Call));

        failed.Code.ShouldBe(RevException.ConnectionCode);
        failed.IsRetryable.ShouldBeTrue();
    }

    [Fact]
    public async Task A_cancelled_call_is_not_sent_again()
    {
        await using var server = new FakeRev { Always = Fault.Slow };
        using var cancelled = new CancellationTokenSource();

        var metering = server.Client().MeterAsync(Call, cancelled.Token);
        await Wait.Until(() => server.Requests.Count == 1);
        await cancelled.CancelAsync();
        OperationCanceledException? thrown = null;
        try
        {
            await metering;
        }
        catch (OperationCanceledException exception)
        {
            // Should.ThrowAsync would make another of it.
            thrown = exception;
        }

        thrown!.CancellationToken.ShouldBe(cancelled.Token);
        thrown.Data[RevException.IdempotencyKeyData].ShouldBe(server.Requests[0].HeaderKey);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_refusal_is_typed_and_not_retried()
    {
        await using var server = new FakeRev();

        var refused = await Should.ThrowAsync<RevException>(() => server.Client().MeterAsync(Call with { AgentId = "bad" }));

        refused.Code.ShouldBe("request.invalid");
        refused.Status.ShouldBe(400);
        refused.RequestId.ShouldBe("req-1");
        refused.IsRetryable.ShouldBeFalse();
        refused.Errors["tokens_input"].ShouldBe(["must be ≥ 0"]);
        refused.Message.ShouldContain("request.invalid");
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_answer_of_somebody_else_is_no_receipt()
    {
        await using var server = new FakeRev();
        server.Next(Fault.Page);

        var failed = await Should.ThrowAsync<RevException>(() => server.Client().MeterAsync(Call));

        failed.Code.ShouldBe(RevException.UnreadableCode);
        failed.IdempotencyKey.ShouldBe(server.Requests[0].HeaderKey);
    }

    [Fact]
    public async Task What_a_handler_throws_has_the_key_with_it()
    {
        using var http = new HttpClient(new Broken());
        var rev = new RevClient(http, new RevOptions { ApiKey = "rg_test_key", BaseUrl = new Uri("http://rev.test"), MaxRetries = 0 });

        var failed = await Should.ThrowAsync<RevException>(() => rev.MeterAsync(Call));

        failed.Code.ShouldBe(RevException.ConnectionCode);
        failed.IdempotencyKey.ShouldNotBeNullOrEmpty();
        failed.InnerException.ShouldBeOfType<InvalidOperationException>();
    }

    [Fact]
    public async Task A_batch_that_failed_says_under_which_keys_it_was_sent()
    {
        await using var server = new FakeRev { Always = Fault.Unavailable };
        var rev = server.Client(o => o.MaxRetries = 0);

        var failed = await Should.ThrowAsync<RevException>(() => rev.MeterBatchAsync([Call, Call with { IdempotencyKey = "mine" }]));

        failed.IdempotencyKeys.Count.ShouldBe(2);
        failed.IdempotencyKeys[1].ShouldBe("mine");
        server.Stored.Keys.Order(StringComparer.Ordinal).ShouldBe(failed.IdempotencyKeys.Order(StringComparer.Ordinal));
        server.Always = null;
        var again = await rev.MeterBatchAsync([Call with { IdempotencyKey = failed.IdempotencyKeys[0] }, Call with { IdempotencyKey = "mine" }]);
        again.Replayed.ShouldBe(2);
    }

    [Fact]
    public async Task In_a_batch_one_bad_call_spoils_nothing_and_a_busy_one_is_sent_again()
    {
        await using var server = new FakeRev();
        server.Next(Fault.DropAfter);

        var result = await server.Client().MeterBatchAsync([Call, Call with { AgentId = "bad" }, Call with { AgentId = "busy" }, Call]);

        result.Items.Select(i => i.Status).ShouldBe([201, 400, 201, 201]);
        result.Items[1].Error!.Code.ShouldBe("request.invalid");
        result.Rejected.ShouldBe(1);
        (result.Accepted + result.Replayed).ShouldBe(3);
        result.Items.Select(i => i.IdempotencyKey).Distinct().Count().ShouldBe(4);
        server.Stored.Count.ShouldBe(3);
    }

    [Fact]
    public async Task An_empty_batch_asks_nobody()
    {
        await using var server = new FakeRev();

        (await server.Client().MeterBatchAsync([])).Items.ShouldBeEmpty();

        server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public void Without_a_key_or_with_an_address_that_is_none_there_is_no_client()
    {
        var missing = Should.Throw<RevException>(() => new RevClient(new RevOptions { ApiKey = " ", BaseUrl = new Uri("http://rev.test") }));
        missing.Code.ShouldBe("client.not_configured");
        missing.Message.ShouldContain("REV_API_KEY");
        Should.Throw<RevException>(() => new RevClient(new RevOptions { ApiKey = "rg_test_key", BaseUrl = new Uri("ftp://rev.test") })).Code.ShouldBe("client.not_configured");
        Should.Throw<RevException>(() => new RevClient(new RevOptions { ApiKey = "rg_test_kéy", BaseUrl = new Uri("http://rev.test") })).Code.ShouldBe("client.not_configured");
        Should.Throw<ArgumentOutOfRangeException>(() => new RevClient(new RevOptions { ApiKey = "rg_test_key", RetryDelay = TimeSpan.FromMilliseconds(-1) }));
    }

    private sealed class Broken : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("The circuit is open.");
    }
}
