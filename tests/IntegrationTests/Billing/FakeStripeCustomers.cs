using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <content>Customers, their payment methods, and the pages on which they leave one.</content>
public sealed partial class FakeStripe
{
    private static readonly (string Name, int Longest)[] CustomerTexts = [("name", 256), ("email", 512), ("description", 350), ("phone", 20), ("tax_exempt", 20)];

    private static readonly string[] AddressTexts = ["city", "country", "line1", "line2", "postal_code", "state"];

    /// <summary>Gives a customer a card as the default, one that works or one that is always declined.</summary>
    public void SetCard(string customerId, bool works = true)
    {
        lock (_gate)
        {
            var world = WorldOf(customerId);
            var customer = Get(world, "customer", customerId);
            var method = AddCard(world, customerId, works);
            customer.Child("invoice_settings")!["default_payment_method"] = method.Text("id");
            Emit(world, "customer.updated", customer);
        }
    }

    /// <summary>Takes a customer's cards away.</summary>
    public void RemoveCards(string customerId)
    {
        lock (_gate)
        {
            var world = WorldOf(customerId);
            foreach (var method in world.Table("payment_method").Where(method => method.Text("customer") == customerId))
            {
                method["customer"] = null;
                Emit(world, "payment_method.detached", method);
            }
            var customer = Get(world, "customer", customerId);
            customer.Child("invoice_settings")!["default_payment_method"] = null;
            Emit(world, "customer.updated", customer);
        }
    }

    /// <summary>Gives a customer an address, which automatic tax needs.</summary>
    public void SetAddress(string customerId, string country = "US", string postalCode = "94111")
    {
        lock (_gate)
        {
            var world = WorldOf(customerId);
            var customer = Get(world, "customer", customerId);
            customer["address"] = new JsonObject { ["city"] = null, ["country"] = country, ["line1"] = null, ["line2"] = null, ["postal_code"] = postalCode, ["state"] = null };
            Emit(world, "customer.updated", customer);
        }
    }

    /// <summary>Someone deletes a customer in the Dashboard.</summary>
    public void DeleteCustomer(string customerId)
    {
        lock (_gate)
        {
            var world = WorldOf(customerId);
            DeleteCustomer(world, Get(world, "customer", customerId));
        }
    }

    /// <summary>
    /// The customer fills in the page that a Checkout session is. Stripe attaches the payment method and leaves making it the default
    /// to the caller; <paramref name="setDefault"/> does that too.
    /// </summary>
    public void CompleteCheckout(string sessionId, bool works = true, bool setDefault = false)
    {
        lock (_gate)
        {
            var world = WorldOf(sessionId);
            var session = Get(world, "checkout.session", sessionId);
            if (session.Text("status") != "open") throw new InvalidOperationException($"The session is {session.Text("status")}.");
            session["status"] = "complete";
            session["url"] = null;
            if (session.Given("customer") is { } customerId)
            {
                var method = AddCard(world, customerId, works);
                var intent = Insert(world, "setup_intent", "seti", new JsonObject
                {
                    ["customer"] = customerId, ["payment_method"] = method.Text("id"), ["status"] = "succeeded", ["usage"] = "off_session",
                    ["payment_method_types"] = new JsonArray("card"),
                });
                if (session.Text("mode") == "setup") session["setup_intent"] = intent.Text("id");
                Emit(world, "setup_intent.succeeded", intent);
                var customer = Get(world, "customer", customerId);
                if (setDefault) customer.Child("invoice_settings")!["default_payment_method"] = method.Text("id");
                Emit(world, "customer.updated", customer);
            }
            if (session.Text("mode") == "payment") session["payment_status"] = "paid";
            Emit(world, "checkout.session.completed", session);
        }
    }

    private JsonObject RouteCustomers(FakeWorld world, FakeRequest request)
    {
        var form = request.Form;
        return (request.Method, request.Segments[2..]) switch
        {
            ("POST", []) => CreateCustomer(world, form),
            ("GET", []) => List(world, "customer", form, "/v1/customers", "email"),
            ("GET", [var id]) => Shown(world, Get(world, "customer", id)),
            ("POST", [var id]) => UpdateCustomer(world, LivingCustomer(world, id), form),
            ("DELETE", [var id]) => DeleteCustomer(world, LivingCustomer(world, id)),
            ("GET", [var id, "payment_methods"]) => StripeJson.Page(
                world.Newest("payment_method").Where(method => method.Text("customer") == id), form, request.Path, method => method.Copy()),
            _ => throw Unknown(request),
        };
    }

    private static FakeStripeException Unknown(FakeRequest request) =>
        new(404, code: null, $"Unrecognized request URL ({request.Method}: {request.Path}).", param: null, remembered: false);

    private JsonObject LivingCustomer(FakeWorld world, string id, string param = "id")
    {
        var customer = Get(world, "customer", id, param);
        return customer.Flag("deleted") ? throw FakeStripeException.Missing("customer", id, param) : customer;
    }

    private JsonObject CreateCustomer(FakeWorld world, JsonObject form)
    {
        var fields = new JsonObject
        {
            ["address"] = null, ["balance"] = 0L, ["currency"] = null, ["default_source"] = null, ["delinquent"] = false, ["description"] = null, ["email"] = null,
            ["invoice_credit_balance"] = new JsonObject(), ["invoice_prefix"] = Guid.NewGuid().ToString("N")[..8].ToUpperInvariant(),
            ["invoice_settings"] = new JsonObject { ["custom_fields"] = null, ["default_payment_method"] = null, ["footer"] = null, ["rendering_options"] = null },
            ["metadata"] = new JsonObject(), ["name"] = null, ["next_invoice_sequence"] = 1L, ["phone"] = null, ["preferred_locales"] = new JsonArray(), ["shipping"] = null,
            ["tax_exempt"] = "none", ["test_clock"] = null,
        };
        Apply(world, fields, form);
        var customer = Insert(world, "customer", "cus", fields);
        Emit(world, "customer.created", customer);
        return Shown(world, customer);
    }

    private JsonObject UpdateCustomer(FakeWorld world, JsonObject customer, JsonObject form)
    {
        Apply(world, customer, form);
        Emit(world, "customer.updated", customer);
        return Shown(world, customer);
    }

    private JsonObject DeleteCustomer(FakeWorld world, JsonObject customer)
    {
        Emit(world, "customer.deleted", customer);
        customer["deleted"] = true;
        var id = customer.Text("id");
        foreach (var item in world.Table("invoiceitem").Where(item => item.Text("customer") == id && item.Given("invoice") is null).ToList()) world.Remove(item);
        foreach (var subscription in world.Table("subscription").Where(row => row.Text("customer") == id && row.Text("status") != "canceled"))
        {
            subscription["status"] = "canceled";
            Emit(world, "customer.subscription.deleted", subscription);
        }
        return Shown(world, customer);
    }

    /// <summary>Takes a customer's parameters over.</summary>
    private void Apply(FakeWorld world, JsonObject customer, JsonObject form)
    {
        if (form.Given("email") is { } email && !email.Contains('@', StringComparison.Ordinal))
            throw FakeStripeException.Invalid("email_invalid", $"Invalid email address: {email}", "email");
        foreach (var (name, longest) in CustomerTexts)
        {
            var text = form.Limited(name, longest);
            if (form.Has(name)) customer[name] = text;
        }
        if (form.Child("address") is { } address)
        {
            var taken = new JsonObject();
            foreach (var name in AddressTexts) taken[name] = address.Given(name);
            customer["address"] = taken;
        }
        if (form.Child("invoice_settings") is { } settings && settings.Has("default_payment_method"))
        {
            var id = settings.Given("default_payment_method");
            if (id is not null && Get(world, "payment_method", id, "invoice_settings[default_payment_method]").Text("customer") != customer.Text("id"))
            {
                throw FakeStripeException.Refused(
                    "resource_missing", $"The customer does not have a payment method with the ID {id}. The payment method must be attached to the customer.",
                    "invoice_settings[default_payment_method]");
            }
            customer.Child("invoice_settings")!["default_payment_method"] = id;
        }
        StripeJson.Merge(customer, form);
    }

    private JsonObject AddCard(FakeWorld world, string customerId, bool works)
    {
        var method = Insert(world, "payment_method", "pm", new JsonObject
        {
            ["customer"] = customerId, ["type"] = "card",
            ["card"] = new JsonObject { ["brand"] = "visa", ["last4"] = works ? "4242" : "0341", ["exp_month"] = 12L, ["exp_year"] = 2040L },
        });
        if (!works) world.Declined.Add(method.Text("id")!);
        Emit(world, "payment_method.attached", method);
        return method;
    }

    private JsonObject CreateCheckout(FakeWorld world, JsonObject form)
    {
        var mode = form.Required("mode");
        if (mode == "setup" && form.Given("currency") is null) form.Required("currency");
        if (mode != "setup" && form.Items("line_items").Count == 0) form.Required("line_items");
        AbsoluteUrl(form, form.Required("success_url"), "success_url");
        if (form.Given("cancel_url") is { } cancel) AbsoluteUrl(form, cancel, "cancel_url");
        if (form.Given("customer") is { } customer) LivingCustomer(world, customer, "customer");
        var fields = new JsonObject
        {
            ["cancel_url"] = form.Given("cancel_url"), ["client_reference_id"] = form.Given("client_reference_id"), ["currency"] = form.Given("currency"),
            ["customer"] = form.Given("customer"),
            ["expires_at"] = Now + 86_400, ["metadata"] = new JsonObject(), ["mode"] = mode, ["payment_intent"] = null, ["payment_method_types"] = new JsonArray("card"),
            ["payment_status"] = mode == "setup" ? "no_payment_required" : "unpaid", ["setup_intent"] = null, ["status"] = "open",
            ["success_url"] = form.Given("success_url"), ["ui_mode"] = "hosted",
        };
        StripeJson.Merge(fields, form);
        var session = Insert(world, "checkout.session", world.Live ? "cs_live" : "cs_test", fields);
        session["url"] = $"https://checkout.stripe.com/c/pay/{session.Text("id")}";
        return session.Copy();
    }

    private JsonObject CreatePortal(FakeWorld world, JsonObject form)
    {
        LivingCustomer(world, form.Required("customer"), "customer");
        if (form.Given("return_url") is { } back) AbsoluteUrl(form, back, "return_url");
        return Insert(world, "billing_portal.session", "bps", new JsonObject
        {
            ["configuration"] = "bpc_1Default", ["customer"] = form.Given("customer"), ["flow"] = null, ["locale"] = null, ["on_behalf_of"] = null,
            ["return_url"] = form.Given("return_url"),
            ["url"] = $"https://billing.stripe.com/p/session/{(world.Live ? "live" : "test")}_{Guid.NewGuid():N}",
        }).Copy();
    }

    private static void AbsoluteUrl(JsonObject form, string url, string name)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw FakeStripeException.Invalid("url_invalid", $"Not a valid URL: {form.Text(name)}", name);
    }
}
