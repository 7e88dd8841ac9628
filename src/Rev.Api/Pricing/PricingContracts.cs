using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Api.Pricing;

/// <summary>What a tier says. Only the name is required.</summary>
/// <param name="Name">For people, 1 to 200 characters.</param>
/// <param name="Currency">Lower-case ISO 4217 code with a minor unit; default the account's.</param>
/// <param name="BaseFee">Per call, in major units; 0 to 10⁶; default 0.</param>
/// <param name="TokenRates">Per million tokens; default 0.</param>
/// <param name="OutcomeBonuses">At most 32, tried in order on success; the first that matches is charged.</param>
/// <param name="Pending">Clocks and fallback of pending outcomes.</param>
/// <param name="ReviewWindow">How long a success waits before it is charged, PT0S to P365D; default PT0S.</param>
/// <param name="ReversalWindow">How long after its charge a success can be taken back, PT0S to P3650D; default P30D.</param>
/// <param name="OneBonusPer">At most one bonus per value of this field, within one customer: null, a field's name, or field and scope.</param>
internal record TierRequest(
    [property: Required] string? Name, string? Currency, decimal? BaseFee, TierTokenRates? TokenRates, IReadOnlyList<TierBonus>? OutcomeBonuses,
    TierPending? Pending, TimeSpan? ReviewWindow, TimeSpan? ReversalWindow, TierOneBonusPer? OneBonusPer);

/// <summary>Rates in major units per million tokens, 0 to 10⁶, at most six decimals.</summary>
/// <param name="InputPerMillion">Per million input tokens.</param>
/// <param name="OutputPerMillion">Per million output tokens.</param>
/// <param name="Models">At most 64. A key may end in a star; the longest match wins, an exact name before a star.</param>
internal sealed record TierTokenRates(decimal? InputPerMillion, decimal? OutputPerMillion, IReadOnlyDictionary<string, TierModelRate>? Models);

/// <summary>The rates of one model; both are required.</summary>
internal sealed record TierModelRate([property: Required] decimal? InputPerMillion, [property: Required] decimal? OutputPerMillion);

/// <summary>One bonus: an amount, or a percentage of a fact.</summary>
/// <param name="Name">For people; shown with the charge.</param>
/// <param name="Action">Which actions; a star is any run of characters. Absent is any.</param>
/// <param name="When">On which facts. Absent is always.</param>
/// <param name="Amount">A fixed amount, in major units, 0 to 10⁶.</param>
/// <param name="Percent">Instead of amount: a share, 0 to 100, at most four decimals.</param>
/// <param name="Of">With percent: of which fact.</param>
/// <param name="MaxAmount">With percent: the most that it pays.</param>
internal sealed record TierBonus(
    [property: Required] string? Name, string? Action, TierCondition? When, decimal? Amount, decimal? Percent, string? Of, decimal? MaxAmount);

/// <summary>Exactly one of all, any, not, or a leaf of field, op and value. At most 8 levels and 64 leaves.</summary>
/// <param name="All">Every one of these holds.</param>
/// <param name="Any">At least one of these holds.</param>
/// <param name="Not">This does not hold.</param>
/// <param name="Field">action, agent_id, customer_id, model, tokens_input, tokens_output, or metadata. and a dotted path.</param>
/// <param name="Op">eq, ne, gt, gte, lt, lte, in, not_in, exists, not_exists, contains, starts_with or ends_with.</param>
/// <param name="Value">A number, string, boolean, null, or for in and not_in a list of them.</param>
internal sealed record TierCondition(
    IReadOnlyList<TierCondition>? All, IReadOnlyList<TierCondition>? Any, TierCondition? Not, string? Field, string? Op, JsonElement? Value);

/// <summary>Clocks and fallback of pending outcomes.</summary>
/// <param name="ExpiresAfter">How long an outcome may be pending when the call does not say, PT1S to P365D; default P7D.</param>
/// <param name="OnExpiry">What an expiry charges.</param>
internal sealed record TierPending(TimeSpan? ExpiresAfter, TierOnExpiry? OnExpiry);

/// <summary>What an expiry charges.</summary>
/// <param name="Bonus">none (the default), as_success (the rules on what is known) or fixed.</param>
/// <param name="Amount">With fixed: the amount, in major units.</param>
internal sealed record TierOnExpiry(string? Bonus, decimal? Amount);

/// <summary>At most one bonus per value of a field.</summary>
/// <param name="Field">The field, such as metadata.ticket_id.</param>
/// <param name="Scope">agent (the default) or account.</param>
internal sealed record TierOneBonusPer([property: Required] string? Field, string? Scope);

/// <summary>A tier at one of its versions. Every member is filled.</summary>
/// <param name="Key">The tier's key.</param>
/// <param name="Version">The version's number, from 1.</param>
/// <param name="CreatedAt">When this version was made.</param>
/// <param name="ArchivedAt">When the tier was archived; null while in use.</param>
internal sealed record TierAnswer(
    string Key, int Version, string? Name, string? Currency, decimal? BaseFee, TierTokenRates? TokenRates, IReadOnlyList<TierBonus>? OutcomeBonuses,
    TierPending? Pending, TimeSpan? ReviewWindow, TimeSpan? ReversalWindow, TierOneBonusPer? OneBonusPer, DateTimeOffset CreatedAt, DateTimeOffset? ArchivedAt);

/// <summary>Where to carry a tier.</summary>
/// <param name="Mode">live.</param>
internal sealed record CopyTierRequest([property: Required] string? Mode)
{
    public static CopyTierRequest Read(JsonElement body, List<FieldError> errors) => new(JsonFields.Of(body, "", errors, "mode").Text("mode"));
}

/// <summary>The month to simulate.</summary>
/// <param name="Tier">A tier as in PUT /v1/tiers/{key}, or with a key the key of one of the account's.</param>
/// <param name="CallsPerMonth">0 to 10⁹.</param>
/// <param name="TokensInput">Input tokens of a call; default 0.</param>
/// <param name="TokensOutput">Output tokens of a call; default 0.</param>
/// <param name="Model">The model, for rates per model.</param>
/// <param name="SuccessRate">Which part of the calls that do not expire succeeds, 0 to 1; default 1.</param>
/// <param name="PendingRate">Which part of the calls is pending at first, 0 to 1; default 0.</param>
/// <param name="ExpiryRate">Which part of the pending ones expires, 0 to 1; default 0.</param>
/// <param name="Bonuses">How often a success earns which bonus. Default: every success earns the first bonus without a condition.</param>
/// <param name="Compare">Other ways to charge, to compare with.</param>
internal sealed record SimulationRequest(
    [property: Required] TierRequest? Tier, [property: Required] long? CallsPerMonth, long? TokensInput, long? TokensOutput, string? Model,
    decimal? SuccessRate, decimal? PendingRate, decimal? ExpiryRate, IReadOnlyList<SimulatedBonusRequest>? Bonuses, SimulatedCompareRequest? Compare)
{
    public static Func<Caller?, SimulatePricing> Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors,
            "tier", "calls_per_month", "tokens_input", "tokens_output", "model", "success_rate", "pending_rate", "expiry_rate", "bonuses", "compare");
        var (spec, key) = ReadTier(fields, errors);
        var (calls, input, output) = (fields.Integer("calls_per_month"), fields.Integer("tokens_input"), fields.Integer("tokens_output"));
        var model = fields.Text("model");
        var (success, pending, expiry) = (Rate(fields, "success_rate"), Rate(fields, "pending_rate"), Rate(fields, "expiry_rate"));
        var bonuses = fields.List("bonuses", TierTerms.MaxBonuses)?.Select(b => ReadBonus(b.Element, b.Path, errors)).ToArray();
        var compare = fields.Object("compare", "flat_per_call", "seat_price", "seats") is { } other
            ? new SimulatedCompare(other.Decimal("flat_per_call", Money.Decimals), other.Decimal("seat_price", Money.Decimals), other.Integer("seats"))
            : null;
        return caller => new(caller?.Tenant, spec, key, calls, input ?? 0, output ?? 0, model, success, pending, expiry, bonuses, compare);
    }

    internal static (TierSpec? Spec, string? Key) ReadTier(JsonFields fields, List<FieldError> errors) => fields["tier"].ValueKind switch
    {
        JsonValueKind.Undefined => (null, null),
        JsonValueKind.String => (null, fields.Text("tier")),
        _ => (TierJson.Read(fields["tier"], "tier", errors), null),
    };

    private static SimulatedBonus ReadBonus(JsonElement element, string path, List<FieldError> errors)
    {
        var bonus = JsonFields.Of(element, path, errors, "name", "share", "value");
        return new(bonus.Text("name"), Rate(bonus, "share"), bonus.Decimal("value", Money.Decimals));
    }

    private static decimal? Rate(JsonFields fields, string name) => fields.Decimal(name, SimulatePricing.RateDecimals);
}

/// <summary>How often a success earns a bonus of the tier.</summary>
/// <param name="Name">The bonus, by its name in the tier.</param>
/// <param name="Share">Which part of the successes it pays, 0 to 1.</param>
/// <param name="Value">The mean of what a percentage is taken of.</param>
internal sealed record SimulatedBonusRequest([property: Required] string? Name, [property: Required] decimal? Share, decimal? Value);

/// <summary>Other ways to charge: a flat price per call, or seats per month.</summary>
internal sealed record SimulatedCompareRequest(decimal? FlatPerCall, decimal? SeatPrice, long? Seats);
