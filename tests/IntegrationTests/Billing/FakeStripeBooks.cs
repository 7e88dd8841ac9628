using System.Globalization;
using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <summary>A sum of one customer's in one currency.</summary>
/// <param name="StripeCustomer">cus_…</param>
/// <param name="Customer">Its <c>rev_customer_id</c>; null when it has none.</param>
/// <param name="Currency">Lower-case ISO 4217 code.</param>
/// <param name="Amount">In minor units.</param>
/// <param name="Count">Of how many.</param>
public sealed record FakeSum(string StripeCustomer, string? Customer, string Currency, long Amount, int Count);

/// <content>What a test looks at, and what someone does by hand in the Dashboard.</content>
public sealed partial class FakeStripe
{
    /// <summary>All invoices, the oldest first, with all their lines.</summary>
    public IReadOnlyList<JsonObject> Invoices(string account, bool live)
    {
        lock (_gate)
        {
            var world = WorldAt(account, live);
            return [.. world.Table("invoice").Select(invoice => WithLines(world, invoice))];
        }
    }

    /// <summary>All invoices that are no drafts any more.</summary>
    public IReadOnlyList<JsonObject> Finalised(string account, bool live) => [.. Invoices(account, live).Where(invoice => invoice.Text("status") != "draft")];

    /// <summary>An invoice with all its lines.</summary>
    public JsonObject Invoice(string invoiceId)
    {
        lock (_gate)
        {
            var world = WorldOf(invoiceId);
            return WithLines(world, Get(world, "invoice", invoiceId));
        }
    }

    /// <summary>The lines of an invoice.</summary>
    public IReadOnlyList<JsonObject> Lines(string invoiceId)
    {
        lock (_gate) return [.. WorldOf(invoiceId).Lines[invoiceId].Select(line => line.Copy())];
    }

    /// <summary>All customers, the oldest first; deleted ones have <c>deleted</c>.</summary>
    public IReadOnlyList<JsonObject> Customers(string account, bool live) => Rows(account, live, "customer");

    /// <summary>All credit notes, the oldest first.</summary>
    public IReadOnlyList<JsonObject> CreditNotes(string account, bool live) => Rows(account, live, "credit_note");

    /// <summary>All events, the oldest first; of one type when it is named.</summary>
    public IReadOnlyList<JsonObject> Events(string account, bool live, string? type = null) =>
        [.. Rows(account, live, "event").Where(happened => type is null || happened.Text("type") == type)];

    /// <summary>Things of a kind, as in <c>checkout.session</c> or <c>billing.meter</c>, the oldest first.</summary>
    public IReadOnlyList<JsonObject> Rows(string account, bool live, string kind)
    {
        lock (_gate) return [.. WorldAt(account, live).Table(kind).Select(row => row.Copy())];
    }

    /// <summary>The finalised totals of each customer in each currency. Void invoices are left out.</summary>
    public IReadOnlyList<FakeSum> FinalisedSums(string account, bool live) =>
        Sums(account, live, "invoice", invoice => invoice.Text("status") is not ("draft" or "void"), "total");

    /// <summary>What was credited to each customer in each currency. Void credit notes are left out.</summary>
    public IReadOnlyList<FakeSum> CreditSums(string account, bool live) => Sums(account, live, "credit_note", note => note.Text("status") == "issued", "amount");

    /// <summary>How often an invoice was finalised, by its <c>rev_invoice_id</c>, else by Stripe's id.</summary>
    public IReadOnlyDictionary<string, int> Finalisations(string account, bool live)
    {
        lock (_gate) return WorldAt(account, live).Finalisations.CountBy(id => id, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>The usage of a customer that counts.</summary>
    public long MeterTotal(string account, bool live, string customerId, string? eventName = null)
    {
        lock (_gate)
        {
            return WorldAt(account, live).Usage
                .Where(usage => usage.Counts && usage.Customer == customerId && (eventName is null || usage.EventName == eventName)).Sum(usage => usage.Value);
        }
    }

    /// <summary>The identifiers of all usage that was taken in.</summary>
    public IReadOnlyList<string> MeterIdentifiers(string account, bool live)
    {
        lock (_gate) return [.. WorldAt(account, live).Usage.Select(usage => usage.Identifier)];
    }

    /// <summary>The balance of a customer in a currency: negative is money the customer has.</summary>
    public long Balance(string customerId, string currency)
    {
        lock (_gate) return Get(WorldOf(customerId), "customer", customerId).Child("invoice_credit_balance").Long(currency);
    }

    /// <summary>Lets Stripe do what is due by now without a request: finalise drafts that advance, try payments again.</summary>
    public void PassTime()
    {
        lock (_gate)
        {
            foreach (var world in _worlds.Values) Advance(world);
        }
    }

    /// <summary>Someone changes the amount of a draft's line.</summary>
    public void EditLine(string invoiceId, string lineId, long amount)
    {
        var line = new JsonObject { ["id"] = lineId, ["amount"] = amount.ToString(CultureInfo.InvariantCulture) };
        ByHand(invoiceId, (world, invoice) => UpdateLines(world, Draft(world, invoice.Text("id")!), new JsonObject(), [line]));
    }

    /// <summary>Someone adds a line to a draft.</summary>
    public void AddLine(string invoiceId, long amount, string description = "By hand") => ByHand(invoiceId, (world, invoice) =>
    {
        var line = new JsonObject { ["amount"] = amount.ToString(CultureInfo.InvariantCulture), ["description"] = description };
        AddLines(world, Draft(world, invoice.Text("id")!), new JsonObject { ["lines"] = StripeJson.ArrayOf([line]) });
    });

    /// <summary>Someone takes a line off a draft.</summary>
    public void RemoveLine(string invoiceId, string lineId) => ByHand(invoiceId, (world, invoice) =>
    {
        var line = new JsonObject { ["id"] = lineId, ["behavior"] = "delete" };
        RemoveLines(world, Draft(world, invoice.Text("id")!), new JsonObject { ["lines"] = StripeJson.ArrayOf([line]) });
    });

    /// <summary>Someone deletes a draft.</summary>
    public void DeleteDraft(string invoiceId) => ByHand(invoiceId, (world, invoice) => DeleteInvoice(world, invoice));

    /// <summary>Someone finalises a draft.</summary>
    public void FinaliseByHand(string invoiceId, bool autoAdvance = true) => ByHand(invoiceId, (world, invoice) => Finalise(world, Draft(world, invoice.Text("id")!), autoAdvance));

    /// <summary>Someone voids an invoice.</summary>
    public void Void(string invoiceId) => ByHand(invoiceId, (world, invoice) => Void(world, invoice));

    /// <summary>Someone gives an invoice up.</summary>
    public void MarkUncollectible(string invoiceId) => ByHand(invoiceId, (world, invoice) => GiveUp(world, invoice));

    /// <summary>The customer pays an invoice on its page, or the operator says that it was paid elsewhere.</summary>
    public void PayByHand(string invoiceId, bool outOfBand = false) => ByHand(invoiceId, (world, invoice) =>
    {
        if (invoice.Text("status") is not ("open" or "uncollectible")) throw new InvalidOperationException($"The invoice is {invoice.Text("status")}.");
        MarkPaid(world, invoice, outOfBand);
    });

    /// <summary>Tries to charge an open invoice's customer again.</summary>
    public void RetryPayment(string invoiceId) => ByHand(invoiceId, (world, invoice) => Attempt(world, invoice));

    /// <summary>Someone credits a line of an open invoice, or of a paid one to the customer's balance. The id of the credit note.</summary>
    public string CreditByHand(string invoiceId, string lineId, long amount)
    {
        lock (_gate)
        {
            var world = WorldOf(invoiceId);
            var invoice = Get(world, "invoice", invoiceId);
            var text = amount.ToString(CultureInfo.InvariantCulture);
            var form = new JsonObject
            {
                ["invoice"] = invoiceId, ["lines"] = StripeJson.ArrayOf([new JsonObject { ["type"] = "invoice_line_item", ["invoice_line_item"] = lineId, ["amount"] = text }]),
            };
            if (invoice.Text("status") == "paid") form["credit_amount"] = text;
            return CreateCreditNote(world, form).Text("id")!;
        }
    }

    private static JsonObject WithLines(FakeWorld world, JsonObject invoice)
    {
        var shown = ShownInvoice(world, invoice);
        shown.Child("lines")!["data"] = StripeJson.ArrayOf(world.Lines[invoice.Text("id")!].Select(line => line.Copy()));
        shown.Child("lines")!["has_more"] = false;
        return shown;
    }

    private List<FakeSum> Sums(string account, bool live, string kind, Func<JsonObject, bool> isCounted, string member)
    {
        lock (_gate)
        {
            var world = WorldAt(account, live);
            var sums = new List<FakeSum>();
            foreach (var group in world.Table(kind).Where(isCounted).GroupBy(row => (Customer: row.Text("customer")!, Currency: row.Text("currency")!)))
            {
                var customer = Get(world, "customer", group.Key.Customer).Metadata("rev_customer_id");
                sums.Add(new(group.Key.Customer, customer, group.Key.Currency, group.Sum(row => row.Long(member)), group.Count()));
            }
            return sums;
        }
    }

    private void ByHand(string invoiceId, Action<FakeWorld, JsonObject> act)
    {
        lock (_gate)
        {
            var world = WorldOf(invoiceId);
            act(world, Get(world, "invoice", invoiceId));
        }
    }
}
