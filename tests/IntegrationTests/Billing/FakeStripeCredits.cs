using System.Globalization;
using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <content>Credit notes.</content>
public sealed partial class FakeStripe
{
    private JsonObject RouteCreditNotes(FakeWorld world, FakeRequest request)
    {
        var form = request.Form;
        return (request.Method, request.Segments[2..]) switch
        {
            ("POST", []) => CreateCreditNote(world, form),
            ("GET", []) => List(world, "credit_note", form, "/v1/credit_notes", "invoice", "customer"),
            ("GET", ["preview"]) => PreviewCreditNote(world, form),
            ("GET", [var id]) => Get(world, "credit_note", id).Copy(),
            ("GET", [var id, "lines"]) => StripeJson.Page(Get(world, "credit_note", id).Child("lines").Items("data"), form, request.Path, line => line.Copy()),
            ("POST", [var id]) => UpdateCreditNote(world, Get(world, "credit_note", id), form),
            ("POST", [var id, "void"]) => VoidCreditNote(world, Get(world, "credit_note", id)),
            _ => throw Unknown(request),
        };
    }

    private static IEnumerable<JsonObject> CreditsOf(FakeWorld world, JsonObject invoice) =>
        world.Table("credit_note").Where(note => note.Text("invoice") == invoice.Text("id") && note.Text("status") == "issued");

    private JsonObject CreateCreditNote(FakeWorld world, JsonObject form)
    {
        var invoice = Get(world, "invoice", form.Required("invoice"), "invoice");
        if (invoice.Text("status") is not ("open" or "paid"))
            throw FakeStripeException.Refused(code: null, $"You can only create credit notes for open or paid invoices: this one is {invoice.Text("status")}.", "invoice");
        var currency = invoice.Text("currency")!;
        var lines = form.Items("lines").Select((line, place) => CreditLine(world, invoice, line, string.Create(CultureInfo.InvariantCulture, $"lines[{place}]"))).ToList();
        if (lines.Count == 0 && form.Whole("amount") is null)
            throw FakeStripeException.Invalid("parameter_missing", "One of amount, lines, or shipping_cost must be provided.", "lines");
        CheckRemaining(world, invoice, lines);
        var net = lines.Sum(line => line.Long("amount"));
        var tax = TaxOn(invoice, net);
        var amount = lines.Count == 0 ? form.Whole("amount")!.Value : net + tax;
        if (lines.Count > 0 && form.Whole("amount") is { } told && told != amount)
            throw FakeStripeException.Refused(code: null, "The amount must equal the sum of the lines.", "amount");
        if (amount <= 0) throw FakeStripeException.Invalid("parameter_invalid_integer", "The amount of a credit note must be positive.", "amount");
        CheckAmount(currency, amount, "amount");
        var credited = CreditsOf(world, invoice).Sum(other => other.Long("amount"));
        if (credited + amount > invoice.Long("total"))
        {
            throw FakeStripeException.Refused(
                code: null,
                $"The credit notes of an invoice can't sum to more than its total: {Cents(credited)} of {Cents(invoice.Long("total"))} were credited, {Cents(amount)} more is asked.",
                "amount");
        }
        var beforePayment = Math.Min(amount, invoice.Long("amount_remaining"));
        var afterPayment = amount - beforePayment;
        var (toBalance, refunded, outside) = (form.Whole("credit_amount") ?? 0, form.Whole("refund_amount") ?? 0, form.Whole("out_of_band_amount") ?? 0);
        var given = toBalance + refunded + outside;
        if (given != afterPayment)
        {
            throw FakeStripeException.Refused(
                code: null,
                $"The sum of credit amount, refund amount and out of band amount ({Cents(given)}) must equal the post-payment amount ({Cents(afterPayment)}).",
                "credit_amount");
        }
        var fields = new JsonObject
        {
            ["amount"] = amount, ["amount_shipping"] = 0L, ["currency"] = currency, ["customer"] = invoice.Text("customer"),
            ["customer_balance_transaction"] = toBalance > 0 ? NewId("cbtxn") : null, ["discount_amount"] = 0L, ["discount_amounts"] = new JsonArray(), ["effective_at"] = Now,
            ["invoice"] = invoice.Text("id"), ["memo"] = form.Limited("memo", 5000), ["metadata"] = new JsonObject(),
            ["number"] = string.Create(CultureInfo.InvariantCulture, $"{invoice.Text("number")}-CN-{CreditsOf(world, invoice).Count() + 1:D2}"),
            ["out_of_band_amount"] = outside > 0 ? outside : null,
            ["pdf"] = $"{invoice.Text("hosted_invoice_url")}/credit", ["post_payment_amount"] = afterPayment, ["pre_payment_amount"] = beforePayment,
            ["pretax_credit_amounts"] = new JsonArray(),
            ["reason"] = form.Given("reason"), ["refunds"] = new JsonArray(), ["shipping_cost"] = null, ["status"] = "issued", ["subtotal"] = amount - tax,
            ["subtotal_excluding_tax"] = amount - tax,
            ["total"] = amount, ["total_excluding_tax"] = amount - tax, ["total_taxes"] = new JsonArray(),
            ["type"] = afterPayment == 0 ? "pre_payment" : beforePayment == 0 ? "post_payment" : "mixed", ["voided_at"] = null,
        };
        StripeJson.Merge(fields, form);
        var note = Insert(world, "credit_note", "cn", fields);
        note["lines"] = new JsonObject
        {
            ["object"] = "list", ["data"] = StripeJson.ArrayOf(lines), ["has_more"] = false, ["total_count"] = (long)lines.Count,
            ["url"] = $"/v1/credit_notes/{note.Text("id")}/lines",
        };
        if (toBalance > 0)
        {
            var customer = Get(world, "customer", invoice.Text("customer")!);
            SetBalance(customer, currency, customer.Child("invoice_credit_balance").Long(currency) - toBalance);
            Emit(world, "customer.updated", customer);
        }
        if (refunded > 0) Refund(world, invoice, note, refunded);
        Settle(world, invoice, beforePayment, afterPayment);
        Emit(world, "credit_note.created", note);
        return note.Copy();
    }

    /// <summary>What a credit note would be, with its tax; nothing is issued.</summary>
    private JsonObject PreviewCreditNote(FakeWorld world, JsonObject form)
    {
        var invoice = Get(world, "invoice", form.Required("invoice"), "invoice");
        var net = form.Items("lines").Select((line, place) => CreditLine(world, invoice, line, string.Create(CultureInfo.InvariantCulture, $"lines[{place}]"))).Sum(line => line.Long("amount"));
        var amount = net + TaxOn(invoice, net);
        var beforePayment = Math.Min(amount, invoice.Long("amount_remaining"));
        return new JsonObject
        {
            ["id"] = NewId("cn"), ["object"] = "credit_note", ["amount"] = amount, ["created"] = Now, ["currency"] = invoice.Text("currency"), ["customer"] = invoice.Text("customer"),
            ["invoice"] = invoice.Text("id"), ["livemode"] = world.Live, ["metadata"] = new JsonObject(), ["post_payment_amount"] = amount - beforePayment,
            ["pre_payment_amount"] = beforePayment, ["status"] = "issued", ["subtotal"] = net, ["total"] = amount, ["total_excluding_tax"] = net,
        };
    }

    private long TaxOn(JsonObject invoice, long net) => invoice.Child("automatic_tax").Flag("enabled") ? Rounded(net * TaxPercent / 100) : 0;

    private static string Cents(long amount) => amount.ToString(CultureInfo.InvariantCulture);

    private static JsonObject CreditLine(FakeWorld world, JsonObject invoice, JsonObject asked, string param)
    {
        var type = asked.Required("type");
        if (type is not ("invoice_line_item" or "custom_line_item")) throw FakeStripeException.Invalid("parameter_invalid", $"Invalid type: {type}", $"{param}[type]");
        if (type == "custom_line_item" && invoice.Child("automatic_tax").Flag("enabled"))
            throw FakeStripeException.Refused(code: null, "custom_line_item is not valid when the invoice uses automatic tax.", $"{param}[type]");
        if (type == "custom_line_item" && asked.Has("amount"))
            throw FakeStripeException.Invalid("parameter_invalid", "amount is only valid when type is invoice_line_item.", $"{param}[amount]");
        var line = type == "invoice_line_item" ? LineAt(world, invoice, asked.Required("invoice_line_item")) : null;
        var quantity = asked.Whole("quantity");
        var amount = asked.Whole("amount") ?? Rounded((quantity ?? 1) * (asked.Exact("unit_amount_decimal") ?? asked.Whole("unit_amount") ?? PartOf(line)));
        if (amount <= 0) throw FakeStripeException.Invalid("parameter_invalid_integer", "The amount of a line must be positive.", $"{param}[amount]");
        CheckAmount(invoice.Text("currency")!, amount, $"{param}[amount]");
        var fields = new JsonObject
        {
            ["id"] = NewId("cnli"), ["object"] = "credit_note_line_item", ["amount"] = amount, ["description"] = asked.Given("description") ?? line.Text("description"),
            ["discount_amount"] = 0L,
            ["discount_amounts"] = new JsonArray(), ["invoice_line_item"] = line.Text("id"), ["livemode"] = world.Live, ["metadata"] = new JsonObject(),
            ["pretax_credit_amounts"] = new JsonArray(),
            ["quantity"] = quantity, ["tax_rates"] = new JsonArray(), ["taxes"] = new JsonArray(), ["type"] = type, ["unit_amount"] = asked.Whole("unit_amount"),
            ["unit_amount_decimal"] = asked.Given("unit_amount_decimal"),
        };
        StripeJson.Merge(fields, asked);
        return fields;
    }

    /// <summary>What one unit of a line costs.</summary>
    private static decimal PartOf(JsonObject? line)
    {
        if (line is null) throw FakeStripeException.Invalid("parameter_missing", "Missing required param: unit_amount.", "lines[unit_amount]");
        var quantity = line.Exact("quantity_decimal") ?? 1;
        return quantity == 0 ? 0 : line.Long("amount") / quantity;
    }

    /// <summary>No line is credited by more than what is left of it.</summary>
    private static void CheckRemaining(FakeWorld world, JsonObject invoice, List<JsonObject> asked)
    {
        var before = CreditsOf(world, invoice).SelectMany(note => note.Child("lines").Items("data")).Concat(asked).Where(line => line.Given("invoice_line_item") is not null);
        foreach (var group in before.GroupBy(line => line.Text("invoice_line_item")!, StringComparer.Ordinal))
        {
            var line = LineAt(world, invoice, group.Key);
            var sum = group.Sum(credit => credit.Long("amount"));
            if (sum > line.Long("amount") && asked.Exists(credit => credit.Text("invoice_line_item") == group.Key))
                throw FakeStripeException.Refused(code: null, $"Line {group.Key} of {Cents(line.Long("amount"))} can't be credited by {Cents(sum)} in all.", "lines[amount]");
        }
    }

    private void Refund(FakeWorld world, JsonObject invoice, JsonObject note, long amount)
    {
        var payment = PaymentOf(world, invoice.Text("id")) ?? throw FakeStripeException.Refused(code: null, "There is no charge to refund.", "refund_amount");
        var intent = payment.Child("payment").Text("payment_intent");
        var refund = Insert(world, "refund", "re", new JsonObject
        {
            ["amount"] = amount, ["charge"] = Get(world, "payment_intent", intent!).Text("latest_charge"), ["currency"] = invoice.Text("currency"),
            ["payment_intent"] = intent, ["reason"] = null, ["status"] = "succeeded",
        });
        note["refunds"] = StripeJson.ArrayOf([new JsonObject { ["amount_refunded"] = amount, ["refund"] = refund.Text("id") }]);
        Emit(world, "refund.created", refund);
    }

    /// <summary>A credit note lowers what is left to pay; an invoice of which nothing is left is paid.</summary>
    private void Settle(FakeWorld world, JsonObject invoice, long beforePayment, long afterPayment)
    {
        invoice["pre_payment_credit_notes_amount"] = invoice.Long("pre_payment_credit_notes_amount") + beforePayment;
        invoice["post_payment_credit_notes_amount"] = invoice.Long("post_payment_credit_notes_amount") + afterPayment;
        invoice["amount_due"] = invoice.Long("amount_due") - beforePayment;
        invoice["amount_remaining"] = invoice.Long("amount_remaining") - beforePayment;
        if (invoice.Text("status") == "open" && invoice.Long("amount_remaining") == 0)
        {
            Cancel(world, invoice);
            MarkPaid(world, invoice, outOfBand: false);
        }
        else
        {
            Emit(world, "invoice.updated", invoice);
        }
    }

    private JsonObject UpdateCreditNote(FakeWorld world, JsonObject note, JsonObject form)
    {
        if (form.Has("memo")) note["memo"] = form.Limited("memo", 5000);
        StripeJson.Merge(note, form);
        Emit(world, "credit_note.updated", note);
        return note.Copy();
    }

    private JsonObject VoidCreditNote(FakeWorld world, JsonObject note)
    {
        var invoice = Get(world, "invoice", note.Text("invoice")!);
        if (note.Text("status") != "issued" || invoice.Text("status") != "open")
            throw FakeStripeException.Refused(code: null, "You can only void credit notes that are issued for open invoices.", "id");
        note["status"] = "void";
        note["voided_at"] = Now;
        Settle(world, invoice, -note.Long("pre_payment_amount"), afterPayment: 0);
        Emit(world, "credit_note.voided", note);
        return note.Copy();
    }
}
