using Rev.IntegrationTests.Billing;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Webhooks;

/// <summary>What endpoints hear of invoices and of the work with Stripe.</summary>
public sealed class WebhookBillingTests
{
    [Theory, EachProvider]
    public async Task An_invoice_is_told_when_it_is_finalised_when_its_payment_fails_and_when_it_is_paid(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        await billed.Live.Listen($"{receiver.Address}/live", "invoice.*", "stripe.*");
        await billed.Account.Test.Listen($"{receiver.Address}/test");
        await billed.Meter("acme", 3);
        billed.NextMonth();
        await billed.Close();
        await billed.Sync();

        var finalized = (await receiver.WaitFor(1))[0];
        var invoice = await billed.Invoice();
        finalized.Type.ShouldBe("invoice.finalized");
        foreach (var name in new[] { "id", "number", "stripe_invoice_id", "customer_id", "currency", "total", "period_start", "period_end" })
            finalized.Data[name]!.GetValue<string>().ShouldBe(invoice[name], name);
        finalized.Data["status"]!.GetValue<string>().ShouldBe("open");
        finalized.Data["total_minor"]!.GetValue<long>().ShouldBe(303);

        var there = billed.Stripe.Invoices(Billed.StripeAccount, live: true).ShouldHaveSingleItem();
        var (customer, stripeInvoice) = (there["customer"]!.GetValue<string>(), there["id"]!.GetValue<string>());
        billed.Stripe.SetCard(customer, works: false);
        billed.Stripe.RetryPayment(stripeInvoice);
        await billed.Stripe.DeliverAsync();
        await billed.Events();
        (await billed.Invoice())["status"].ShouldBe("past_due");
        (await receiver.WaitFor(2))[1].Type.ShouldBe("invoice.payment_failed");

        billed.Stripe.SetCard(customer);
        billed.Stripe.PayByHand(stripeInvoice);
        await billed.Stripe.DeliverAsync();
        await billed.Events();
        var paid = (await receiver.WaitFor(3))[2];
        paid.Type.ShouldBe("invoice.paid");
        paid.Data["status"]!.GetValue<string>().ShouldBe("paid");

        // The same news again is none.
        await billed.Stripe.DeliverAsync();
        await billed.Events();
        await billed.App.Deliver();
        receiver.Received.Select(m => $"{m.Path} {m.Type}").ShouldBe(["/live invoice.finalized", "/live invoice.payment_failed", "/live invoice.paid"]);
    }

    [Theory, EachProvider]
    public async Task A_refused_key_is_told_once(Provider provider)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var billed = await Billed.Start(provider);
        await billed.Price();
        await billed.Live.Listen(receiver.Address, "stripe.sync_failed");
        await billed.Meter("acme", 3);
        billed.NextMonth();
        billed.Stripe.Revoke(Billed.LiveKey);
        await billed.Close();
        await billed.Sync();
        (await billed.Live.Get("/v1/stripe")).Is(200)["status"].ShouldBe("paused");

        var failure = (await receiver.WaitFor(1))[0];
        failure.Type.ShouldBe("stripe.sync_failed");
        failure.Data["subject"]!.GetValue<string>().ShouldBe("connection");
        failure.Data["id"]!.GetValue<string>().ShouldBe((await billed.Live.Get("/v1/stripe"))["id"]);
        failure.Data["error"]!.GetValue<string>().ShouldNotBeEmpty();
        failure.Body.ShouldNotContain(Billed.LiveKey);
        billed.Clock.Advance(TimeSpan.FromHours(1));
        await billed.Sync();
        await billed.App.Deliver();
        receiver.Received.Count.ShouldBe(1);
    }
}
