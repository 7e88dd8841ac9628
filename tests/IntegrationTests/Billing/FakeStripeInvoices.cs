using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <content>Invoices from draft to finalised.</content>
public sealed partial class FakeStripe
{
    private const int MostLines = 250;

    /// <summary>What may still change once an invoice is finalised.</summary>
    private static readonly string[] EditableAlways = ["auto_advance", "default_payment_method", "due_date", "expand", "metadata", "payment_settings"];

    private static readonly (string Name, int Longest)[] InvoiceTexts =
        [("description", 1500), ("footer", 5000), ("statement_descriptor", 22), ("default_payment_method", 5000), ("collection_method", 40)];

    private static readonly string[] ThreeDecimals = ["bhd", "iqd", "jod", "kwd", "lyd", "omr", "tnd"];

    /// <summary>The least that is charged, in minor units; 50 of other currencies. An invoice below it is marked paid, and the amount goes to the customer's balance.</summary>
    public Dictionary<string, long> MinimumCharges { get; } = new(StringComparer.Ordinal)
    {
        ["czk"] = 1500, ["dkk"] = 250, ["gbp"] = 30, ["hkd"] = 400, ["huf"] = 17500, ["mxn"] = 1000, ["myr"] = 200, ["nok"] = 300, ["pln"] = 200, ["ron"] = 200,
        ["sek"] = 300, ["thb"] = 1000,
    };

    /// <summary>The tax that automatic tax adds, in percent.</summary>
    public decimal TaxPercent { get; set; }

    private JsonObject RouteInvoices(FakeWorld world, FakeRequest request)
    {
        var form = request.Form;
        return (request.Method, request.Segments[2..]) switch
        {
            ("POST", []) => CreateInvoice(world, form),
            ("GET", []) => List(world, "invoice", form, "/v1/invoices", "customer", "status", "collection_method"),
            ("GET", [var id]) => ShownInvoice(world, Get(world, "invoice", id)),
            ("POST", [var id]) => UpdateInvoice(world, Get(world, "invoice", id), form),
            ("DELETE", [var id]) => DeleteInvoice(world, Get(world, "invoice", id)),
            ("GET", [var id, "lines"]) => StripeJson.Page(world.Lines[Get(world, "invoice", id).Text("id")!], form, $"/v1/invoices/{id}/lines", line => line.Copy()),
            ("POST", [var id, "lines", var line]) => UpdateLines(world, Draft(world, id), form, [Named(form, line)]),
            ("POST", [var id, "add_lines"]) => AddLines(world, Draft(world, id), form),
            ("POST", [var id, "update_lines"]) => UpdateLines(world, Draft(world, id), form, AskedLines(form)),
            ("POST", [var id, "remove_lines"]) => RemoveLines(world, Draft(world, id), form),
            ("POST", [var id, "finalize"]) => Finalise(world, Draft(world, id), form.Has("auto_advance") ? form.Flag("auto_advance") : null),
            ("POST", [var id, "pay"]) => Pay(world, Get(world, "invoice", id), form.Flag("paid_out_of_band")),
            ("POST", [var id, "send"]) => Send(world, Get(world, "invoice", id)),
            ("POST", [var id, "void"]) => Void(world, Get(world, "invoice", id)),
            ("POST", [var id, "mark_uncollectible"]) => GiveUp(world, Get(world, "invoice", id)),
            _ => throw Unknown(request),
        };
    }

    /// <summary>As it goes out: with its first ten lines.</summary>
    private static JsonObject ShownInvoice(FakeWorld world, JsonObject invoice)
    {
        var shown = invoice.Copy();
        var id = invoice.Text("id")!;
        var lines = world.Lines[id];
        var page = StripeJson.Page(lines, new JsonObject(), $"/v1/invoices/{id}/lines", line => line.Copy());
        page["total_count"] = (long)lines.Count;
        shown["lines"] = page;
        return shown;
    }

    private static FakeStripeException NotEditable(JsonObject invoice) =>
        FakeStripeException.Refused("invoice_not_editable", $"Invoice {invoice.Text("id")} is {invoice.Text("status")}: only a draft can be changed or finalized.", "invoice");

    private JsonObject Draft(FakeWorld world, string id)
    {
        var invoice = Get(world, "invoice", id, "invoice");
        return invoice.Text("status") == "draft" ? invoice : throw NotEditable(invoice);
    }

    private JsonObject CreateInvoice(FakeWorld world, JsonObject form)
    {
        var customer = LivingCustomer(world, form.Required("customer"), "customer");
        var method = form.Given("collection_method") ?? "charge_automatically";
        CheckCollection(customer, method, form, isNew: true);
        var currency = form.Given("currency") ?? customer.Given("currency") ?? world.Currency;
        if (currency.Length != 3 || currency.Any(char.IsAsciiLetterUpper)) throw FakeStripeException.Invalid("parameter_invalid", $"Invalid currency: {currency}.", "currency");
        var fields = new JsonObject
        {
            ["account_country"] = world.Country, ["account_name"] = world.Account, ["account_tax_ids"] = null, ["amount_due"] = 0L, ["amount_overpaid"] = 0L, ["amount_paid"] = 0L,
            ["amount_remaining"] = 0L, ["amount_shipping"] = 0L, ["application"] = null, ["attempt_count"] = 0L, ["attempted"] = false,
            ["auto_advance"] = form.Flag("auto_advance"),
            ["automatic_tax"] = new JsonObject { ["disabled_reason"] = null, ["enabled"] = false, ["liability"] = null, ["provider"] = null, ["status"] = null },
            ["automatically_finalizes_at"] = null, ["billing_reason"] = "manual", ["collection_method"] = method, ["currency"] = currency, ["custom_fields"] = null,
            ["customer"] = customer.Text("id"), ["customer_address"] = customer["address"]?.DeepClone(), ["customer_email"] = customer.Text("email"),
            ["customer_name"] = customer.Text("name"),
            ["customer_phone"] = customer.Text("phone"), ["customer_shipping"] = null, ["customer_tax_exempt"] = "none", ["customer_tax_ids"] = new JsonArray(),
            ["default_payment_method"] = null,
            ["default_source"] = null, ["default_tax_rates"] = new JsonArray(), ["description"] = null, ["discounts"] = new JsonArray(), ["due_date"] = null,
            ["effective_at"] = null,
            ["ending_balance"] = null, ["footer"] = null, ["from_invoice"] = null, ["hosted_invoice_url"] = null, ["invoice_pdf"] = null,
            ["issuer"] = new JsonObject { ["type"] = "self" },
            ["last_finalization_error"] = null, ["latest_revision"] = null, ["metadata"] = new JsonObject(), ["next_payment_attempt"] = null, ["number"] = null,
            ["on_behalf_of"] = null,
            ["parent"] = null, ["payment_settings"] = new JsonObject { ["default_mandate"] = null, ["payment_method_options"] = null, ["payment_method_types"] = null },
            ["period_end"] = Now, ["period_start"] = Now, ["post_payment_credit_notes_amount"] = 0L, ["pre_payment_credit_notes_amount"] = 0L, ["receipt_number"] = null,
            ["rendering"] = null,
            ["shipping_cost"] = null, ["shipping_details"] = null, ["starting_balance"] = 0L, ["statement_descriptor"] = null, ["status"] = "draft",
            ["status_transitions"] = new JsonObject { ["finalized_at"] = null, ["marked_uncollectible_at"] = null, ["paid_at"] = null, ["voided_at"] = null },
            ["subtotal"] = 0L, ["subtotal_excluding_tax"] = 0L, ["test_clock"] = null, ["total"] = 0L, ["total_discount_amounts"] = new JsonArray(), ["total_excluding_tax"] = 0L,
            ["total_pretax_credit_amounts"] = new JsonArray(), ["total_taxes"] = new JsonArray(), ["webhooks_delivered_at"] = null,
        };
        Apply(fields, form);
        StripeJson.Merge(fields, form);
        var invoice = Insert(world, "invoice", "in", fields);
        var id = invoice.Text("id")!;
        world.Lines[id] = [];
        SetDue(world, invoice, form);
        if (form.Text("pending_invoice_items_behavior") == "include")
        {
            var pending = world.Table("invoiceitem")
                .Where(item => item.Text("customer") == customer.Text("id") && item.Given("invoice") is null && item.Text("currency") == currency);
            foreach (var item in pending) Place(world, invoice, item);
        }
        Recompute(world, invoice);
        Emit(world, "invoice.created", invoice);
        return ShownInvoice(world, invoice);
    }

    private static void CheckCollection(JsonObject customer, string method, JsonObject form, bool isNew)
    {
        if (method is not ("charge_automatically" or "send_invoice"))
            throw FakeStripeException.Invalid("parameter_invalid", $"Invalid collection_method: {method}", "collection_method");
        var hasDue = form.Given("days_until_due") is not null || form.Given("due_date") is not null;
        if (method == "send_invoice")
        {
            if (isNew && !hasDue)
                throw FakeStripeException.Invalid("parameter_missing", "You must pass either days_until_due or due_date when collection_method is send_invoice.", "days_until_due");
            if (customer.Given("email") is null)
                throw FakeStripeException.Refused(code: null, "Missing email. In order to create invoices that are sent to the customer, the customer must have a valid email.");
        }
        else if (hasDue)
        {
            throw FakeStripeException.Invalid("parameter_invalid", "You can only specify days_until_due or due_date when collection_method is send_invoice.", "days_until_due");
        }
    }

    private void SetDue(FakeWorld world, JsonObject invoice, JsonObject form)
    {
        if (form.Whole("due_date") is { } due) invoice["due_date"] = due;
        if (form.Whole("days_until_due") is not { } days) return;
        world.DaysUntilDue[invoice.Text("id")!] = days;
        invoice["due_date"] = Now + (days * 86_400);
    }

    private static void Apply(JsonObject invoice, JsonObject form)
    {
        foreach (var (name, longest) in InvoiceTexts)
        {
            var text = form.Limited(name, longest);
            if (form.Has(name)) invoice[name] = text;
        }
        if (form.Has("auto_advance")) invoice["auto_advance"] = form.Flag("auto_advance");
        if (form.Child("automatic_tax") is { } tax) invoice.Child("automatic_tax")!["enabled"] = tax.Flag("enabled");
    }

    private JsonObject UpdateInvoice(FakeWorld world, JsonObject invoice, JsonObject form)
    {
        if (invoice.Text("status") != "draft" && form.Any(member => !EditableAlways.Contains(member.Key, StringComparer.Ordinal))) throw NotEditable(invoice);
        var customer = Get(world, "customer", invoice.Text("customer")!);
        if (form.Has("collection_method") || form.Has("days_until_due"))
            CheckCollection(customer, form.Given("collection_method") ?? invoice.Text("collection_method")!, form, isNew: false);
        Apply(invoice, form);
        StripeJson.Merge(invoice, form);
        SetDue(world, invoice, form);
        if (invoice.Text("status") == "draft") Recompute(world, invoice);
        Emit(world, "invoice.updated", invoice);
        return ShownInvoice(world, invoice);
    }

    private JsonObject DeleteInvoice(FakeWorld world, JsonObject invoice)
    {
        if (invoice.Text("status") != "draft") throw FakeStripeException.Refused("invoice_not_editable", "You can only delete draft invoices.", "invoice");
        var id = invoice.Text("id")!;
        Emit(world, "invoice.deleted", invoice);
        foreach (var item in world.Table("invoiceitem").Where(item => item.Text("invoice") == id)) item["invoice"] = null;
        world.Remove(invoice);
        world.Lines.Remove(id);
        return new JsonObject { ["id"] = id, ["object"] = "invoice", ["deleted"] = true };
    }

    /// <summary>Sums the lines, taxes them, and says what is due.</summary>
    private void Recompute(FakeWorld world, JsonObject invoice)
    {
        var subtotal = world.Lines[invoice.Text("id")!].Sum(line => line.Long("amount"));
        var tax = invoice.Child("automatic_tax").Flag("enabled") ? Rounded(subtotal * TaxPercent / 100) : 0;
        invoice["subtotal"] = subtotal;
        invoice["subtotal_excluding_tax"] = subtotal;
        invoice["total"] = subtotal + tax;
        invoice["total_excluding_tax"] = subtotal;
        invoice["total_taxes"] = tax == 0 ? new JsonArray() : StripeJson.ArrayOf([new JsonObject
        {
            ["amount"] = tax, ["tax_behavior"] = "exclusive", ["tax_rate_details"] = null, ["taxability_reason"] = "standard_rated", ["taxable_amount"] = subtotal,
            ["type"] = "tax_rate_details",
        }]);
        invoice["amount_due"] = Math.Max(0, subtotal + tax);
        invoice["amount_remaining"] = Math.Max(0, subtotal + tax);
    }

    /// <summary>To the nearest whole number, halves away from zero.</summary>
    private static long Rounded(decimal amount) => (long)(amount < 0 ? -decimal.Floor(-amount + 0.5m) : decimal.Floor(amount + 0.5m));

    private JsonObject Finalise(FakeWorld world, JsonObject invoice, bool? autoAdvance)
    {
        var id = invoice.Text("id")!;
        var customer = LivingCustomer(world, invoice.Text("customer")!, "customer");
        if (world.Lines[id].Count == 0) throw FakeStripeException.Refused("invoice_no_customer_line_items", "Nothing to invoice: the invoice has no lines.", "invoice");
        if (invoice.Child("automatic_tax").Flag("enabled") && customer.Child("address").Given("country") is null)
        {
            const string Message = "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate tax.";
            invoice["last_finalization_error"] = new JsonObject { ["type"] = "invalid_request_error", ["code"] = "customer_tax_location_invalid", ["message"] = Message };
            invoice.Child("automatic_tax")!["status"] = "requires_location_inputs";
            Emit(world, "invoice.finalization_failed", invoice);
            throw FakeStripeException.Refused("customer_tax_location_invalid", Message);
        }
        if (autoAdvance is { } advance) invoice["auto_advance"] = advance;
        Recompute(world, invoice);
        var currency = invoice.Text("currency")!;
        var balances = customer.Child("invoice_credit_balance")!;
        var balance = balances.Long(currency);
        var due = invoice.Long("total") + balance;
        var isSmall = due > 0 && due < MinimumCharges.GetValueOrDefault(currency, 50);
        invoice["starting_balance"] = balance;
        invoice["ending_balance"] = due <= 0 || isSmall ? due : 0;
        SetBalance(customer, currency, invoice.Long("ending_balance"));
        invoice["amount_due"] = due <= 0 || isSmall ? 0 : due;
        invoice["amount_remaining"] = invoice.Long("amount_due");
        invoice["number"] = $"{customer.Text("invoice_prefix")}-{customer.Long("next_invoice_sequence"):D4}";
        customer["next_invoice_sequence"] = customer.Long("next_invoice_sequence") + 1;
        if (customer["currency"] is null) customer["currency"] = currency;
        invoice["effective_at"] = Now;
        invoice["last_finalization_error"] = null;
        invoice.Child("status_transitions")!["finalized_at"] = Now;
        if (invoice.Child("automatic_tax").Flag("enabled")) invoice.Child("automatic_tax")!["status"] = "complete";
        if (world.DaysUntilDue.TryGetValue(id, out var days)) invoice["due_date"] = Now + (days * 86_400);
        var page = $"https://invoice.stripe.com/i/{world.Account}/{(world.Live ? "live" : "test")}_{id}";
        invoice["hosted_invoice_url"] = page;
        invoice["invoice_pdf"] = $"{page.Replace("invoice.stripe.com/i", "pay.stripe.com/invoice", StringComparison.Ordinal)}/pdf";
        invoice["status"] = "open";
        world.Finalisations.Add(invoice.Metadata("rev_invoice_id") ?? id);
        if (invoice.Long("amount_due") > 0) OpenPayment(world, invoice);
        Emit(world, "invoice.finalized", invoice);
        if (invoice.Long("amount_due") == 0) MarkPaid(world, invoice, outOfBand: false);
        else if (invoice.Flag("auto_advance") && invoice.Text("collection_method") == "charge_automatically") Attempt(world, invoice);
        else if (invoice.Flag("auto_advance")) Emit(world, "invoice.sent", invoice);
        return ShownInvoice(world, invoice);
    }

    private static void SetBalance(JsonObject customer, string currency, long balance)
    {
        customer.Child("invoice_credit_balance")![currency] = balance;
        if ((customer.Given("currency") ?? currency) == currency) customer["balance"] = balance;
    }

    /// <summary>What Stripe does by itself as time goes by: finalises drafts, tries payments again, tells of due dates that passed.</summary>
    private void Advance(FakeWorld world)
    {
        foreach (var invoice in world.Table("invoice").Where(invoice => invoice.Text("status") is "draft" or "open").ToList())
        {
            var id = invoice.Text("id")!;
            if (invoice.Text("status") == "draft")
            {
                if (!invoice.Flag("auto_advance") || Now - invoice.Long("created") < 3600 || world.Lines[id].Count == 0) continue;
                try
                {
                    Finalise(world, invoice, autoAdvance: null);
                }
                catch (FakeStripeException)
                {
                    invoice["auto_advance"] = false;
                }
                continue;
            }
            if (invoice.Given("next_payment_attempt") is not null && invoice.Long("next_payment_attempt") <= Now) Attempt(world, invoice);
            if (invoice.Given("due_date") is not null && invoice.Long("due_date") < Now && invoice.Text("status") == "open" && world.Overdue.Add(id))
                Emit(world, "invoice.overdue", invoice);
        }
    }
}
