using System.Diagnostics;
using Rev.Application.Billing;
using Rev.Infrastructure.Billing;

namespace Rev.IntegrationTests.Billing;

/// <summary>How often Stripe is asked.</summary>
public sealed class StripePaceTests
{
    private const string Account = "GET /v1/account";

    private static readonly StripeAccess Live = new("rk_live_51PaceOfTheTests", null);
    private static readonly StripeAccess Test = new("rk_test_51PaceOfTheTests", null);

    [Fact]
    public async Task Whoever_asks_too_fast_waits_and_is_not_turned_away()
    {
        await using var stripe = await Start();
        // Waiting for a turn is no waiting for an answer.
        using var gateway = new StripeGateway(stripe.ApiBase, TimeProvider.System, patience: TimeSpan.FromSeconds(1.5), pace: new StripePace());
        var started = Stopwatch.StartNew();

        var answers = await Ask(gateway, Test, 40);

        answers.ShouldAllBe(answer => answer.IsApplied);
        // Two at once, and twenty a second from then on.
        started.Elapsed.ShouldBeGreaterThan(TimeSpan.FromSeconds(1.8));
        stripe.Count(Account).ShouldBe(40);
    }

    [Fact]
    public async Task A_live_key_has_turns_of_its_own_and_more_of_them()
    {
        await using var stripe = await Start();
        using var gateway = new StripeGateway(stripe.ApiBase, TimeProvider.System, pace: new StripePace());
        var test = Ask(gateway, Test, 80);
        var started = Stopwatch.StartNew();

        (await Ask(gateway, Live, 40)).ShouldAllBe(answer => answer.IsApplied);

        // Eight at once, and eighty a second from then on: four times as many as with the test key, which is not through by far.
        started.Elapsed.ShouldBeGreaterThan(TimeSpan.FromSeconds(0.35));
        test.IsCompleted.ShouldBeFalse();
        (await test).ShouldAllBe(answer => answer.IsApplied);
    }

    [Fact]
    public async Task Who_is_cancelled_while_it_waits_asks_nothing()
    {
        await using var stripe = await Start();
        using var gateway = new StripeGateway(stripe.ApiBase, TimeProvider.System, pace: new StripePace());
        var others = Ask(gateway, Test, 30);
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        await Should.ThrowAsync<OperationCanceledException>(() => gateway.GetCustomer(Test, "cus_1", soon.Token));

        (await others).ShouldAllBe(answer => answer.IsApplied);
        stripe.Count("GET /v1/customers/*").ShouldBe(0);
    }

    private static async Task<FakeStripe> Start()
    {
        var stripe = await FakeStripe.StartAsync(TimeProvider.System);
        stripe.AddAccount("acct_1Pace", Live.ApiKey, Test.ApiKey);
        return stripe;
    }

    private static Task<StripeAnswer<StripeAccountFacts>[]> Ask(StripeGateway gateway, StripeAccess access, int times) =>
        Task.WhenAll(Enumerable.Range(0, times).Select(_ => gateway.Account(access, CancellationToken.None)));
}
