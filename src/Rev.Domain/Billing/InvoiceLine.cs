using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Domain.Billing;

/// <summary>One line of an invoice.</summary>
public sealed class InvoiceLine
{
    /// <summary>Longest description, in characters: what Stripe takes.</summary>
    public const int MaxDescriptionLength = 500;

    /// <summary>Length of a key, in characters.</summary>
    public const int KeyLength = 64;

    private InvoiceLine(InvoiceId invoiceId, int number, string key, string description)
    {
        InvoiceId = invoiceId;
        Number = number;
        Key = key;
        Description = description;
    }

    /// <summary>Its invoice.</summary>
    public InvoiceId InvoiceId { get; private set; }

    /// <summary>1, 2, 3…</summary>
    public int Number { get; private set; }

    /// <summary>What it is known by at Stripe: a hash of what it is for.</summary>
    public string Key { get; private set; }

    /// <summary>For the customer.</summary>
    public string Description { get; private set; }

    /// <summary>The agent; null of what is carried or stands for many.</summary>
    public string? AgentId { get; private set; }

    /// <summary>The action; null of what is carried or stands for many.</summary>
    public string? Action { get; private set; }

    /// <summary>What it is for; null of what is carried or stands for many.</summary>
    public LedgerComponent? Component { get; private set; }

    /// <summary>Calls of a base fee, tokens of a token charge, else outcomes; 0 of what stands for many.</summary>
    public long Quantity { get; private set; }

    /// <summary>Its exact sum, in nanos.</summary>
    public long ExactNanos { get; private set; }

    /// <summary>What is asked for it, in minor units.</summary>
    public long Minor { get; private set; }

    /// <summary>What credit notes gave back of it, in minor units.</summary>
    public long CreditedMinor { get; private set; }

    /// <summary>The beginning of the time in which the work was done.</summary>
    public DateTimeOffset ServiceStart { get; private set; }

    /// <summary>The end of that time.</summary>
    public DateTimeOffset ServiceEnd { get; private set; }

    /// <summary>The line at Stripe.</summary>
    public string? StripeLineId { get; private set; }

    internal static InvoiceLine Of(InvoiceId invoice, int number, DraftLine line, BillingPeriod period)
    {
        var charge = line.Charges.Count == 1 ? line.Charges[0] : null;
        var service = charge?.Key.Service ?? period;
        var named = charge is null ? (line.IsCarried ? "carried" : "others") : KeyOf(charge.Key);
        return new(invoice, number, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(named))), Describe(line, charge, period))
        {
            AgentId = charge?.Key.Agent.Value, Action = charge?.Key.Action, Component = charge?.Key.Component, Quantity = charge?.Quantity ?? 0,
            ExactNanos = (long)line.Exact.Nanos, Minor = line.Minor, ServiceStart = service.Start, ServiceEnd = service.End,
        };
    }

    internal void IsAtStripe(string id) => StripeLineId = id;

    internal void Stands(long minor) => Minor = minor;

    /// <summary>A credit note gives so much back, in minor units.</summary>
    public void Credit(long minor)
    {
        if (minor < 0 || CreditedMinor + minor > Minor) throw new ArgumentOutOfRangeException(nameof(minor), minor, "More than the line asks.");
        CreditedMinor += minor;
    }

    internal void Uncredit(long minor) => CreditedMinor -= minor;

    private static string KeyOf(ChargeKey key) => string.Create(
        CultureInfo.InvariantCulture, $"{key.Agent.Value}\n{key.Action}\n{(int)key.Component}\n{key.Tier.Value}\n{key.TierVersion}\n{key.Service.Start.UtcTicks}\n{key.Service.End.UtcTicks}");

    private static string Describe(DraftLine line, Charge? charge, BillingPeriod period)
    {
        if (line.IsCarried) return line.Minor < 0 ? "Credit carried from earlier invoices" : "Carried from earlier invoices, rounded down there";
        if (charge is null) return string.Create(CultureInfo.InvariantCulture, $"Other agents and actions ({line.Charges.Count:N0} lines of the statement)");
        if (charge.Key.Component == LedgerComponent.Adjustment)
            return string.Create(CultureInfo.InvariantCulture, $"Usage from {charge.Key.Service.Start.UtcDateTime:yyyy-MM-dd} on that came too late for the meter");
        var what = charge.Key.Component switch
        {
            LedgerComponent.Base => Many(charge.Quantity, "call", "calls"),
            LedgerComponent.Tokens => Many(charge.Quantity, "token", "tokens"),
            LedgerComponent.Outcome => Many(charge.Quantity, "outcome bonus", "outcome bonuses"),
            LedgerComponent.Reversal => Many(charge.Quantity, "outcome reversed", "outcomes reversed"),
            LedgerComponent.Adjustment => "adjustment",
        };
        var later = charge.Key.Service.Start < period.Start
            ? string.Create(CultureInfo.InvariantCulture, $" for work from {charge.Key.Service.Start.UtcDateTime:yyyy-MM-dd} on") : "";
        var text = $"{charge.Key.Agent.Value} · {charge.Key.Action} · {what}{later} · tier {charge.Key.Tier.Value} v{charge.Key.TierVersion.ToString(CultureInfo.InvariantCulture)}";
        return text.Length <= MaxDescriptionLength ? text : text[..MaxDescriptionLength];
    }

    private static string Many(long quantity, string one, string many) =>
        string.Create(CultureInfo.InvariantCulture, $"{quantity:N0} {(quantity == 1 ? one : many)}");
}

/// <summary>What a line sums: all of one price.</summary>
public sealed class InvoiceCharge
{
    private InvoiceCharge(InvoiceId invoiceId, int number, int lineNumber)
    {
        InvoiceId = invoiceId;
        Number = number;
        LineNumber = lineNumber;
    }

    /// <summary>Its invoice.</summary>
    public InvoiceId InvoiceId { get; private set; }

    /// <summary>1, 2, 3…</summary>
    public int Number { get; private set; }

    /// <summary>The line that sums it; 0 when nothing was asked for.</summary>
    public int LineNumber { get; private set; }

    /// <summary>Who did it.</summary>
    public string AgentId { get; private set; } = "";

    /// <summary>What it did.</summary>
    public string Action { get; private set; } = "";

    /// <summary>Which part of the price.</summary>
    public LedgerComponent Component { get; private set; }

    /// <summary>The price list.</summary>
    public string TierKey { get; private set; } = "";

    /// <summary>Its version.</summary>
    public int TierVersion { get; private set; }

    /// <summary>The beginning of the time in which the work was done.</summary>
    public DateTimeOffset ServiceStart { get; private set; }

    /// <summary>The end of that time.</summary>
    public DateTimeOffset ServiceEnd { get; private set; }

    /// <summary>Calls of a base fee, tokens of a token charge, else outcomes.</summary>
    public long Quantity { get; private set; }

    /// <summary>Its sum, in nanos.</summary>
    public long ExactNanos { get; private set; }

    /// <summary>Whether it does not stand on this invoice: it is on a later one, or will be.</summary>
    public bool IsFree { get; private set; }

    /// <summary>The later invoice that took it over.</summary>
    public InvoiceId? MovedTo { get; private set; }

    internal static InvoiceCharge Of(InvoiceId invoice, int number, int line, Charge charge) => new(invoice, number, line)
    {
        AgentId = charge.Key.Agent.Value, Action = charge.Key.Action, Component = charge.Key.Component, TierKey = charge.Key.Tier.Value, TierVersion = charge.Key.TierVersion,
        ServiceStart = charge.Key.Service.Start, ServiceEnd = charge.Key.Service.End, Quantity = charge.Quantity, ExactNanos = (long)charge.Exact.Nanos,
    };

    internal void Free() => IsFree = true;

    internal void Move(InvoiceId to) => MovedTo = to;

    /// <summary>As pricing said it.</summary>
    public Charge ToCharge() => new(
        new(new(AgentId), Action, Component, new(TierKey), TierVersion, new(ServiceStart, ServiceEnd)), Quantity, new(ExactNanos));
}
