using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;
using Rev.Application.Billing;
using Rev.Domain.Billing;
using Rev.Infrastructure.Common;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Billing;

/// <summary>What Rev priced is reported to Stripe's meters, to the millionth and once.</summary>
public sealed class MeterTests
{
    private const string Events = "POST /v1/billing/meter_events";
    private const string Meters = "POST /v1/billing/meters";
    private const string ThinSecret = "whsec_dGhpbiBzZWNyZXQ";

    [Theory, OneProvider]
    public async Task Hours_arrive_to_the_micro_and_the_rest_is_carried(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Price(Billed.Tier(baseFee: "0.123456789", bonus: "1.37"));
        var hours = new List<DateTimeOffset>();
        for (var hour = 0; hour < 3; hour++)
        {
            await billed.Meter("acme", 3);
            await billed.Meter("globex", 1, outcome: "failure");
            hours.Add(Hour(billed.Clock.Now));
            NextHour(billed);
            (await Collect(billed)).ShouldBe(2);
            (await Collect(billed)).ShouldBe(0);
            (await Send(billed)).ShouldBe(2);
            (await Send(billed)).ShouldBe(0);
        }

        foreach (var customer in new[] { "acme", "globex" })
        {
            var ledger = await LedgerNanos(billed, customer);
            var (units, rest) = Math.DivRem(ledger, 1_000);
            (await Total(billed, customer)).ShouldBe(units);
            (await CarryNanos(billed, customer)).ShouldBe(rest);
        }
        Sent(billed).Select(r => r.Form.Child("payload").Long("value")).Take(2).Order().ShouldBe([123_456L, 4_480_370L]);
        Sent(billed).Select(Timestamp).Distinct().ShouldBe(hours.Select(h => h.AddHours(1).AddSeconds(-1)));
        var identifiers = billed.Stripe.MeterIdentifiers(Billed.StripeAccount, live: true);
        identifiers.ShouldBeUnique();
        identifiers.ShouldAllBe(i => i.StartsWith("rev:", StringComparison.Ordinal) && i.Length <= 100);
        billed.Stripe.Applied(Meters).ShouldBe(1);
        billed.Stripe.Rows(Billed.StripeAccount, live: true, "billing.meter").ShouldHaveSingleItem()["event_name"]!.GetValue<string>().ShouldBe("rev_usage_usd");
        billed.Stripe.Customers(Billed.StripeAccount, live: true).Count.ShouldBe(2);
    }

    [Theory, OneProvider]
    public async Task An_hour_is_collected_ten_minutes_after_its_end(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        (await Collect(billed)).ShouldBe(0);
        billed.Clock.Advance(Hour(billed.Clock.Now).AddHours(1).AddMinutes(8) - billed.Clock.Now);
        (await Collect(billed)).ShouldBe(0);
        billed.Clock.Advance(TimeSpan.FromMinutes(3));
        (await Collect(billed)).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task In_mode_invoices_nothing_is_sent_to_a_meter(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 60);
        billed.NextMonth();

        (await Collect(billed) + await Send(billed) + await Compare(billed)).ShouldBe(0);
        await billed.Settle();

        billed.Stripe.Requests.ShouldNotContain(r => r.Path.StartsWith("/v1/billing/", StringComparison.Ordinal));
        (await billed.App.Count("meter_items")).ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task In_mode_meters_no_invoice_is_made_of_what_is_reported(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 60);
        billed.NextMonth();
        await Work(billed);

        await billed.Settle();

        (await billed.Invoices()).ShouldBeEmpty();
        (await Total(billed)).ShouldBe(60 * 12_120);
    }

    [Theory, OneProvider]
    public async Task Usage_in_the_last_hour_of_a_month_is_of_that_month(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        var month = new DateTimeOffset(billed.Clock.Now.Year, billed.Clock.Now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        billed.Clock.Advance(month.AddMonths(1).AddMinutes(-30) - billed.Clock.Now);
        await billed.Meter("acme", 1);
        billed.NextMonth();

        await Work(billed);

        Timestamp(Sent(billed).ShouldHaveSingleItem()).ShouldBe(month.AddMonths(1).AddSeconds(-1));
    }

    [Theory, OneProvider]
    public async Task What_is_taken_back_is_a_negative_value(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Price();
        var calls = await billed.Meter("acme", 2);
        NextHour(billed);
        await Work(billed);
        (await billed.Live.Reverse(calls[0]["outcome_id"]!)).Is(200);
        NextHour(billed);

        await Work(billed);

        Sent(billed).Select(r => r.Form.Child("payload").Long("value")).ShouldBe([2_020_000L, -1_000_000L]);
        (await Total(billed)).ShouldBe(1_020_000);
        (await Total(billed)).ShouldBe(await LedgerNanos(billed) / 1_000);
    }

    [Theory, OneProvider]
    public async Task Billing_begins_when_it_is_told_to(Provider provider)
    {
        await using var billed = await Billed.Start(provider, connect: false);
        await billed.Price();
        var before = await billed.Meter("acme", 2);
        // Amid an hour: what was charged before is not reported, and the reversal of it gives nothing back.
        billed.Clock.Advance(TimeSpan.FromMinutes(1));
        await billed.Connect("meters", new JsonObject { ["bill_from"] = Bodies.Instant(billed.Clock.Now) });
        await billed.Meter("acme", 1);
        (await billed.Live.Reverse(before[0]["outcome_id"]!)).Is(200);
        NextHour(billed);
        (await billed.Live.Reverse(before[1]["outcome_id"]!)).Is(200);
        NextHour(billed);

        await Work(billed);

        (await Total(billed)).ShouldBe(1_010_000);
        (await CarryNanos(billed)).ShouldBe(0);
    }

    [Theory, MemberData(nameof(LostAnswer.OnProviders), MemberType = typeof(LostAnswer))]
    public async Task A_lost_answer_delivers_once(Provider provider, string fault)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        NextHour(billed);
        billed.Stripe.Faults.Next(Events, LostAnswer.Of(fault));
        await Work(billed);
        (await Statuses(billed)).ShouldBe([MeterItemStatus.Sending]);
        billed.Clock.Advance(TimeSpan.FromMinutes(1));

        await Work(billed);

        await IsDeliveredOnce(billed);
    }

    [Theory, OneProvider]
    public async Task A_crash_between_sending_and_keeping_that_delivers_once(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        NextHour(billed);
        await Work(billed);
        // As the worker left it that was killed before it kept the answer.
        (await billed.App.Execute(
            $"UPDATE meter_items SET status = 1, accepted_at = NULL, due_at = {Micros.Of(billed.Clock.Now.AddMinutes(5)).ToString(CultureInfo.InvariantCulture)}")).ShouldBe(1);
        (await Send(billed)).ShouldBe(0);
        billed.Clock.Advance(TimeSpan.FromMinutes(6));

        (await Send(billed)).ShouldBe(1);

        await IsDeliveredOnce(billed);
    }

    [Theory, OneProvider]
    public async Task A_crash_before_sending_delivers_once(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        NextHour(billed);
        billed.Stripe.Faults.Next(Events, Fault.DropBefore);
        await Work(billed);
        (await Statuses(billed)).ShouldBe([MeterItemStatus.Sending]);
        billed.Clock.Advance(TimeSpan.FromMinutes(1));

        await Work(billed);

        await IsDeliveredOnce(billed);
    }

    [Theory, OneProvider]
    public async Task Three_days_without_Stripe_deliver_once_and_at_the_right_hour(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        var first = Hour(billed.Clock.Now);
        NextHour(billed);
        billed.Stripe.Faults.Next(Events, Fault.DropBefore);
        await Work(billed);
        billed.Stripe.Faults.Outage = true;
        for (var hours = 0; hours < 75; hours += 3)
        {
            await billed.Meter("acme", 1);
            billed.Clock.Advance(TimeSpan.FromHours(3));
            await Work(billed);
        }
        billed.Stripe.Faults.Outage = false;

        await Recover(billed);

        (await Total(billed)).ShouldBe(26 * 12_120);
        (await Statuses(billed)).ShouldAllBe(s => s == MeterItemStatus.Accepted);
        Sent(billed).Select(Timestamp).ShouldBeUnique();
        Sent(billed).Select(Timestamp).Order().First().ShouldBe(first.AddHours(1).AddSeconds(-1));
    }

    [Theory, OneProvider]
    public async Task Three_days_without_Stripe_after_it_arrived_deliver_once(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        NextHour(billed);
        billed.Stripe.Faults.Next(Events, Fault.DropAfter);
        await Work(billed);
        billed.Stripe.Faults.Outage = true;
        billed.Clock.Advance(TimeSpan.FromHours(75));
        await Work(billed);
        billed.Stripe.Faults.Outage = false;

        // By now Stripe has forgotten the identifier, and its sums tell.
        await Recover(billed);
        await CompareTwice(billed);
        await Recover(billed);

        await IsDeliveredOnce(billed, MeterItemStatus.Confirmed);
    }

    [Theory, EachProvider(ServersOnly = true)]
    public async Task Two_servers_report_nothing_twice(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        for (var i = 0; i < 6; i++) await billed.Meter($"customer-{i}", 1);
        NextHour(billed);
        await billed.Meter("customer-0", 1);
        NextHour(billed);
        var second = billed.Second();

        await Task.WhenAll(Collect(billed), billed.Run(new CollectMeterUsage(), second));
        await Collect(billed);
        await Task.WhenAll(Send(billed), billed.Run(new SyncMeters(), second), Send(billed), billed.Run(new SyncMeters(), second));
        await Recover(billed);

        (await billed.App.Count("meter_items")).ShouldBe(7);
        billed.Stripe.MeterIdentifiers(Billed.StripeAccount, live: true).Count.ShouldBe(7);
        for (var i = 0; i < 6; i++) (await Total(billed, $"customer-{i}")).ShouldBe(i == 0 ? 24_240 : 12_120);
    }

    [Theory, OneProvider]
    public async Task Failure_24_what_Stripe_rejects_later_is_found_and_delivered(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await ListenThin(billed);
        await billed.Meter("acme", 2);
        NextHour(billed);
        billed.Stripe.RejectUsage = _ => "meter_event_invalid_value";
        await Work(billed);
        billed.Stripe.RejectUsage = null;
        (await Total(billed)).ShouldBe(0, "It was taken in, and does not count.");
        (await Statuses(billed)).ShouldBe([MeterItemStatus.Accepted]);

        (await billed.Stripe.DeliverAsync()).Where(d => d.Type.StartsWith("v1.billing.", StringComparison.Ordinal)).ShouldHaveSingleItem().Status.ShouldBe(200);
        await billed.Events();
        (await Statuses(billed)).ShouldBe([MeterItemStatus.Rejected]);
        (await CompareTwice(billed)).ShouldBe(1);
        (await billed.Live.Get("/v1/stripe/drift")).Is(200)["missing"].ShouldBe("1");
        await Work(billed);

        (await Total(billed)).ShouldBe(2 * 12_120);
        NextHour(billed);
        (await CompareTwice(billed)).ShouldBe(0, "It is found once.");
        billed.Clock.Advance(TimeSpan.FromDays(2));
        (await CompareTwice(billed)).ShouldBe(0, "It is found once.");
        await Work(billed);
        (await Total(billed)).ShouldBe(2 * 12_120);
    }

    [Theory, OneProvider]
    public async Task Failure_24_what_Stripe_rejects_later_and_tells_nobody_is_found_by_its_sums(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Price();
        var calls = await billed.Meter("acme", 2);
        NextHour(billed);
        await Work(billed);
        await billed.Meter("acme", 3);
        NextHour(billed);
        billed.Stripe.RejectUsage = _ => "meter_event_customer_not_found";
        await Work(billed);
        billed.Stripe.RejectUsage = null;
        billed.Clock.Advance(TimeSpan.FromDays(1));

        (await CompareTwice(billed)).ShouldBe(1);
        await Work(billed);

        (await Total(billed)).ShouldBe(5 * 1_010_000);
        // A negative one that is rejected, and reported, is delivered too.
        await ListenThin(billed);
        (await billed.Live.Reverse(calls[0]["outcome_id"]!)).Is(200);
        NextHour(billed);
        billed.Stripe.RejectUsage = _ => "meter_event_invalid_value";
        await Work(billed);
        billed.Stripe.RejectUsage = null;
        await billed.Stripe.DeliverAsync();
        await billed.Events();
        (await CompareTwice(billed)).ShouldBe(1);
        await Work(billed);
        (await Total(billed)).ShouldBe((5 * 1_010_000) - 1_000_000);
    }

    [Theory, OneProvider]
    public async Task Failure_24_a_sum_that_lags_behind_is_not_taken_for_a_loss(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        NextHour(billed);
        billed.Stripe.SummaryLag = TimeSpan.FromMinutes(5);
        await Work(billed);

        (await CompareTwice(billed)).ShouldBe(0);
        await Work(billed);

        await IsDeliveredOnce(billed, MeterItemStatus.Confirmed);
        (await billed.App.Count("meter_readings")).ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task Failure_24_a_sum_that_lags_behind_for_hours_is_not_taken_for_a_loss(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        NextHour(billed);
        billed.Stripe.SummaryLag = TimeSpan.FromHours(3);
        await Work(billed);

        (await CompareTwice(billed)).ShouldBe(0);
        await Work(billed);
        billed.Clock.Advance(TimeSpan.FromHours(4));
        await Work(billed);

        await IsDeliveredOnce(billed);
        billed.Clock.Advance(TimeSpan.FromDays(1));
        (await CompareTwice(billed)).ShouldBe(0);
        await IsDeliveredOnce(billed, MeterItemStatus.Confirmed);
    }

    [Theory, OneProvider]
    public async Task Failure_24_a_forged_or_unsigned_report_is_refused(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await ListenThin(billed);
        await billed.Meter("acme", 1);
        NextHour(billed);
        billed.Stripe.RejectUsage = _ => "meter_event_invalid_value";
        await Work(billed);

        var sent = await billed.Stripe.DeliverAsync(new FakeDeliveryOptions { Secret = "whsec_c29tZWJvZHkgZWxzZQ", Only = e => e.Text("object") == "v2.core.event" });

        sent.ShouldHaveSingleItem().Status.ShouldBe(400);
        (await Statuses(billed)).ShouldBe([MeterItemStatus.Accepted]);
    }

    [Theory, OneProvider]
    public async Task Failure_25_a_duplicate_identifier_is_delivered_and_stalls_nothing(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        await billed.Meter("globex", 1);
        NextHour(billed);
        await billed.Meter("acme", 1);
        NextHour(billed);
        billed.Stripe.Faults.Next(Events, Fault.DropAfter, times: 2);
        await Work(billed);
        billed.Clock.Advance(TimeSpan.FromMinutes(1));

        await Work(billed);

        billed.Stripe.Requests.Count(r => r.Is(Events) && r.Status == 400).ShouldBe(2, "Both first items were known already.");
        (await Statuses(billed)).ShouldAllBe(s => s == MeterItemStatus.Accepted);
        (await Total(billed)).ShouldBe(2 * 12_120);
        (await Total(billed, "globex")).ShouldBe(12_120);
    }

    [Theory, OneProvider]
    public async Task Failure_26_usage_older_than_35_days_is_billed_by_an_invoice(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Price();
        await billed.Meter("acme", 3);
        // Nothing ran for so long.
        billed.Clock.Advance(TimeSpan.FromDays(40));
        await billed.Meter("acme", 1);
        NextHour(billed);
        await Work(billed);
        (await Statuses(billed)).ShouldBe([MeterItemStatus.Expired, MeterItemStatus.Accepted]);
        (await billed.Close()).ShouldBe(0, "It is asked for when a period is over.");
        billed.NextMonth();

        (await billed.Close()).ShouldBe(1);
        (await billed.Close()).ShouldBe(0);
        await billed.Settle();

        var invoice = await billed.Invoice("acme");
        (invoice["status"], invoice["total"]).ShouldBe(("open", "3.03"));
        var line = invoice.Array("lines").ShouldHaveSingleItem()!;
        line["component"]!.GetValue<string>().ShouldBe("adjustment");
        line["description"]!.GetValue<string>().ShouldContain("too late for the meter");
        (await Total(billed)).ShouldBe(1_010_000);
        billed.NextMonth();
        await billed.Settle();
        (await billed.Invoices()).Count.ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task Failure_26_what_an_invoice_rounds_off_goes_to_the_meter(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 51);
        billed.Clock.Advance(TimeSpan.FromDays(40));
        await Work(billed);
        billed.NextMonth();
        await billed.Settle();
        await billed.Meter("acme", 1);
        NextHour(billed);
        await Work(billed);

        // 51 calls of 0.01212 are 0.61812.
        (await billed.Invoice("acme"))["total"].ShouldBe("0.61");
        (await Total(billed)).ShouldBe(12_120 + 8_120);
        (await CarryNanos(billed)).ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task Failure_29_a_restored_backup_reports_nothing_again(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        NextHour(billed);
        await Work(billed);
        // By then Stripe has forgotten the identifier; and the database is as it was before anything was collected.
        billed.Clock.Advance(TimeSpan.FromHours(30));
        foreach (var table in new[] { "meter_items", "customer_balances" }) (await billed.App.Execute($"DELETE FROM {table}")).ShouldBe(1);
        await billed.App.Execute("UPDATE stripe_connections SET closed_until = NULL");

        (await Collect(billed)).ShouldBe(1);
        await Send(billed);

        await IsDeliveredOnce(billed);
        await CompareTwice(billed);
        await IsDeliveredOnce(billed, MeterItemStatus.Confirmed);
    }

    [Theory, OneProvider]
    public async Task It_is_told_how_many_hours_are_where_on_their_way(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        await billed.Meter("globex", 1);
        NextHour(billed);
        await Collect(billed);
        (await Counts(billed)).ShouldBe("queued 2");
        billed.Stripe.Faults.Next(Events, Fault.DropAfter);
        await Send(billed);
        (await Counts(billed)).ShouldBe("sending 1, accepted 1");
        billed.Clock.Advance(TimeSpan.FromMinutes(1));
        await Work(billed);
        await CompareTwice(billed);
        (await Counts(billed)).ShouldBe("confirmed 2");

        var meter = billed.Stripe.Rows(Billed.StripeAccount, live: true, "billing.meter").ShouldHaveSingleItem()["id"]!.GetValue<string>();
        await billed.AtStripe($"POST /v1/billing/meters/{meter}/deactivate", []);
        await billed.Meter("acme", 50);
        NextHour(billed);
        await Work(billed);
        (await Counts(billed)).ShouldBe("confirmed 2, rejected 1");
        billed.Clock.Advance(TimeSpan.FromDays(40));
        await Work(billed);
        (await Counts(billed)).ShouldBe("confirmed 2, expired 1");
        billed.NextMonth();
        (await billed.Close()).ShouldBe(1);
        (await Counts(billed)).ShouldBe("confirmed 2, invoiced 1");
    }

    [Theory, OneProvider]
    public async Task Whichever_way_a_connection_is_switched_nothing_is_billed_twice(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Price(Billed.Tier(baseFee: "0.123456789", bonus: "1.37"));
        await billed.Meter("acme", 3);
        NextHour(billed);
        await Work(billed);
        (await billed.Live.Put("/v1/stripe", new { mode = "invoices" })).Is(200);
        await billed.Meter("acme", 5);
        billed.NextMonth();
        (await billed.Close()).ShouldBe(1);
        await billed.Settle();
        (await billed.Live.Put("/v1/stripe", new { mode = "meters" })).Is(200);
        await billed.Meter("acme", 7);
        NextHour(billed);
        await Work(billed);

        var invoice = await billed.Invoice("acme");
        var invoiced = long.Parse(invoice["total_minor"]!, CultureInfo.InvariantCulture) * 10_000_000;
        var metered = await Total(billed) * 1_000;
        (invoiced + metered + await CarryNanos(billed)).ShouldBe(await LedgerNanos(billed));
        invoiced.ShouldBe(7_460_000_000);
    }

    [Theory, OneProvider]
    public async Task What_an_invoice_deferred_goes_to_the_meter(Provider provider)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Meter("acme", 1);
        billed.NextMonth();
        (await billed.Close()).ShouldBe(0);
        (await billed.Live.Put("/v1/stripe", new { mode = "meters" })).Is(200);
        NextHour(billed);

        await Work(billed);

        (await Total(billed)).ShouldBe(12_120);
        (await Work(billed)).ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task A_meter_that_somebody_deactivated_loses_nothing(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        NextHour(billed);
        await Work(billed);
        var meter = billed.Stripe.Rows(Billed.StripeAccount, live: true, "billing.meter").ShouldHaveSingleItem()["id"]!.GetValue<string>();
        await billed.AtStripe($"POST /v1/billing/meters/{meter}/deactivate", []);
        await billed.Meter("acme", 1);
        NextHour(billed);
        await Work(billed);
        (await Statuses(billed)).ShouldBe([MeterItemStatus.Accepted, MeterItemStatus.Rejected]);

        await billed.AtStripe($"POST /v1/billing/meters/{meter}/reactivate", []);
        billed.Clock.Advance(TimeSpan.FromHours(25));
        await Work(billed);

        (await Total(billed)).ShouldBe(2 * 12_120);
        billed.Stripe.Applied(Meters).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task What_Stripe_has_too_much_is_told_and_left(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        var at = billed.Clock.Now;
        NextHour(billed);
        await Work(billed);
        await billed.AtStripe(Events, new()
        {
            ["event_name"] = "rev_usage_usd", ["identifier"] = "by hand", ["timestamp"] = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            ["payload[stripe_customer_id]"] = await StripeCustomer(billed, "acme"), ["payload[value]"] = "50000",
        });

        (await CompareTwice(billed)).ShouldBe(1);

        (await billed.Live.Get("/v1/stripe/drift")).Is(200)["surplus"].ShouldBe("1");
        (await Work(billed)).ShouldBe(0);
        (await Total(billed)).ShouldBe(12_120 + 50_000);
    }

    [Theory, OneProvider]
    public async Task While_nobody_knows_whether_usage_arrived_the_account_stays(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        billed.Stripe.AddAccount("acct_1Other", "rk_live_51OtherAccount");
        await billed.Meter("acme", 1);
        NextHour(billed);
        billed.Stripe.Faults.Next(Events, Fault.DropAfter);
        await Work(billed);

        (await billed.Live.Put("/v1/stripe", new { api_key = "rk_live_51OtherAccount" })).Refused(409, "stripe.other_account");

        billed.Clock.Advance(TimeSpan.FromMinutes(1));
        await Work(billed);
        await IsDeliveredOnce(billed);
    }

    [Theory, OneProvider]
    public async Task A_refused_key_pauses_the_account_and_loses_nothing(Provider provider)
    {
        await using var billed = await Billed.Start(provider, mode: "meters");
        await billed.Meter("acme", 1);
        NextHour(billed);
        billed.Stripe.Forbid(Billed.LiveKey, Events);
        await Work(billed);
        (await billed.Live.Get("/v1/stripe"))["status"].ShouldBe("paused");
        billed.Stripe.Allow(Billed.LiveKey);
        (await billed.Live.Put("/v1/stripe", new { api_key = Billed.LiveKey })).Is(200);
        billed.Clock.Advance(TimeSpan.FromHours(2));

        await Work(billed);

        await IsDeliveredOnce(billed);
    }

    /// <summary>How many items are in which state, of those states that have any.</summary>
    private static async Task<string> Counts(Billed billed)
    {
        var counts = (await billed.Live.Get("/v1/stripe/sync")).Is(200).Json!["meter_items"]!.AsObject();
        return string.Join(", ", counts.Where(c => c.Value!.GetValue<long>() > 0).Select(c => $"{c.Key} {c.Value}"));
    }

    private static Task<int> Collect(Billed billed) => billed.Run(new CollectMeterUsage());

    private static Task<int> Send(Billed billed) => billed.Run(new SyncMeters());

    private static Task<int> Compare(Billed billed) => billed.Run(new ReconcileMeters());

    private static async Task<int> Work(Billed billed) => await Collect(billed) + await Send(billed);

    /// <summary>Works on, as the jobs would, until nothing waits any more.</summary>
    private static async Task Recover(Billed billed)
    {
        for (var round = 0; round < 60; round++)
        {
            await Work(billed);
            if ((await Statuses(billed)).TrueForAll(s => s is MeterItemStatus.Accepted or MeterItemStatus.Confirmed)) return;
            billed.Clock.Advance(TimeSpan.FromMinutes(11));
        }
    }

    /// <summary>Compares when it is due, and again when a difference may count. How many days differ at last.</summary>
    private static async Task<int> CompareTwice(Billed billed)
    {
        await Compare(billed);
        billed.Clock.Advance(TimeSpan.FromMinutes(11));
        return await Compare(billed);
    }

    private static void NextHour(Billed billed) => billed.Clock.Advance(Hour(billed.Clock.Now).AddHours(1).AddMinutes(11) - billed.Clock.Now);

    private static DateTimeOffset Hour(DateTimeOffset at) => new(at.Year, at.Month, at.Day, at.Hour, 0, 0, TimeSpan.Zero);

    private static async Task ListenThin(Billed billed)
    {
        var answer = (await billed.Live.Put("/v1/stripe", new { thin_webhook_secret = ThinSecret })).Is(200);
        var path = new Uri(answer["webhook_url"]!).AbsolutePath;
        billed.Stripe.Endpoint(new Uri(billed.App.Http.BaseAddress!, path), ThinSecret, isThin: true);
    }

    private static async Task<string> StripeCustomer(Billed billed, string customer) => (await billed.Live.Get($"/v1/customers/{customer}")).Is(200)["stripe_customer_id"]!;

    /// <summary>What counts at Stripe, in millionths.</summary>
    private static async Task<long> Total(Billed billed, string customer = "acme") =>
        billed.Stripe.MeterTotal(Billed.StripeAccount, live: true, await StripeCustomer(billed, customer), "rev_usage_usd");

    private static List<FakeRequest> Sent(Billed billed) => [.. billed.Stripe.Requests.Where(r => r.Is(Events) && r.Applied)];

    private static DateTimeOffset Timestamp(FakeRequest request) => DateTimeOffset.FromUnixTimeSeconds(request.Form.Long("timestamp"));

    private static async Task<List<MeterItemStatus>> Statuses(Billed billed) =>
        (await billed.App.Query("SELECT status FROM meter_items ORDER BY bucket_start, sequence, customer_id")).ConvertAll(r => (MeterItemStatus)r.Long("status"));

    private static async Task<long> CarryNanos(Billed billed, string customer = "acme") =>
        (await billed.App.Query($"SELECT carry_nanos FROM customer_balances WHERE customer_id = '{customer}'")).ShouldHaveSingleItem().Long("carry_nanos");

    /// <summary>All that a customer was charged, from the ledger itself.</summary>
    private static async Task<long> LedgerNanos(Billed billed, string customer = "acme")
    {
        var facts = (await Truth.Of(billed.App)).Facts.Where(f => f.Customer == customer && Truth.IsAmount(f.What));
        return (long)facts.Aggregate(BigInteger.Zero, (sum, f) => sum + f.Value);
    }

    private static async Task IsDeliveredOnce(Billed billed, MeterItemStatus status = MeterItemStatus.Accepted)
    {
        (await Statuses(billed)).ShouldBe([status]);
        billed.Stripe.MeterIdentifiers(Billed.StripeAccount, live: true).Count.ShouldBe(1);
        (await Total(billed)).ShouldBe(12_120);
    }
}
