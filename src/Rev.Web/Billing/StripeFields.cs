using System.Globalization;
using Microsoft.AspNetCore.Http;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Billing;

/// <summary>Reads the forms of the billing page to what <c>PUT /v1/stripe</c> takes: what a form does not have stays as it is.</summary>
internal static class StripeFields
{
    /// <summary>A key of the account itself, or its place on the operator's platform.</summary>
    public static Result<ConnectStripe> Key(Tenant tenant, IFormCollection form)
    {
        var (key, account) = (form.LineOrNull("api_key"), form.LineOrNull("stripe_account"));
        if (key is null && account is null) return Error.Invalid("api_key", "is required");
        return Nothing(tenant) with { ApiKey = key, StripeAccount = account };
    }

    /// <summary>The secrets that events are signed with.</summary>
    public static Result<ConnectStripe> Secrets(Tenant tenant, IFormCollection form)
    {
        var (secret, thin) = (form.LineOrNull("webhook_secret"), form.LineOrNull("thin_webhook_secret"));
        if (secret is null && thin is null) return Error.Invalid("webhook_secret", "is required");
        return Nothing(tenant) with { WebhookSecret = secret, ThinWebhookSecret = thin };
    }

    /// <summary>How to bill. The form has all of it, so that what is empty or not ticked says so.</summary>
    public static Result<ConnectStripe> Settings(Tenant tenant, IFormCollection form)
    {
        var errors = new List<FieldError>();
        var byWeek = form.LineOrNull("cycle") == "week";
        var command = Nothing(tenant) with
        {
            Mode = form.LineOrNull("mode"),
            BillingDay = byWeek ? null : Number(form, "billing_day", errors) ?? 1,
            BillingWeekday = byWeek ? form.LineOrNull("billing_weekday") : null,
            TimeZone = form.LineOrNull("time_zone") ?? "UTC",
            Collection = form.LineOrNull("collection"),
            DaysUntilDue = Number(form, "days_until_due", errors),
            AutomaticTax = form.LineOrNull("automatic_tax") == "true",
            MinimumMinor = Number(form, "minimum_minor", errors) ?? 0,
            BillFrom = Instant(form, "bill_from", errors),
        };
        return errors.Count > 0 ? Error.Invalid(errors) : command;
    }

    private static ConnectStripe Nothing(Tenant tenant) => new(tenant, null, null, null, null, null, null, null, null, null, null, null, null, null);

    private static long? Number(IFormCollection form, string name, List<FieldError> errors)
    {
        if (form.LineOrNull(name) is not { } text) return null;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return number;
        errors.Add(new(name, "must be a whole number"));
        return null;
    }

    private static DateTimeOffset? Instant(IFormCollection form, string name, List<FieldError> errors)
    {
        if (form.LineOrNull(name) is not { } text) return null;
        if (JsonFields.TryInstant(text, out var at)) return at;
        errors.Add(new(name, JsonFields.InstantRule));
        return null;
    }
}
