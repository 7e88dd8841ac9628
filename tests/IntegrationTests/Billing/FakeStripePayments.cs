using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <content>What becomes of finalised invoices: payments, disputes, and invoices that are given up.</content>
public sealed partial class FakeStripe
{
    private const int MostAttempts = 4;

    private const long BetweenAttempts = 3 * 86_400;

    /// <summary>Someone disputes the payment of an invoice. The id of the dispute.</summary>
    public string Dispute(string invoiceId, string reason = "fraudulent")
    {
        lock (_gate)
        {
            var world = WorldOf(invoiceId);
            if (PaymentOf(world, invoiceId) is not { } payment || payment.Text("status") != "paid") throw new InvalidOperationException("The invoice was not paid.");
            var intent = Get(world, "payment_intent", payment.Child("payment").Text("payment_intent")!);
            var dispute = Insert(world, "dispute", "dp", new JsonObject
            {
                ["amount"] = intent.Long("amount"), ["balance_transactions"] = new JsonArray(), ["charge"] = intent.Text("latest_charge"), ["currency"] = intent.Text("currency"),
                ["evidence"] = new JsonObject(),
                ["evidence_details"] = new JsonObject { ["due_by"] = Now + (7 * 86_400), ["has_evidence"] = false, ["past_due"] = false, ["submission_count"] = 0L },
                ["is_charge_refundable"] = false, ["payment_intent"] = intent.Text("id"), ["reason"] = reason, ["status"] = "needs_response",
            });
            Emit(world, "charge.dispute.created", dispute);
            return dispute.Text("id")!;
        }
    }

    /// <summary>A dispute is decided.</summary>
    public void CloseDispute(string disputeId, bool isWon)
    {
        lock (_gate)
        {
            var world = WorldOf(disputeId);
            var dispute = Get(world, "dispute", disputeId);
            dispute["status"] = isWon ? "won" : "lost";
            Emit(world, "charge.dispute.closed", dispute);
        }
    }

    private JsonObject Pay(FakeWorld world, JsonObject invoice, bool outOfBand)
    {
        if (invoice.Text("status") is not ("open" or "uncollectible"))
            throw FakeStripeException.Refused(code: null, $"Invoice is already {invoice.Text("status")}: only open invoices are paid.", "invoice");
        if (outOfBand) MarkPaid(world, invoice, outOfBand);
        else if (!Attempt(world, invoice)) throw new FakeStripeException(402, "card_declined", "Your card was declined.", param: null, remembered: true, type: "card_error");
        return ShownInvoice(world, invoice);
    }

    private JsonObject Send(FakeWorld world, JsonObject invoice)
    {
        if (invoice.Text("collection_method") != "send_invoice")
            throw FakeStripeException.Refused(code: null, "You can only send invoices whose collection_method is send_invoice.", "invoice");
        if (invoice.Text("status") == "draft") Finalise(world, invoice, autoAdvance: null);
        Emit(world, "invoice.sent", invoice);
        return ShownInvoice(world, invoice);
    }

    private JsonObject Void(FakeWorld world, JsonObject invoice)
    {
        if (invoice.Text("status") is not ("open" or "uncollectible"))
            throw FakeStripeException.Refused(code: null, $"You can only void open or uncollectible invoices: this one is {invoice.Text("status")}.", "invoice");
        var customer = Get(world, "customer", invoice.Text("customer")!);
        var currency = invoice.Text("currency")!;
        SetBalance(customer, currency, customer.Child("invoice_credit_balance").Long(currency) + invoice.Long("starting_balance") - invoice.Long("ending_balance"));
        invoice["status"] = "void";
        invoice["next_payment_attempt"] = null;
        invoice.Child("status_transitions")!["voided_at"] = Now;
        Cancel(world, invoice);
        Emit(world, "invoice.voided", invoice);
        return ShownInvoice(world, invoice);
    }

    private JsonObject GiveUp(FakeWorld world, JsonObject invoice)
    {
        if (invoice.Text("status") != "open")
            throw FakeStripeException.Refused(code: null, $"You can only mark open invoices as uncollectible: this one is {invoice.Text("status")}.", "invoice");
        invoice["status"] = "uncollectible";
        invoice["next_payment_attempt"] = null;
        invoice.Child("status_transitions")!["marked_uncollectible_at"] = Now;
        Emit(world, "invoice.marked_uncollectible", invoice);
        return ShownInvoice(world, invoice);
    }

    private static JsonObject? PaymentOf(FakeWorld world, string? invoiceId) => world.Table("invoice_payment").Find(payment => payment.Text("invoice") == invoiceId);

    /// <summary>The payment that a finalised invoice waits for.</summary>
    private void OpenPayment(FakeWorld world, JsonObject invoice)
    {
        var intent = Insert(world, "payment_intent", "pi", new JsonObject
        {
            ["amount"] = invoice.Long("amount_due"), ["amount_received"] = 0L, ["currency"] = invoice.Text("currency"), ["customer"] = invoice.Text("customer"),
            ["latest_charge"] = null,
            ["payment_method"] = null, ["payment_method_types"] = new JsonArray("card"), ["status"] = "requires_payment_method",
        });
        Insert(world, "invoice_payment", "inpay", new JsonObject
        {
            ["amount_paid"] = null, ["amount_requested"] = invoice.Long("amount_due"), ["currency"] = invoice.Text("currency"), ["invoice"] = invoice.Text("id"),
            ["is_default"] = true,
            ["payment"] = new JsonObject { ["payment_intent"] = intent.Text("id"), ["type"] = "payment_intent" }, ["status"] = "open",
            ["status_transitions"] = new JsonObject { ["canceled_at"] = null, ["paid_at"] = null },
        });
    }

    private void Cancel(FakeWorld world, JsonObject invoice)
    {
        if (PaymentOf(world, invoice.Text("id")) is not { } payment || payment.Text("status") != "open") return;
        payment["status"] = "canceled";
        payment.Child("status_transitions")!["canceled_at"] = Now;
        var intent = Get(world, "payment_intent", payment.Child("payment").Text("payment_intent")!);
        intent["status"] = "canceled";
        Emit(world, "payment_intent.canceled", intent);
    }

    /// <summary>Charges the default payment method. Whether that worked.</summary>
    private bool Attempt(FakeWorld world, JsonObject invoice)
    {
        var customer = Get(world, "customer", invoice.Text("customer")!);
        var method = customer.Flag("deleted") ? null : invoice.Given("default_payment_method") ?? customer.Child("invoice_settings").Given("default_payment_method");
        invoice["attempted"] = true;
        invoice["attempt_count"] = invoice.Long("attempt_count") + 1;
        if (method is not null && !world.Declined.Contains(method))
        {
            MarkPaid(world, invoice, outOfBand: false, method);
            return true;
        }
        var isLast = !invoice.Flag("auto_advance") || invoice.Long("attempt_count") >= MostAttempts;
        if (isLast) invoice["next_payment_attempt"] = null;
        else invoice["next_payment_attempt"] = Now + BetweenAttempts;
        if (method is not null && PaymentOf(world, invoice.Text("id")) is { } payment)
            Emit(world, "payment_intent.payment_failed", Get(world, "payment_intent", payment.Child("payment").Text("payment_intent")!));
        Emit(world, "invoice.payment_failed", invoice);
        Emit(world, "invoice.updated", invoice);
        return false;
    }

    private void MarkPaid(FakeWorld world, JsonObject invoice, bool outOfBand, string? method = null)
    {
        var amount = invoice.Long("amount_remaining");
        if (amount > 0 && PaymentOf(world, invoice.Text("id")) is { } payment)
        {
            if (outOfBand)
            {
                Cancel(world, invoice);
            }
            else
            {
                var intent = Get(world, "payment_intent", payment.Child("payment").Text("payment_intent")!);
                var charge = Insert(world, "charge", "ch", new JsonObject
                {
                    ["amount"] = amount, ["amount_captured"] = amount, ["amount_refunded"] = 0L, ["captured"] = true, ["currency"] = invoice.Text("currency"),
                    ["customer"] = invoice.Text("customer"),
                    ["disputed"] = false, ["paid"] = true, ["payment_intent"] = intent.Text("id"), ["payment_method"] = method, ["refunded"] = false, ["status"] = "succeeded",
                });
                intent["amount"] = amount;
                intent["amount_received"] = amount;
                intent["latest_charge"] = charge.Text("id");
                intent["payment_method"] = method;
                intent["status"] = "succeeded";
                payment["amount_paid"] = amount;
                payment["status"] = "paid";
                payment.Child("status_transitions")!["paid_at"] = Now;
                Emit(world, "charge.succeeded", charge);
                Emit(world, "payment_intent.succeeded", intent);
                Emit(world, "invoice_payment.paid", payment);
            }
        }
        invoice["attempted"] = true;
        invoice["amount_paid"] = invoice.Long("amount_paid") + amount;
        invoice["amount_remaining"] = 0L;
        invoice["next_payment_attempt"] = null;
        invoice["status"] = "paid";
        invoice.Child("status_transitions")!["paid_at"] = Now;
        Emit(world, "invoice.updated", invoice);
        Emit(world, "invoice.paid", invoice);
        Emit(world, "invoice.payment_succeeded", invoice);
    }

    private static JsonObject ListPayments(FakeWorld world, JsonObject query)
    {
        var asked = query.Child("payment");
        if (asked is not null) asked.Required("type");
        var found = world.Newest("invoice_payment").Where(payment => payment.Within(query, "created") && payment.Fits(query, "invoice", "status")
            && (asked is null || (payment.Child("payment") is { } of && of.Fits(asked, "type", "payment_intent"))));
        return StripeJson.Page(found, query, "/v1/invoice_payments", payment => payment.Copy());
    }
}
