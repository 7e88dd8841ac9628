using System.Globalization;
using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <content>The rest of the API, in simple form: what is written is kept, and is read again.</content>
public sealed partial class FakeStripe
{
    private static readonly string[] WholeNumbers =
        ["unit_amount", "quantity", "current_period_start", "current_period_end", "billing_cycle_anchor", "trial_end", "days_until_due", "interval_count"];

    private JsonObject RouteOthers(FakeWorld world, FakeRequest request)
    {
        var form = request.Form;
        return (request.Method, request.Segments) switch
        {
            ("POST", ["v1", "checkout", "sessions"]) => CreateCheckout(world, form),
            ("GET", ["v1", "checkout", "sessions"]) => List(world, "checkout.session", form, request.Path, "customer", "status"),
            ("GET", ["v1", "checkout", "sessions", var id]) => Get(world, "checkout.session", id).Copy(),
            ("POST", ["v1", "billing_portal", "sessions"]) => CreatePortal(world, form),
            ("POST", ["v1", "products"]) => Create(world, "product", "prod", form, "product.created", new JsonObject { ["active"] = true, ["description"] = null }, "name"),
            ("POST", ["v1", "prices"]) => CreatePrice(world, form),
            ("POST", ["v1", "subscriptions"]) => CreateSubscription(world, form),
            ("POST", ["v1", "webhook_endpoints"]) => CreateWebhookEndpoint(world, form),
            ("POST", ["v1", "invoiceitems"]) => CreateItem(world, form),
            ("GET", ["v1", "invoiceitems"]) => List(world, "invoiceitem", form, request.Path, "customer", "invoice"),
            ("DELETE", ["v1", "invoiceitems", var id]) => DeleteItem(world, Get(world, "invoiceitem", id)),
            ("GET", ["v1", "subscriptions"]) => List(world, "subscription", form, request.Path, "customer", "status"),
            ("DELETE", ["v1", "subscriptions", var id]) => CancelSubscription(world, Get(world, "subscription", id)),
            ("DELETE", ["v1", "webhook_endpoints", var id]) => DeleteWebhookEndpoint(world, Get(world, "webhook_endpoint", id)),
            ("POST", ["v1", "payment_methods", var id, "attach"]) => AttachMethod(world, Get(world, "payment_method", id), form),
            ("GET", ["v1", var plural]) when KindOf(plural) is { } kind => List(world, kind, form, request.Path, "active", "product", "payment_intent", "charge", "customer"),
            ("GET", ["v1", var plural, var id]) when KindOf(plural) is { } kind => Get(world, kind, id).Copy(),
            ("POST", ["v1", var plural, var id]) when KindOf(plural) is { } kind => Update(world, Get(world, kind, id), form),
            _ => throw Unknown(request),
        };
    }

    private static string? KindOf(string plural) => plural switch
    {
        "products" => "product",
        "prices" => "price",
        "subscriptions" => "subscription",
        "invoiceitems" => "invoiceitem",
        "webhook_endpoints" => "webhook_endpoint",
        "payment_intents" => "payment_intent",
        "payment_methods" => "payment_method",
        "setup_intents" => "setup_intent",
        "charges" => "charge",
        "disputes" => "dispute",
        "refunds" => "refund",
        _ => null,
    };

    private JsonObject Create(FakeWorld world, string kind, string prefix, JsonObject form, string created, JsonObject fields, params string[] required)
    {
        foreach (var name in required) form.Required(name);
        TakeOver(fields, form);
        fields["metadata"] = new JsonObject();
        StripeJson.Merge(fields, form);
        var row = Insert(world, kind, prefix, fields);
        Emit(world, created, row);
        return row.Copy();
    }

    private JsonObject Update(FakeWorld world, JsonObject row, JsonObject form)
    {
        TakeOver(row, form);
        StripeJson.Merge(row, form);
        var kind = row.Text("object");
        if (kind != "webhook_endpoint") Emit(world, kind == "subscription" ? "customer.subscription.updated" : $"{kind}.updated", row);
        return row.Copy();
    }

    /// <summary>Takes parameters over as they are, with the types that Stripe answers in.</summary>
    private static void TakeOver(JsonObject row, JsonObject form)
    {
        foreach (var (name, value) in form)
        {
            if (name is "expand" or "metadata") continue;
            row[name] = Typed(name, value);
        }
    }

    private static JsonNode? Typed(string name, JsonNode? value)
    {
        switch (value)
        {
            case JsonArray items:
                var array = new JsonArray();
                foreach (var item in items) array.Add(Typed("", item));
                return array;
            case JsonObject members:
                var taken = new JsonObject();
                TakeOver(taken, members);
                return taken;
            case JsonValue leaf:
                var text = leaf.GetValue<string>();
                if (bool.TryParse(text, out var flag)) return flag;
                if (!WholeNumbers.Contains(name, StringComparer.Ordinal)) return text;
                return long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            default:
                return null;
        }
    }

    private JsonObject CreatePrice(FakeWorld world, JsonObject form)
    {
        form.Exact("unit_amount_decimal");
        if (form.Given("product") is { } product) Get(world, "product", product, "product");
        else if (form.Child("product_data") is null) form.Required("product");
        var recurring = form.Child("recurring");
        if (recurring.Given("meter") is { } meter) Get(world, "billing.meter", meter, "recurring[meter]");
        return Create(world, "price", "price", form, "price.created", new JsonObject
        {
            ["active"] = true, ["billing_scheme"] = "per_unit", ["unit_amount"] = form.Whole("unit_amount"),
            ["unit_amount_decimal"] = form.Given("unit_amount_decimal") ?? form.Given("unit_amount"),
            ["type"] = recurring is null ? "one_time" : "recurring",
        }, "currency");
    }

    private JsonObject CreateSubscription(FakeWorld world, JsonObject form)
    {
        LivingCustomer(world, form.Required("customer"), "customer");
        var asked = form.Items("items");
        if (asked.Count is 0 or > 20) throw FakeStripeException.Invalid("parameter_invalid", "A subscription has 1 to 20 items.", "items");
        var items = asked.Select(item => new JsonObject
        {
            ["id"] = NewId("si"), ["object"] = "subscription_item", ["created"] = Now, ["metadata"] = new JsonObject(),
            ["price"] = Get(world, "price", item.Required("price"), "items[price]").Copy(),
            ["current_period_start"] = Now, ["current_period_end"] = Now + (30 * 86_400),
        }).ToList();
        var rest = form.Copy();
        rest.Remove("items");
        return Create(world, "subscription", "sub", rest, "customer.subscription.created", new JsonObject
        {
            ["status"] = "active", ["start_date"] = Now, ["billing_cycle_anchor"] = Now, ["currency"] = items[0].Child("price").Text("currency"),
            ["collection_method"] = "charge_automatically",
            ["items"] = new JsonObject { ["object"] = "list", ["has_more"] = false, ["url"] = "/v1/subscription_items", ["data"] = StripeJson.ArrayOf(items) },
        }, "customer");
    }

    private JsonObject CancelSubscription(FakeWorld world, JsonObject subscription)
    {
        subscription["status"] = "canceled";
        subscription["canceled_at"] = Now;
        Emit(world, "customer.subscription.deleted", subscription);
        return subscription.Copy();
    }

    private JsonObject AttachMethod(FakeWorld world, JsonObject method, JsonObject form)
    {
        method["customer"] = LivingCustomer(world, form.Required("customer"), "customer").Text("id");
        Emit(world, "payment_method.attached", method);
        return method.Copy();
    }

    /// <summary>The endpoint gets webhooks from then on; its secret is answered this once.</summary>
    private JsonObject CreateWebhookEndpoint(FakeWorld world, JsonObject form)
    {
        var url = form.Required("url");
        AbsoluteUrl(form, url, "url");
        if (form["enabled_events"] is not JsonArray { Count: > 0 } events)
            throw FakeStripeException.Invalid("parameter_missing", "Missing required param: enabled_events.", "enabled_events");
        var fields = new JsonObject
        {
            ["api_version"] = form.Given("api_version"), ["application"] = null, ["description"] = form.Given("description"), ["enabled_events"] = events.DeepClone(),
            ["metadata"] = new JsonObject(), ["status"] = "enabled", ["url"] = url,
        };
        StripeJson.Merge(fields, form);
        var row = Insert(world, "webhook_endpoint", "we", fields);
        var secret = $"whsec_{Guid.NewGuid():N}";
        var types = events.Select(type => type!.GetValue<string>()).ToArray();
        _endpoints.Add(new FakeEndpoint(new Uri(url), secret)
        {
            Id = row.Text("id"), Account = world.Account, Live = world.Live, ApiVersion = form.Given("api_version"),
            Types = types.Contains("*", StringComparer.Ordinal) ? null : types,
        });
        var shown = row.Copy();
        shown["secret"] = secret;
        return shown;
    }

    private JsonObject DeleteWebhookEndpoint(FakeWorld world, JsonObject row)
    {
        _endpoints.RemoveAll(endpoint => endpoint.Id == row.Text("id"));
        world.Remove(row);
        return new JsonObject { ["id"] = row.Text("id"), ["object"] = "webhook_endpoint", ["deleted"] = true };
    }
}
