using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Rev.Client.Json;

/// <summary>Amounts and rates: decimal strings out, strings or numbers in.</summary>
internal sealed class DecimalConverter : JsonConverter<decimal>
{
    public override decimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number) return reader.GetDecimal();
        if (reader.TokenType == JsonTokenType.String
            && decimal.TryParse(reader.GetString(), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)) return value;
        throw new JsonException("A decimal string was expected.");
    }

    public override void Write(Utf8JsonWriter writer, decimal value, JsonSerializerOptions options) => writer.WriteStringValue(Wire.Format(value));
}

/// <summary>Instants: RFC 3339 in UTC.</summary>
internal sealed class InstantConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(Wire.Format(value));
}

/// <summary>Durations: ISO 8601.</summary>
internal sealed class DurationConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Wire.TryParse(reader.GetString() ?? "", out var value)
            ? value
            : throw new JsonException("A duration such as P7D was expected.");

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(Wire.Format(value));
}

/// <summary>An enum by its names on the wire. A name that this version does not know is the enum's Unknown.</summary>
internal abstract class NameConverter<T>(params (T Value, string Name)[] names) : JsonConverter<T>
    where T : struct, Enum
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String) throw new JsonException("A name was expected.");
        var text = reader.GetString();
        foreach (var (value, name) in names)
        {
            if (string.Equals(name, text, StringComparison.Ordinal)) return value;
        }
        return default;
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(NameOf(value));

    /// <summary>The name on the wire.</summary>
    public string NameOf(T value)
    {
        foreach (var (known, name) in names)
        {
            if (EqualityComparer<T>.Default.Equals(known, value)) return name;
        }
        throw new ArgumentOutOfRangeException(nameof(value), value, "This value is not sent.");
    }
}

/// <summary>success, failure, pending.</summary>
internal sealed class OutcomeConverter() : NameConverter<Outcome>((Outcome.Success, "success"), (Outcome.Failure, "failure"), (Outcome.Pending, "pending"))
{
    public static readonly OutcomeConverter Instance = new();
}

/// <summary>The statuses of outcomes.</summary>
internal sealed class OutcomeStatusConverter() : NameConverter<OutcomeStatus>(
    (OutcomeStatus.Pending, "pending"), (OutcomeStatus.InReview, "in_review"), (OutcomeStatus.Succeeded, "succeeded"),
    (OutcomeStatus.Failed, "failed"), (OutcomeStatus.Expired, "expired"), (OutcomeStatus.Reversed, "reversed"))
{
    public static readonly OutcomeStatusConverter Instance = new();
}

/// <summary>What an amount is for.</summary>
internal sealed class LedgerComponentConverter() : NameConverter<LedgerComponent>(
    (LedgerComponent.Base, "base"), (LedgerComponent.Tokens, "tokens"), (LedgerComponent.Outcome, "outcome"),
    (LedgerComponent.Reversal, "reversal"), (LedgerComponent.Adjustment, "adjustment"));

/// <summary>A field, or a field and its scope.</summary>
internal sealed class OneBonusPerConverter : JsonConverter<OneBonusPer>
{
    public override OneBonusPer Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String) return new OneBonusPer(reader.GetString() ?? "");
        using var document = JsonDocument.ParseValue(ref reader);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("field", out var field)) throw new JsonException("A field was expected.");
        var scope = root.TryGetProperty("scope", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
        return new OneBonusPer(field.GetString() ?? "", scope);
    }

    public override void Write(Utf8JsonWriter writer, OneBonusPer value, JsonSerializerOptions options)
    {
        if (value.Scope is not { } scope)
        {
            writer.WriteStringValue(value.Field);
            return;
        }
        writer.WriteStartObject();
        writer.WriteString("field", value.Field);
        writer.WriteString("scope", scope);
        writer.WriteEndObject();
    }
}
