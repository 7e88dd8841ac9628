using System.Text.Json;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Api.Billing;

/// <summary>How to connect to Stripe, and how to bill: what is absent stays as it is, or is as by default.</summary>
/// <param name="ApiKey">A restricted key of your Stripe account: rk_live_… or rk_test_…, of the mode of your API key. A full secret key is taken too, with a warning. The first time it is required.</param>
/// <param name="StripeAccount">Instead of api_key, where the operator of this Rev offers Stripe Connect: your account, acct_…, once the operator assigned it to you.</param>
/// <param name="WebhookSecret">The signing secret of the webhook endpoint that you made for webhook_url: whsec_…. The one before is taken for three days more.</param>
/// <param name="ThinWebhookSecret">The signing secret of the endpoint for thin events, which only mode meters needs.</param>
/// <param name="Mode">invoices: Rev makes the invoices, line by line. meters: Rev reports usage to a billing meter. By default invoices.</param>
/// <param name="BillingDay">Periods are months that begin on this day, 1 to 28. By default 1.</param>
/// <param name="BillingWeekday">Periods are weeks that begin on this day.</param>
/// <param name="TimeZone">Where the day begins at midnight: a name of the IANA database. By default UTC.</param>
/// <param name="Collection">Whether the customer's payment method is charged, or the invoice is sent. By default charge_automatically.</param>
/// <param name="DaysUntilDue">In how many days a sent invoice is to be paid, 1 to 365. By default 30.</param>
/// <param name="AutomaticTax">Whether Stripe computes tax. By default false.</param>
/// <param name="MinimumMinor">The least that is asked for, in minor units (cents), 0 to 99999999; what is less waits for the next period. 0, and by default, is Stripe's own minimum of the currency.</param>
/// <param name="BillFrom">From when on charges are billed. By default the start of the period in which you connect.</param>
internal sealed record StripeRequest(
    string? ApiKey, string? StripeAccount, string? WebhookSecret, string? ThinWebhookSecret, BillingMode? Mode, int? BillingDay, DayOfWeek? BillingWeekday, string? TimeZone,
    CollectionMethod? Collection, int? DaysUntilDue, bool? AutomaticTax, long? MinimumMinor, DateTimeOffset? BillFrom)
{
    public static Func<Tenant, ConnectStripe> Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(
            body, "", errors, "api_key", "stripe_account", "webhook_secret", "thin_webhook_secret", "mode", "billing_day", "billing_weekday", "time_zone", "collection",
            "days_until_due", "automatic_tax", "minimum_minor", "bill_from");
        var (key, account) = (fields.Text("api_key"), fields.Text("stripe_account"));
        var (secret, thin) = (fields.Text("webhook_secret"), fields.Text("thin_webhook_secret"));
        var (mode, collection) = (fields.Text("mode"), fields.Text("collection"));
        var (day, weekday, zone) = (fields.Integer("billing_day"), fields.Text("billing_weekday"), fields.Text("time_zone"));
        var (due, tax, minimum, from) = (fields.Integer("days_until_due"), fields.Flag("automatic_tax"), fields.Integer("minimum_minor"), fields.Instant("bill_from"));
        return tenant => new(tenant, key, account, secret, thin, mode, day, weekday, zone, collection, due, tax, minimum, from);
    }
}

/// <summary>Where Stripe sends the customer on to.</summary>
/// <param name="SuccessUrl">After a payment method was left; by default this Rev.</param>
/// <param name="CancelUrl">When the customer turns back; by default the same.</param>
/// <param name="Currency">In which the customer is to pay, a lower-case ISO 4217 code; by default the account's. It decides which payment methods are offered.</param>
internal sealed record PaymentSetupRequest(string? SuccessUrl, string? CancelUrl, string? Currency)
{
    public static Func<Tenant, string, SetUpPayment> Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "success_url", "cancel_url", "currency");
        var (success, cancel, currency) = (fields.Text("success_url"), fields.Text("cancel_url"), fields.Text("currency"));
        return (tenant, customer) => new(tenant, customer, success, cancel, currency);
    }
}

/// <summary>Where Stripe leads the customer back to.</summary>
/// <param name="ReturnUrl">By default this Rev.</param>
internal sealed record PortalRequest(string? ReturnUrl)
{
    public static Func<Tenant, string, OpenPortal> Read(JsonElement body, List<FieldError> errors)
    {
        var back = JsonFields.Of(body, "", errors, "return_url").Text("return_url");
        return (tenant, customer) => new(tenant, customer, back);
    }
}
