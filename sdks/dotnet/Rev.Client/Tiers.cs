using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Rev.Client.Json;

namespace Rev.Client;

/// <summary>A price list. Only the name is required.</summary>
public record TierDefinition
{
    /// <summary>For people.</summary>
    public required string Name { get; init; }

    /// <summary>Lower-case ISO 4217; default the account's.</summary>
    public string? Currency { get; init; }

    /// <summary>Per call, in major units.</summary>
    public decimal? BaseFee { get; init; }

    /// <summary>Per million tokens.</summary>
    public TierTokenRates? TokenRates { get; init; }

    /// <summary>Tried in order on success; the first that matches is charged.</summary>
    public IReadOnlyList<TierBonus>? OutcomeBonuses { get; init; }

    /// <summary>Clocks and fallback of pending outcomes.</summary>
    public TierPending? Pending { get; init; }

    /// <summary>How long a success waits before it is charged.</summary>
    public TimeSpan? ReviewWindow { get; init; }

    /// <summary>How long after its charge a success can be taken back.</summary>
    public TimeSpan? ReversalWindow { get; init; }

    /// <summary>At most one bonus per value of a field.</summary>
    public OneBonusPer? OneBonusPer { get; init; }
}

/// <summary>A tier at one of its versions.</summary>
public sealed record Tier : TierDefinition
{
    /// <summary>The tier's key.</summary>
    public string Key { get; init; } = "";

    /// <summary>The version's number, from 1.</summary>
    public int Version { get; init; }

    /// <summary>When this version was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the tier was archived; null while in use.</summary>
    public DateTimeOffset? ArchivedAt { get; init; }
}

/// <summary>Rates in major units per million tokens.</summary>
public sealed record TierTokenRates
{
    /// <summary>Per million input tokens.</summary>
    public decimal? InputPerMillion { get; init; }

    /// <summary>Per million output tokens.</summary>
    public decimal? OutputPerMillion { get; init; }

    /// <summary>By model. A key may end in a star; the longest match wins.</summary>
    public IReadOnlyDictionary<string, TierModelRate>? Models { get; init; }
}

/// <summary>The rates of one model.</summary>
public sealed record TierModelRate
{
    /// <summary>Per million input tokens.</summary>
    public required decimal InputPerMillion { get; init; }

    /// <summary>Per million output tokens.</summary>
    public required decimal OutputPerMillion { get; init; }
}

/// <summary>One bonus: an amount, or a percentage of a fact.</summary>
public sealed record TierBonus
{
    /// <summary>For people; shown with the charge.</summary>
    public required string Name { get; init; }

    /// <summary>Which actions; a star is any run of characters. Null is any.</summary>
    public string? Action { get; init; }

    /// <summary>On which facts. Null is always.</summary>
    public TierCondition? When { get; init; }

    /// <summary>A fixed amount.</summary>
    public decimal? Amount { get; init; }

    /// <summary>Instead of <see cref="Amount"/>: a share, 0 to 100.</summary>
    public decimal? Percent { get; init; }

    /// <summary>With <see cref="Percent"/>: of which fact.</summary>
    public string? Of { get; init; }

    /// <summary>With <see cref="Percent"/>: the most that it pays.</summary>
    public decimal? MaxAmount { get; init; }
}

/// <summary>Exactly one of all, any, not, or a comparison of a field.</summary>
public sealed record TierCondition
{
    /// <summary>Every one of these holds.</summary>
    public IReadOnlyList<TierCondition>? All { get; init; }

    /// <summary>At least one of these holds.</summary>
    public IReadOnlyList<TierCondition>? Any { get; init; }

    /// <summary>This does not hold.</summary>
    public TierCondition? Not { get; init; }

    /// <summary><c>action</c>, <c>agent_id</c>, <c>customer_id</c>, <c>model</c>, <c>tokens_input</c>, <c>tokens_output</c>, or <c>metadata.</c> and a dotted path.</summary>
    public string? Field { get; init; }

    /// <summary><c>eq ne gt gte lt lte in not_in exists not_exists contains starts_with ends_with</c>.</summary>
    public string? Op { get; init; }

    /// <summary>What to compare with.</summary>
    public JsonNode? Value { get; init; }

    /// <summary>A comparison: <c>TierCondition.Where("metadata.reply_received", "eq", true)</c>.</summary>
    public static TierCondition Where(string field, string op, JsonNode? value = null) => new() { Field = field, Op = op, Value = value };
}

/// <summary>Clocks and fallback of pending outcomes.</summary>
public sealed record TierPending
{
    /// <summary>How long an outcome may be pending when the call does not say.</summary>
    public TimeSpan? ExpiresAfter { get; init; }

    /// <summary>What an expiry charges.</summary>
    public TierOnExpiry? OnExpiry { get; init; }
}

/// <summary>What an expiry charges.</summary>
public sealed record TierOnExpiry
{
    /// <summary><c>none</c>, <c>as_success</c> or <c>fixed</c>.</summary>
    public string? Bonus { get; init; }

    /// <summary>With <c>fixed</c>: the amount.</summary>
    public decimal? Amount { get; init; }
}

/// <summary>At most one bonus per value of a field.</summary>
/// <param name="Field">The field, such as <c>metadata.ticket_id</c>.</param>
/// <param name="Scope"><c>agent</c> (the default) or <c>account</c>.</param>
[JsonConverter(typeof(OneBonusPerConverter))]
public sealed record OneBonusPer(string Field, string? Scope = null);
