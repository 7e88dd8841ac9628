using System.Text.Json;
using Rev.Application.Billing;
using Rev.Domain.Common;
using Sdk = Stripe;

namespace Rev.Infrastructure.Billing;

/// <summary>Asks Stripe over HTTPS. It never asks twice by itself: whether to do so is decided by who asked, after reading.</summary>
public sealed class StripeGateway : IStripe, IDisposable
{
    private const int PageSize = 100;
    private const int LinesAtOnce = 100;

    /// <summary>In the metadata of Checkout sessions that Rev made.</summary>
    private const string SetupMark = "rev_payment_setup";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string[] TestKeys = ["sk_test_", "rk_test_", "sk_org_test_"];

    private readonly HttpClient _http;
    private readonly Sdk.SystemNetHttpClient _transport;
    private readonly StripePace? _pace;
    private readonly string? _apiBase;
    private readonly TimeProvider _clock;

    /// <summary>A gateway to Stripe, or to what is at another address.</summary>
    /// <param name="apiBase">Null for Stripe's own address.</param>
    /// <param name="clock">What Retry-After is counted from.</param>
    /// <param name="patience">How long an answer may take; null for 30 seconds.</param>
    /// <param name="pace">How often it asks; null for as often as Stripe takes it. What answers on this machine is a stand-in, and asked as often as one likes.</param>
    public StripeGateway(string? apiBase, TimeProvider clock, TimeSpan? patience = null, StripePace? pace = null)
    {
        _http = new HttpClient(new SocketsHttpHandler
        {
            // Stripe's API leads nowhere else, and a key must not follow.
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        {
            Timeout = patience ?? Patience,
        };
        _transport = new Sdk.SystemNetHttpClient(_http, maxNetworkRetries: 0, enableTelemetry: false);
        _pace = pace ?? (Uri.TryCreate(apiBase, UriKind.Absolute, out var address) && address.IsLoopback ? null : new StripePace());
        _apiBase = apiBase;
        _clock = clock;
    }

    /// <inheritdoc/>
    public Task<StripeAnswer<StripeAccountFacts>> Account(StripeAccess access, CancellationToken cancellationToken) =>
        Ask(access, key: null, async (client, request) =>
        {
            var account = await client.V1.Accounts.GetSelfAsync(request, cancellationToken);
            return Done(new StripeAccountFacts(Required(account.Id), IsLive(access), account.Country, account.DefaultCurrency), account);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<StripeCustomerFacts>> GetCustomer(StripeAccess access, string id, CancellationToken cancellationToken) =>
        Ask(access, key: null, async (client, request) =>
        {
            var customer = await client.V1.Customers.GetAsync(id, requestOptions: request, cancellationToken: cancellationToken);
            return Done(Facts(customer, access), customer);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<IReadOnlyList<StripeCustomerFacts>>> CustomersSince(StripeAccess access, DateTimeOffset since, CancellationToken cancellationToken) =>
        All(access, newestFirst: true, async (client, after, request) =>
        {
            var options = Page(new Sdk.CustomerListOptions { Created = Since(since) }, after);
            return PartOf(await client.V1.Customers.ListAsync(options, request, cancellationToken), customer => Facts(customer, access));
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<StripeCustomerFacts>> CreateCustomer(StripeAccess access, StripeCustomerAsk ask, string key, CancellationToken cancellationToken) =>
        Ask(access, key, async (client, request) =>
        {
            var options = new Sdk.CustomerCreateOptions { Metadata = Marked("rev_customer_id", ask.CustomerId) };
            if (ask.Name is { } name) options.Name = name;
            if (ask.Email is { } email) options.Email = email;
            var customer = await client.V1.Customers.CreateAsync(options, request, cancellationToken);
            return Done(Facts(customer, access), customer);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<StripeInvoiceFacts>> GetInvoice(StripeAccess access, string id, CancellationToken cancellationToken) =>
        Ask(access, key: null, async (client, request) =>
        {
            var invoice = await client.V1.Invoices.GetAsync(id, requestOptions: request, cancellationToken: cancellationToken);
            if (invoice.Deleted == true) return new StripeAnswer<StripeInvoiceFacts>(StripeVerdict.Gone, Code: "resource_missing", Message: "The invoice was deleted.");
            return Done(Facts(invoice), invoice);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<IReadOnlyList<StripeInvoiceFacts>>> InvoicesSince(
        StripeAccess access, string? stripeCustomerId, DateTimeOffset since, CancellationToken cancellationToken) =>
        All(access, newestFirst: true, async (client, after, request) =>
        {
            var options = Page(new Sdk.InvoiceListOptions { Created = Since(since) }, after);
            if (stripeCustomerId is not null) options.Customer = stripeCustomerId;
            return PartOf(await client.V1.Invoices.ListAsync(options, request, cancellationToken), Facts);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<StripeInvoiceFacts>> CreateInvoice(StripeAccess access, StripeInvoiceAsk ask, string key, CancellationToken cancellationToken) =>
        Ask(access, key, async (client, request) =>
        {
            // What is set to null is sent as empty, so what is not asked for is not touched.
            var options = new Sdk.InvoiceCreateOptions
            {
                Customer = ask.StripeCustomerId,
                Currency = ask.Currency,
                AutoAdvance = false,
                AutomaticTax = new Sdk.InvoiceAutomaticTaxOptions { Enabled = ask.AutomaticTax },
                CollectionMethod = ask.DaysUntilDue is null ? "charge_automatically" : "send_invoice",
                PendingInvoiceItemsBehavior = "exclude",
                Metadata = Marked("rev_invoice_id", ask.InvoiceId),
            };
            options.Metadata["rev_total_exact"] = ask.TotalExact;
            if (ask.DaysUntilDue is { } days) options.DaysUntilDue = days;
            if (ask.Description is { } description) options.Description = description;
            var invoice = await client.V1.Invoices.CreateAsync(options, request, cancellationToken);
            return Done(Facts(invoice), invoice);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<bool>> DeleteDraft(StripeAccess access, string id, CancellationToken cancellationToken) =>
        Ask(access, key: null, async (client, request) =>
        {
            var invoice = await client.V1.Invoices.DeleteAsync(id, requestOptions: request, cancellationToken: cancellationToken);
            if (invoice.Deleted != true) throw new FormatException("The invoice does not say that it is deleted.");
            return Done(true, invoice);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<IReadOnlyList<StripeLineFacts>>> Lines(StripeAccess access, string invoiceId, CancellationToken cancellationToken) =>
        All(access, newestFirst: false, async (client, after, request) =>
        {
            var options = Page(new Sdk.InvoiceLineItemListOptions(), after);
            return PartOf(await client.V1.Invoices.LineItems.ListAsync(invoiceId, options, request, cancellationToken), Facts);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<bool>> AddLines(
        StripeAccess access, string invoiceId, IReadOnlyList<StripeLineAsk> lines, string key, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lines.Count, LinesAtOnce, nameof(lines));
        return Ask(access, key, async (client, request) =>
        {
            var options = new Sdk.InvoiceAddLinesOptions { Lines = [.. lines.Select(Line)] };
            return Changed(await client.V1.Invoices.AddLinesAsync(invoiceId, options, request, cancellationToken));
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<StripeAnswer<bool>> UpdateLines(
        StripeAccess access, string invoiceId, IReadOnlyList<(string Id, StripeLineAsk Line)> lines, string key, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lines.Count, LinesAtOnce, nameof(lines));
        return Ask(access, key, async (client, request) =>
        {
            var options = new Sdk.InvoiceUpdateLinesOptions { Lines = [.. lines.Select(line => Line(line.Line))] };
            for (var i = 0; i < lines.Count; i++) options.Lines[i].Id = lines[i].Id;
            return Changed(await client.V1.Invoices.UpdateLinesAsync(invoiceId, options, request, cancellationToken));
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<StripeAnswer<bool>> RemoveLines(
        StripeAccess access, string invoiceId, IReadOnlyList<string> lines, string key, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lines.Count, LinesAtOnce, nameof(lines));
        return Ask(access, key, async (client, request) =>
        {
            // A line that is only unassigned would come back on the customer's next invoice.
            var options = new Sdk.InvoiceRemoveLinesOptions { Lines = [.. lines.Select(id => new Sdk.InvoiceLineOptions { Id = id, Behavior = "delete" })] };
            return Changed(await client.V1.Invoices.RemoveLinesAsync(invoiceId, options, request, cancellationToken));
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<StripeAnswer<StripeInvoiceFacts>> Finalize(StripeAccess access, string id, string key, CancellationToken cancellationToken) =>
        Ask(access, key, async (client, request) =>
        {
            var options = new Sdk.InvoiceFinalizeOptions { AutoAdvance = true };
            var invoice = await client.V1.Invoices.FinalizeInvoiceAsync(id, options, request, cancellationToken);
            return Done(Facts(invoice), invoice);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<IReadOnlyList<StripeCreditFacts>>> CreditNotes(StripeAccess access, string invoiceId, CancellationToken cancellationToken) =>
        All(access, newestFirst: true, async (client, after, request) =>
        {
            var options = Page(new Sdk.CreditNoteListOptions { Invoice = invoiceId }, after);
            return PartOf(await client.V1.CreditNotes.ListAsync(options, request, cancellationToken), Facts);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<long>> CreditAfterPayment(StripeAccess access, StripeCreditAsk ask, CancellationToken cancellationToken) =>
        Ask(access, key: null, async (client, request) =>
        {
            var options = new Sdk.CreditNotePreviewOptions { Invoice = ask.StripeInvoiceId, Lines = [CreditLine(ask)] };
            var credit = await client.V1.CreditNotes.PreviewAsync(options, request, cancellationToken);
            return Done(credit.PostPaymentAmount, credit);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<StripeCreditFacts>> CreateCreditNote(StripeAccess access, StripeCreditAsk ask, string key, CancellationToken cancellationToken) =>
        Ask(access, key, async (client, request) =>
        {
            var options = new Sdk.CreditNoteCreateOptions
            {
                Invoice = ask.StripeInvoiceId,
                Lines = [CreditLine(ask)],
                Memo = ask.Memo,
                EmailType = "none",
                Metadata = Marked("rev_credit_id", ask.CreditId),
            };
            if (ask.AfterPayment > 0) options.CreditAmount = ask.AfterPayment;
            var credit = await client.V1.CreditNotes.CreateAsync(options, request, cancellationToken);
            return Done(Facts(credit), credit);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<Uri>> PaymentSetup(
        StripeAccess access, string stripeCustomerId, string currency, Uri success, Uri cancel, string key, CancellationToken cancellationToken) =>
        Ask(access, key, async (client, request) =>
        {
            // Which sorts of payment there are is the account's own setting.
            var options = new Sdk.Checkout.SessionCreateOptions
            {
                Mode = "setup",
                Customer = stripeCustomerId,
                Currency = currency,
                SuccessUrl = success.OriginalString,
                CancelUrl = cancel.OriginalString,
                Metadata = Marked(SetupMark, "true"),
            };
            var session = await client.V1.Checkout.Sessions.CreateAsync(options, request, cancellationToken);
            return Done(new Uri(Required(session.Url), UriKind.Absolute), session);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<bool>> UsePaymentSetup(StripeAccess access, string sessionId, CancellationToken cancellationToken) =>
        Ask(access, key: null, async (client, request) =>
        {
            var session = await client.V1.Checkout.Sessions.GetAsync(sessionId, new Sdk.Checkout.SessionGetOptions { Expand = ["setup_intent"] }, request, cancellationToken);
            // The account has pages of its own, for other purposes: what is left there is not Rev's to charge.
            if (session.Mode != "setup" || Mark(session.Metadata, SetupMark) is null || session.SetupIntent?.PaymentMethodId is not { } method || session.CustomerId is not { } customer) return Done(false, session);
            // The same again comes to the same: no key is needed.
            var options = new Sdk.CustomerUpdateOptions { InvoiceSettings = new Sdk.CustomerInvoiceSettingsOptions { DefaultPaymentMethod = method } };
            return Done(true, await client.V1.Customers.UpdateAsync(customer, options, request, cancellationToken));
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<Uri>> Portal(StripeAccess access, string stripeCustomerId, Uri back, CancellationToken cancellationToken) =>
        Ask(access, key: null, async (client, request) =>
        {
            var options = new Sdk.BillingPortal.SessionCreateOptions { Customer = stripeCustomerId, ReturnUrl = back.OriginalString };
            var session = await client.V1.BillingPortal.Sessions.CreateAsync(options, request, cancellationToken);
            return Done(new Uri(Required(session.Url), UriKind.Absolute), session);
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<IReadOnlyList<StripeEventFacts>>> EventsSince(StripeAccess access, DateTimeOffset since, CancellationToken cancellationToken) =>
        All(access, newestFirst: true, async (client, after, request) =>
        {
            // Raw: an event stays in the version it was written in, which the types of another one may not fit.
            var path = $"/v1/events?limit={PageSize}&created[gte]={since.ToUnixTimeSeconds()}";
            if (after is not null) path += $"&starting_after={Uri.EscapeDataString(after)}";
            var options = new Sdk.RawRequestOptions { StripeAccount = request.StripeAccount };
            var answer = await client.RawRequestAsync(HttpMethod.Get, path, requestOptions: options, cancellationToken: cancellationToken);
            using var json = JsonDocument.Parse(answer.Content);
            var events = json.RootElement.GetProperty("data").EnumerateArray()
                .Select(item => StripeEvents.Read(item) ?? throw new FormatException("An event lacks what it must have.")).ToList();
            return new Part<StripeEventFacts>(events, events.LastOrDefault()?.Id, json.RootElement.GetProperty("has_more").GetBoolean());
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<StripeAnswer<string?>> InvoiceOfPayment(StripeAccess access, string paymentIntentId, CancellationToken cancellationToken) =>
        Ask<string?>(access, key: null, async (client, request) =>
        {
            var options = new Sdk.InvoicePaymentListOptions
            {
                Limit = 1,
                Payment = new Sdk.InvoicePaymentPaymentOptions { Type = "payment_intent", PaymentIntent = paymentIntentId },
            };
            var payments = await client.V1.InvoicePayments.ListAsync(options, request, cancellationToken);
            if (payments.Data is null) throw new FormatException("The answer is no list.");
            return Done<string?>(payments.Data.FirstOrDefault()?.InvoiceId, payments);
        }, cancellationToken);

    /// <inheritdoc/>
    public Result<StripeEventFacts> ReadEvent(string body, string? signature, IReadOnlyList<string> secrets, DateTimeOffset now) =>
        StripeEvents.Verified(body, signature, secrets, now);

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _pace?.Dispose();
    }

    internal async Task<StripeAnswer<T>> Ask<T>(
        StripeAccess access, string? key, Func<Sdk.StripeClient, Sdk.RequestOptions, Task<StripeAnswer<T>>> ask, CancellationToken cancellationToken)
    {
        if (!StripeFaults.IsSendable(access)) return StripeFaults.Unsendable<T>();
        try
        {
            Sdk.IHttpClient transport = _pace is null ? _transport : new StripePace.Client(_transport, _pace, access.ApiKey, IsLive(access));
            var client = new Sdk.StripeClient(access.ApiKey, httpClient: transport, apiBase: _apiBase);
            return await ask(client, new Sdk.RequestOptions { IdempotencyKey = key, StripeAccount = access.ConnectedAccount });
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return StripeFaults.Of<T>(exception, access, _clock.GetUtcNow());
        }
    }

    // The SDK's own paging ends without a word where a page holds nothing that it can read, and half a list is worse than none.
    internal Task<StripeAnswer<IReadOnlyList<T>>> All<T>(
        StripeAccess access, bool newestFirst, Func<Sdk.StripeClient, string?, Sdk.RequestOptions, Task<Part<T>>> read, CancellationToken cancellationToken) =>
        Ask<IReadOnlyList<T>>(access, key: null, async (client, request) =>
        {
            var all = new List<T>();
            string? after = null;
            while (true)
            {
                var part = await read(client, after, request);
                all.AddRange(part.Items);
                if (!part.HasMore) break;
                if (part.Last is null || part.Last == after) throw new FormatException("The list does not go on.");
                after = part.Last;
            }
            if (newestFirst) all.Reverse();
            return new StripeAnswer<IReadOnlyList<T>>(StripeVerdict.Applied, all);
        }, cancellationToken);

    internal static TOptions Page<TOptions>(TOptions options, string? after) where TOptions : Sdk.ListOptions
    {
        options.Limit = PageSize;
        if (after is not null) options.StartingAfter = after;
        return options;
    }

    internal static Part<TFacts> PartOf<TEntity, TFacts>(Sdk.StripeList<TEntity> list, Func<TEntity, TFacts> facts) where TEntity : class, Sdk.IHasId
    {
        if (list.Data is null) throw new FormatException("The answer is no list.");
        return new([.. list.Data.Select(facts)], list.Data.LastOrDefault()?.Id, list.HasMore);
    }

    private static StripeCustomerFacts Facts(Sdk.Customer customer, StripeAccess access)
    {
        // Of a deleted customer Stripe says no more than that.
        var deleted = customer.Deleted == true;
        var canBeCharged = customer.InvoiceSettings?.DefaultPaymentMethodId is not null || customer.DefaultSourceId is not null;
        return new(Required(customer.Id), deleted ? IsLive(access) : customer.Livemode, deleted, Mark(customer.Metadata, "rev_customer_id"), canBeCharged, At(customer.Created));
    }

    private static StripeInvoiceFacts Facts(Sdk.Invoice invoice) => new(
        Required(invoice.Id), Required(invoice.Status), invoice.CustomerId ?? "", Required(invoice.Currency), invoice.Subtotal, invoice.Total,
        Mark(invoice.Metadata, "rev_invoice_id"), invoice.Number, invoice.HostedInvoiceUrl, invoice.InvoicePdf, invoice.Livemode,
        PaymentFailed: invoice.Status is "open" or "uncollectible" && invoice.AttemptCount > 0, invoice.AmountRemaining, At(invoice.Created));

    private static StripeLineFacts Facts(Sdk.InvoiceLineItem line) =>
        new(Required(line.Id), Mark(line.Metadata, "rev_line_key"), line.Amount, Required(line.Currency));

    private static StripeCreditFacts Facts(Sdk.CreditNote credit) =>
        new(Required(credit.Id), Mark(credit.Metadata, "rev_credit_id"), credit.Amount, credit.Status == "void");

    private static Sdk.InvoiceLineOptions Line(StripeLineAsk line) => new()
    {
        Amount = line.Amount,
        Description = line.Description,
        Period = new Sdk.InvoiceLinePeriodOptions { Start = line.Service.Start.UtcDateTime, End = line.Service.End.UtcDateTime },
        Metadata = new Dictionary<string, string>(line.Metadata, StringComparer.Ordinal) { ["rev_line_key"] = line.LineKey },
    };

    private static Sdk.CreditNoteLineOptions CreditLine(StripeCreditAsk ask) => new() { Type = "invoice_line_item", InvoiceLineItem = ask.StripeLineId, Amount = ask.Amount };

    private static StripeAnswer<bool> Changed(Sdk.Invoice invoice)
    {
        Required(invoice.Id);
        return Done(true, invoice);
    }

    internal static StripeAnswer<T> Done<T>(T value, Sdk.StripeEntity answer) => new(StripeVerdict.Applied, value, RequestId: answer.StripeResponse?.RequestId);

    internal static string Required(string? text) => string.IsNullOrEmpty(text) ? throw new FormatException("The answer lacks what it must have.") : text;

    private static Dictionary<string, string> Marked(string name, string value) => new(StringComparer.Ordinal) { [name] = value };

    private static string? Mark(Dictionary<string, string>? metadata, string name) => metadata?.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    private static Sdk.DateRangeOptions Since(DateTimeOffset since) => new() { GreaterThanOrEqual = since.UtcDateTime };

    // Stripe's SDK takes an instant of no kind for local time.
    private static DateTimeOffset At(DateTime instant) => new(DateTime.SpecifyKind(instant, DateTimeKind.Utc), TimeSpan.Zero);

    private static bool IsLive(StripeAccess access) => !TestKeys.Any(start => access.ApiKey.StartsWith(start, StringComparison.Ordinal));

    internal sealed record Part<T>(IReadOnlyList<T> Items, string? Last, bool HasMore);
}
