using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Domain.Webhooks;

/// <summary>What of a call a payload names.</summary>
public enum EventKey
{
    /// <summary>A field of its metadata.</summary>
    Metadata,
    /// <summary>Its id.</summary>
    EventId,
    /// <summary>The id of its outcome.</summary>
    OutcomeId,
    /// <summary>The idempotency key that it was metered with.</summary>
    IdempotencyKey,
}

/// <summary>The field of calls that a resolver looks a payload's value up in.</summary>
public sealed record EventField
{
    /// <summary>The rule that <see cref="TryParse"/> holds a text to.</summary>
    public const string Rule = "must be event_id, outcome_id, idempotency_key, or metadata. and a dotted path without control characters";

    private EventField(string name, EventKey key, FactField? metadata)
    {
        Name = name;
        Key = key;
        Metadata = metadata;
    }

    /// <summary>As written.</summary>
    public string Name { get; }

    /// <summary>What it names.</summary>
    public EventKey Key { get; }

    /// <summary>The field of the metadata; null for the others.</summary>
    public FactField? Metadata { get; }

    /// <summary>Whether a payload can name a call that is not there yet: an id is known to nobody before its call was answered.</summary>
    public bool CanComeEarly => Key is EventKey.Metadata or EventKey.IdempotencyKey;

    /// <summary>16 bytes of SHA-256 over its name.</summary>
    public UInt128 Hash => Hashed(Name);

    /// <summary>Reads a name.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out EventField? field)
    {
        field = text switch
        {
            "event_id" => new(text, EventKey.EventId, null),
            "outcome_id" => new(text, EventKey.OutcomeId, null),
            "idempotency_key" => new(text, EventKey.IdempotencyKey, null),
            // It stands in a column of its own, where PostgreSQL takes no NUL.
            _ => FactField.TryParse(text, out var fact) && fact.IsMetadata && !fact.Name.Any(char.IsControl) ? new(fact.Name, EventKey.Metadata, fact) : null,
        };
        return field is not null;
    }

    /// <summary>The hash of a call's value in its metadata; null when it has none that can be looked up.</summary>
    public UInt128? ValueOf(CallFacts facts) => Metadata is { } field && TextOf(facts[field]) is { } text ? Hashed(text) : null;

    /// <summary>The text by which values are compared: a string as it is, a number without trailing zeros, so that 7, 7.0 and "7" are one. Null for all else.</summary>
    public static string? TextOf(FactValue value) => value.Type switch
    {
        FactType.String => value.Text is { Length: > 0 } text ? text : null,
        FactType.Number => FactValue.Normalized(value.Number).ToString(CultureInfo.InvariantCulture),
        FactType.Missing or FactType.Null or FactType.Boolean or FactType.Array or FactType.Other => null,
    };

    /// <summary>16 bytes of SHA-256 over a text.</summary>
    public static UInt128 Hashed(string text) => UlidText.FromBytes(SHA256.HashData(Encoding.UTF8.GetBytes(text))[..16]);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
