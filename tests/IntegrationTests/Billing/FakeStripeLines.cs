using System.Globalization;
using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <content>Lines of drafts, and pending invoice items.</content>
public sealed partial class FakeStripe
{
    private static IReadOnlyList<JsonObject> AskedLines(JsonObject form)
    {
        var asked = form.Items("lines");
        return asked.Count > 0 ? asked : throw FakeStripeException.Invalid("parameter_missing", "Missing required param: lines.", "lines");
    }

    /// <summary>The parameters of one line, with the id that the path says.</summary>
    private static JsonObject Named(JsonObject form, string id)
    {
        var asked = form.Copy();
        asked["id"] = id;
        return asked;
    }

    private static void CheckAmount(string currency, long amount, string param)
    {
        if (ThreeDecimals.Contains(currency, StringComparer.Ordinal) && amount % 10 != 0)
            throw FakeStripeException.Invalid("parameter_invalid_integer", $"Invalid amount: amounts in {currency} must be divisible by 10.", param);
    }

    private static JsonObject LineAt(FakeWorld world, JsonObject invoice, string id) =>
        world.Lines[invoice.Text("id")!].Find(line => line.Text("id") == id) ?? throw FakeStripeException.Missing("line item", id, "lines[id]");

    private static FakeStripeException TooManyLines(string param) =>
        FakeStripeException.Refused("invoice_too_many_line_items", "An invoice can have at most 250 line items.", param);

    private JsonObject AddLines(FakeWorld world, JsonObject invoice, JsonObject form)
    {
        var asked = AskedLines(form);
        var lines = world.Lines[invoice.Text("id")!];
        if (lines.Count + asked.Count > MostLines) throw TooManyLines("lines");
        // All are read before the first is added.
        var (customer, currency) = (invoice.Text("customer")!, invoice.Text("currency")!);
        var added = asked.Select(line => line.Given("invoice_item") is { } id ? PendingItem(world, invoice, id) : ItemOf(world, customer, currency, line)).ToList();
        foreach (var item in added)
        {
            if (!world.ById.ContainsKey(item.Text("id")!)) world.Add(item);
            Place(world, invoice, item);
        }
        return Edited(world, invoice, form);
    }

    private JsonObject UpdateLines(FakeWorld world, JsonObject invoice, JsonObject form, IReadOnlyList<JsonObject> asked)
    {
        var (customer, currency) = (invoice.Text("customer")!, invoice.Text("currency")!);
        // All are changed as copies before the first takes its place.
        var changed = new List<JsonObject>();
        foreach (var change in asked)
        {
            var line = LineAt(world, invoice, change.Required("id")).Copy();
            if (change.Has("amount") || change.Has("price_data") || change.Has("pricing") || change.Has("quantity_decimal"))
            {
                var item = ItemOf(world, customer, currency, change);
                foreach (var name in new[] { "amount", "quantity", "quantity_decimal", "pricing" }) line[name] = item[name]?.DeepClone();
                line["subtotal"] = item.Long("amount");
            }
            if (change.Has("description")) line["description"] = change.Limited("description", 5000);
            if (change.Has("period")) line["period"] = PeriodOf(change);
            StripeJson.Merge(line, change);
            changed.Add(line);
        }
        var lines = world.Lines[invoice.Text("id")!];
        foreach (var line in changed) lines[lines.FindIndex(old => old.Text("id") == line.Text("id"))] = line;
        return Edited(world, invoice, form);
    }

    private JsonObject RemoveLines(FakeWorld world, JsonObject invoice, JsonObject form)
    {
        var removed = AskedLines(form).Select(asked => (Line: LineAt(world, invoice, asked.Required("id")), Behavior: asked.Required("behavior"))).ToList();
        foreach (var (line, behavior) in removed)
        {
            if (behavior is not ("delete" or "unassign")) throw FakeStripeException.Invalid("parameter_invalid", $"Invalid behavior: {behavior}", "lines[behavior]");
            world.Lines[invoice.Text("id")!].Remove(line);
            if (!world.ById.TryGetValue(ItemIdOf(line), out var item)) continue;
            if (behavior == "delete") world.Remove(item);
            else item["invoice"] = null;
        }
        return Edited(world, invoice, form);
    }

    private JsonObject Edited(FakeWorld world, JsonObject invoice, JsonObject form)
    {
        StripeJson.Merge(invoice, form, "invoice_metadata");
        Recompute(world, invoice);
        Emit(world, "invoice.updated", invoice);
        return ShownInvoice(world, invoice);
    }

    private static string ItemIdOf(JsonObject line) => line.Child("parent").Child("invoice_item_details").Text("invoice_item") ?? "";

    private JsonObject PendingItem(FakeWorld world, JsonObject invoice, string id)
    {
        var item = Get(world, "invoiceitem", id, "lines[invoice_item]");
        if (item.Given("invoice") is not null) throw FakeStripeException.Refused(code: null, $"The invoice item {id} is already attached to an invoice.", "lines[invoice_item]");
        if (item.Text("customer") != invoice.Text("customer"))
            throw FakeStripeException.Refused(code: null, $"The invoice item {id} belongs to another customer.", "lines[invoice_item]");
        CheckCurrency(item.Text("currency"), invoice.Text("currency")!, "lines[invoice_item]");
        return item;
    }

    private static void CheckCurrency(string? given, string currency, string param)
    {
        if (given is not null && given != currency)
            throw FakeStripeException.Refused("currency_mismatch", $"The currency of the line ({given}) must match the invoice's currency ({currency}).", param);
    }

    private JsonObject PeriodOf(JsonObject asked)
    {
        var period = asked.Child("period");
        if (period is null) return new JsonObject { ["end"] = Now, ["start"] = Now };
        period.Required("start");
        period.Required("end");
        var (start, end) = (period.Whole("start")!.Value, period.Whole("end")!.Value);
        if (end < start) throw FakeStripeException.Invalid("parameter_invalid", "The period must not end before it starts.", "period[end]");
        return new JsonObject { ["end"] = end, ["start"] = start };
    }

    /// <summary>An invoice item as asked for, not yet in the account: a plain amount, or a price times a quantity, rounded on this line.</summary>
    private JsonObject ItemOf(FakeWorld world, string customer, string currency, JsonObject asked)
    {
        var amount = asked.Whole("amount");
        var price = asked.Child("price_data");
        var pricing = asked.Child("pricing");
        if ((amount is null ? 0 : 1) + (price is null ? 0 : 1) + (pricing is null ? 0 : 1) != 1)
            throw FakeStripeException.Invalid("parameter_missing", "You must pass exactly one of amount, price_data and pricing.", "amount");
        var quantity = asked.Exact("quantity_decimal") ?? asked.Whole("quantity") ?? 1m;
        if (quantity < 0) throw FakeStripeException.Invalid("parameter_invalid_decimal", "The quantity must not be negative.", "quantity");
        var priceId = NewId("price");
        if (amount is not null && (asked.Has("quantity") || asked.Has("quantity_decimal")))
            throw FakeStripeException.Invalid("parameter_invalid", "You may only specify one of these parameters: amount, quantity.", "quantity");
        if (price is not null)
        {
            CheckCurrency(price.Required("currency"), currency, "price_data[currency]");
            if (price.Given("product") is { } product) Get(world, "product", product, "price_data[product]");
            else if (price.Child("product_data") is null) price.Required("product");
        }
        if (pricing is not null)
        {
            priceId = pricing.Required("price");
            price = Get(world, "price", priceId, "pricing[price]");
            CheckCurrency(price.Text("currency"), currency, "pricing[price]");
        }
        var unit = price is null ? amount!.Value : price.Exact("unit_amount_decimal") ?? price.Whole("unit_amount")
            ?? throw FakeStripeException.Invalid("parameter_missing", "Missing required param: price_data[unit_amount].", "price_data[unit_amount]");
        var total = amount ?? Rounded(unit * quantity);
        CheckAmount(currency, total, "amount");
        var item = new JsonObject
        {
            ["id"] = NewId("ii"), ["object"] = "invoiceitem", ["amount"] = total, ["created"] = Now, ["currency"] = currency, ["customer"] = customer, ["date"] = Now,
            ["description"] = asked.Limited("description", 5000), ["discountable"] = total >= 0, ["discounts"] = new JsonArray(), ["invoice"] = null, ["livemode"] = world.Live,
            ["metadata"] = new JsonObject(), ["net_amount"] = total, ["parent"] = null, ["period"] = PeriodOf(asked),
            ["pricing"] = new JsonObject
            {
                ["price_details"] = new JsonObject { ["price"] = priceId, ["product"] = price.Given("product") ?? "prod_1Inline" }, ["type"] = "price_details",
                ["unit_amount_decimal"] = unit.ToString(CultureInfo.InvariantCulture),
            },
            ["proration"] = false, ["quantity"] = quantity == decimal.Floor(quantity) ? (long)quantity : null,
            ["quantity_decimal"] = quantity.ToString(CultureInfo.InvariantCulture),
            ["tax_rates"] = new JsonArray(), ["test_clock"] = null,
        };
        StripeJson.Merge(item, asked);
        return item;
    }

    /// <summary>Makes an item a line of a draft.</summary>
    private static void Place(FakeWorld world, JsonObject invoice, JsonObject item)
    {
        var id = invoice.Text("id")!;
        item["invoice"] = id;
        world.Lines[id].Add(new JsonObject
        {
            ["id"] = NewId("il"), ["object"] = "line_item", ["amount"] = item.Long("amount"), ["currency"] = item.Text("currency"), ["description"] = item.Text("description"),
            ["discount_amounts"] = new JsonArray(), ["discountable"] = item.Flag("discountable"), ["discounts"] = new JsonArray(), ["invoice"] = id, ["livemode"] = world.Live,
            ["metadata"] = item["metadata"]!.DeepClone(),
            ["parent"] = new JsonObject
            {
                ["invoice_item_details"] = new JsonObject
                {
                    ["invoice_item"] = item.Text("id"), ["proration"] = false, ["proration_details"] = new JsonObject { ["credited_items"] = null }, ["subscription"] = null,
                },
                ["subscription_item_details"] = null, ["type"] = "invoice_item_details",
            },
            ["period"] = item["period"]!.DeepClone(), ["pretax_credit_amounts"] = new JsonArray(), ["pricing"] = item["pricing"]!.DeepClone(),
            ["quantity"] = item["quantity"]?.DeepClone(),
            ["quantity_decimal"] = item.Text("quantity_decimal"), ["subtotal"] = item.Long("amount"), ["taxes"] = new JsonArray(),
        });
    }

    private JsonObject CreateItem(FakeWorld world, JsonObject form)
    {
        var customer = LivingCustomer(world, form.Required("customer"), "customer");
        var invoice = form.Given("invoice") is { } id ? Draft(world, id) : null;
        var currency = invoice?.Text("currency") ?? form.Given("currency") ?? customer.Given("currency") ?? world.Currency;
        CheckCurrency(form.Given("currency"), currency, "currency");
        if (invoice is not null && world.Lines[invoice.Text("id")!].Count >= MostLines) throw TooManyLines("invoice");
        var item = ItemOf(world, customer.Text("id")!, currency, form);
        world.Add(item);
        if (invoice is not null)
        {
            Place(world, invoice, item);
            Recompute(world, invoice);
            Emit(world, "invoice.updated", invoice);
        }
        Emit(world, "invoiceitem.created", item);
        return item.Copy();
    }

    private JsonObject DeleteItem(FakeWorld world, JsonObject item)
    {
        if (item.Given("invoice") is { } id)
        {
            var invoice = Draft(world, id);
            world.Lines[id].RemoveAll(line => ItemIdOf(line) == item.Text("id"));
            Recompute(world, invoice);
            Emit(world, "invoice.updated", invoice);
        }
        world.Remove(item);
        Emit(world, "invoiceitem.deleted", item);
        return new JsonObject { ["id"] = item.Text("id"), ["object"] = "invoiceitem", ["deleted"] = true };
    }
}
