using System.Globalization;
using Rev.Application.Billing;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Billing;

/// <summary>How billing is told on the pages: the words of the API, and what they mean.</summary>
internal static class BillingText
{
    /// <summary>How Stripe is told what customers owe.</summary>
    public static readonly (string Value, string Text)[] Modes =
        [("invoices", "Rev makes the invoices, line by line"), ("meters", "Rev reports usage to a billing meter")];

    /// <summary>How long a period is.</summary>
    public static readonly (string Value, string Text)[] Cycles = [("month", "A month"), ("week", "A week")];

    /// <summary>The days of the week.</summary>
    public static readonly (string Value, string Text)[] Weekdays =
        [.. ConnectStripe.Weekdays.Select(day => (day, Sentences.Capital(day)))];

    /// <summary>How invoices are collected.</summary>
    public static readonly (string Value, string Text)[] Collections =
        [("charge_automatically", "The customer's payment method is charged"), ("send_invoice", "The invoice is sent, to be paid in some days")];

    /// <summary>The states that invoices are listed by; the first is any.</summary>
    public static readonly (string Value, string Text)[] Statuses =
        [("", "Any"), .. Enum.GetValues<InvoiceStatus>().Select(status => (WireText.Of(status), WireText.Of(status).Replace('_', ' ')))];

    /// <summary>What the key must be allowed at Stripe.</summary>
    public const string Permissions =
        "Write: Customers, Invoices, Credit notes, Checkout Sessions, Customer portal. Read: Charges, Disputes, PaymentIntents, Events. For meters also write: Meters, Meter events.";

    /// <summary>A whole number without groups, as a field takes it.</summary>
    public static string Whole(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>When periods begin.</summary>
    public static string Cycle(StripeConnectionDetails connection) => connection.BillingWeekday is { } day
        ? $"Weeks that begin on {day}, at midnight of {connection.TimeZone}"
        : string.Create(CultureInfo.InvariantCulture, $"Months that begin on day {connection.BillingDay ?? 1}, at midnight of {connection.TimeZone}");

    /// <summary>How invoices are collected.</summary>
    public static string Collection(StripeConnectionDetails connection) => connection.Collection switch
    {
        CollectionMethod.ChargeAutomatically => "The customer's payment method is charged; whoever left none is sent the invoice",
        CollectionMethod.SendInvoice => string.Create(CultureInfo.InvariantCulture, $"Invoices are sent, to be paid in {connection.DaysUntilDue} days"),
    };

    /// <summary>Where an invoice is on its way.</summary>
    public static string Meaning(InvoiceStatus status) => status switch
    {
        InvoiceStatus.Computed => "Its lines are known; nothing is at Stripe yet.",
        InvoiceStatus.Drafted => "A draft is at Stripe; it is finalised once its lines equal Rev's.",
        InvoiceStatus.Open => "It was finalised: the customer is asked to pay.",
        InvoiceStatus.PastDue => "A payment was tried and failed; Stripe tries again.",
        InvoiceStatus.Paid => "It was paid.",
        InvoiceStatus.Uncollectible => "It was given up at Stripe.",
        InvoiceStatus.Void => "It was voided at Stripe: its charges go to the next invoice.",
        InvoiceStatus.Carried => "More was taken back than charged: nothing is asked for, the sum is taken off the next invoice.",
        InvoiceStatus.Released => "Its draft was deleted at Stripe: its charges go to the next invoice.",
    };

    /// <summary>What becomes of the charges of a period that runs.</summary>
    public static string Meaning(DraftVerdict verdict) => verdict switch
    {
        DraftVerdict.Invoiced => "It would be asked for.",
        DraftVerdict.Deferred => "It is less than the least that is collected: it waits for the next period.",
        DraftVerdict.Credited => "More was taken back than charged: nothing would be asked for, the sum would be carried.",
    };

    /// <summary>Decimals that an amount of a currency has on an invoice.</summary>
    public static int Decimals(string currency) => Currency.Parse(currency).MinorDigits;

    /// <summary>An amount in minor units as exact text in major ones.</summary>
    public static string Major(long minor, string currency) => new Total((Int128)minor * InvoiceDraft.NanosPerMinor(Currency.Parse(currency))).ToString();

    /// <summary>An address at Stripe that may be led to; null for any other.</summary>
    public static string? AtStripe(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps && address.IsDefaultPort && address.UserInfo.Length == 0
            && (address.Host == "stripe.com" || address.Host.EndsWith(".stripe.com", StringComparison.Ordinal))
            ? address.AbsoluteUri : null;
}
