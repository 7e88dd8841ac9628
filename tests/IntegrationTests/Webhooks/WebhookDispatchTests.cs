using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Webhooks;
using Rev.IntegrationTests.Common;
using static Rev.IntegrationTests.Webhooks.WebhookDeliveryTests;

namespace Rev.IntegrationTests.Webhooks;

/// <summary>Many endpoints, many processes, and processes that end: who waits for whom, and that nothing is lost.</summary>
public sealed class WebhookDispatchTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, OneProvider]
    public async Task An_account_whose_endpoints_all_hang_keeps_no_other_waiting(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Webhooks:TimeoutSeconds"] = "60" });
        var (first, second) = ((await app.SignUpAsync()).Live, (await app.SignUpAsync()).Live);
        receiver.Answer = (http, message) => message.Path == "/well" ? Taken(http) : receiver.Hang(http);
        // More than are sent to at once over all accounts.
        for (var i = 0; i < 70; i++) await first.Listen($"{receiver.Address}/{i}");
        await second.Listen($"{receiver.Address}/well");
        await first.Meter(Bodies.Call());
        await receiver.WaitFor(WebhookDispatcher.MostOfAccount);

        await second.Meter(Bodies.Call());

        // For a minute none of the others ends.
        await WebhookDriving.Until(() => Task.FromResult(receiver.Received.Any(m => m.Path == "/well")), "The other account is told.");
        receiver.Requests.ShouldBe(WebhookDispatcher.MostOfAccount + 1);
    }

    [Theory, OneProvider]
    public async Task Who_has_many_messages_for_many_endpoints_keeps_no_other_waiting_to_be_queued(Provider provider)
    {
        var app = await apps.On(provider);
        var (first, second) = ((await app.SignUpAsync()).Live, (await app.SignUpAsync()).Live);
        for (var i = 0; i < 10; i++) await first.Listen("https://example.com/");
        var endpoint = (await second.Listen("https://example.com/"))["id"]!;
        await Seed(app, first, 400);
        await Seed(app, second, 1);
        var queue = app.Services.GetRequiredService<IWebhookQueue>();

        (await queue.FanOut(app.Now, CancellationToken.None)).ShouldBeLessThan(401);
        (await second.Deliveries(endpoint)).Count.ShouldBe(1);
        var queued = await app.Count("webhook_deliveries");
        queued.ShouldBeLessThan(2_000, "A transaction is short.");

        while (await queue.FanOut(app.Now, CancellationToken.None) > 0)
        {
            // Until nothing is left.
        }
        (await app.Count("webhook_deliveries")).ShouldBe(4_001);
    }

    [Theory, OneProvider]
    public async Task A_server_that_stops_writes_down_what_is_answered_while_it_does(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal));
        var live = (await app.SignUpAsync()).Live;
        await live.Listen(receiver.Address);
        receiver.Answer = async (http, _) =>
        {
            await Task.Delay(500);
            await Taken(http);
        };
        await live.Meter(Bodies.Call());
        await receiver.WaitFor(1);

        await app.Services.GetRequiredService<WebhookDispatcher>().StopAsync(CancellationToken.None);

        var sent = (await app.Query("SELECT status, attempts FROM webhook_deliveries")).ShouldHaveSingleItem();
        (sent.Long("status"), sent.Long("attempts")).ShouldBe((1L, 1L));
    }

    [Theory, EachProvider(ServersOnly = true)]
    public async Task Two_processes_send_each_message_once(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var second = apps.Second(app);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;
        await Seed(app, live, 300);

        await Task.WhenAll(app.Deliver(), second.Deliver(), app.Deliver(), second.Deliver());
        await WebhookDriving.Until(async () => (await app.Query("SELECT COUNT(*) AS n FROM webhook_deliveries WHERE status = 1"))[0].Long("n") == 300, "All are sent.");

        receiver.Received.GroupBy(m => m.Id, StringComparer.Ordinal).ShouldAllBe(g => g.Count() == 1);
        receiver.Received.Count.ShouldBe(300);
        (await live.Deliveries(endpoint, "?status=delivered")).Count.ShouldBe(300);

        // Another process learns of a tenant's first endpoint within a second.
        var other = (await app.SignUpAsync()).Live;
        await other.Listen($"{receiver.Address}/other");
        await Task.Delay(1_500);
        await other.At(second).Meter(Bodies.Call());
        await receiver.WaitFor(301);
    }

    [Theory, EachProvider]
    public async Task What_a_process_took_and_did_not_send_is_sent_when_its_lease_is_over(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var endpoint = (await live.Listen(receiver.Address))["id"]!;
        await Seed(app, live, 10);
        var queue = app.Services.GetRequiredService<IWebhookQueue>();
        (await queue.FanOut(app.Now, CancellationToken.None)).ShouldBe(10);
        WebhookEndpointId.TryParse(endpoint, out var id).ShouldBeTrue();
        var taken = await queue.Take(id, app.Now, TimeSpan.FromMinutes(1), 4, CancellationToken.None);
        taken.Count.ShouldBe(4);

        await app.Deliver();
        receiver.Received.Count.ShouldBe(6);
        app.Clock.Advance(TimeSpan.FromSeconds(61));
        await app.Deliver();
        receiver.Received.Count.ShouldBe(10);
        receiver.Received.Select(m => m.Id).Distinct(StringComparer.Ordinal).Count().ShouldBe(10);

        // The process that took them wakes up: it sends nothing any more.
        using var scope = app.Services.CreateScope();
        foreach (var ticket in taken)
            (await scope.ServiceProvider.GetRequiredService<WebhookAttempts>().Send(ticket, CancellationToken.None)).ShouldBe(AttemptVerdict.Moot);
        receiver.Received.Count.ShouldBe(10);
    }

    [Theory, OneProvider]
    public async Task Nothing_is_lost_when_the_program_is_killed(Provider provider)
    {
        const string secret = "a secret of the test with the kill, long enough to be taken";
        const int messages = 60;
        await using var receiver = await WebhookReceiver.StartAsync();
        var database = await TestDatabase.CreateAsync(provider);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["Security:Secret"] = secret };
        Dictionary<string, string> environment;
        await using (var app = RevApp.Start(database, settings: settings))
        {
            var live = (await app.SignUpAsync()).Live;
            await live.Listen(receiver.Address);
            await Seed(app, live, messages);
            environment = RevProcess.Settings(app);
        }
        environment["Security__Secret"] = secret;
        environment["Webhooks__TimeoutSeconds"] = "1";
        // A tenth of a second each, so that the kill comes while some are on their way.
        receiver.Answer = async (http, _) =>
        {
            await Task.Delay(100);
            await Taken(http);
        };

        using (var first = RevProcess.Start([], environment))
        {
            await receiver.WaitFor(messages / 4);
            first.Kill();
            await first.WaitForExitAsync();
        }
        receiver.Received.Count.ShouldBeLessThan(messages, "It was killed in the middle.");
        receiver.Answer = (http, _) => Taken(http);
        await using (var app = RevApp.Start(database, settings: settings))
        {
            // What was on its way comes again when its lease is over: here by the clock, so that nobody waits for it.
            app.Clock.Advance(TimeSpan.FromMinutes(1));
            await app.Deliver();
            await app.Deliver();
            receiver.Received.Select(m => m.Id).Distinct(StringComparer.Ordinal).Count().ShouldBe(messages);
            var statuses = await app.Query("SELECT status, COUNT(*) AS n FROM webhook_deliveries GROUP BY status");
            statuses.Select(s => (s.Long("status"), s.Long("n"))).ShouldBe([(1L, (long)messages)]);
        }
        await database.DisposeAsync();
    }

    [Theory, OneProvider]
    public async Task Thousands_to_fifty_endpoints_of_which_five_hang_and_five_are_broken_reach_the_healthy_ones(Provider provider)
    {
        const int endpoints = 50;
        // A thousand with the other tests; all ten thousand, and their memory, by itself: REV_WEBHOOK_MESSAGES=200 and a filter on this test.
        var alone = int.TryParse(Environment.GetEnvironmentVariable("REV_WEBHOOK_MESSAGES"), CultureInfo.InvariantCulture, out var messages);
        if (!alone) messages = 20;
        await using var receiver = await WebhookReceiver.StartAsync();
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Webhooks:TimeoutSeconds"] = "2" });
        var live = (await app.SignUpAsync()).Live;
        var taken = new ConcurrentDictionary<string, ConcurrentDictionary<string, int>>(StringComparer.Ordinal);
        receiver.Answer = (http, message) =>
        {
            var number = int.Parse(message.Path.TrimStart('/'), CultureInfo.InvariantCulture);
            if (number < 5) return receiver.Hang(http);
            if (number < 10) return Broken(http);
            taken.GetOrAdd(message.Path, _ => new(StringComparer.Ordinal)).AddOrUpdate(message.Id, 1, (_, n) => n + 1);
            return Taken(http);
        };
        for (var i = 0; i < endpoints; i++) await live.Listen($"{receiver.Address}/{i}");
        await Seed(app, live, messages);
        var before = GC.GetTotalMemory(forceFullCollection: alone);

        using (var scope = app.Services.CreateScope())
            (await scope.ServiceProvider.GetRequiredService<MediatR.IMediator>().Send(new DeliverWebhooks())).IsSuccess.ShouldBeTrue();
        var watch = Stopwatch.StartNew();
        var peak = 0L;
        var seen = 0;
        var still = Stopwatch.StartNew();
        while (Healthy() < (endpoints - 10) * messages)
        {
            await Task.Delay(200);
            peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false));
            if (Healthy() > seen) (seen, still) = (Healthy(), Stopwatch.StartNew());
            // Whatever the machine does, the healthy ones get on: none of them waits for those that hang.
            still.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20), $"{seen} were taken, and then none.");
        }
        var drained = watch.Elapsed;

        taken.Count.ShouldBe(endpoints - 10);
        // Where the machine is slow an answer may come after its time, and the message again.
        taken.Values.ShouldAllBe(ids => ids.Count == messages);
        // One after the other, those that hang alone would have taken 5 × 200 × 2 s.
        drained.ShouldBeLessThan(TimeSpan.FromMinutes(5));
        if (alone) (peak - before).ShouldBeLessThan(400L << 20, "Memory does not grow with what waits.");
        var counts = await app.Query("SELECT status, COUNT(*) AS n FROM webhook_deliveries GROUP BY status");
        counts.Sum(c => c.Long("n")).ShouldBe(endpoints * messages);
        counts.ShouldAllBe(c => c.Long("status") != 2);

        int Healthy() => taken.Values.Sum(ids => ids.Count);
    }

    /// <summary>Messages of the caller's tenant that are not queued yet, as a commit leaves them.</summary>
    private static async Task Seed(RevApp app, Caller caller, int messages)
    {
        AccountId.TryParse((await caller.Get("/v1/account")).Is(200)["id"], out var account).ShouldBeTrue();
        var make = app.Services.GetRequiredService<WebhookMessages>();
        await using var db = app.Services.GetRequiredService<StoreFactory>().Create();
        for (var i = 0; i < messages; i++)
            db.WebhookMessages.Add(make.Make(new(account, Mode.Live), WebhookTypes.OutcomeSucceeded, $$"""{"number":{{i}}}""", app.Now, isOpen: true));
        await db.SaveChangesAsync();
    }
}
