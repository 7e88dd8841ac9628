using System.Globalization;
using System.Text;
using System.Text.Json;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Application.Pricing;

/// <summary>Tiers as JSON: the same text on the wire and in the store.</summary>
public static class TierJson
{
    /// <summary>Reads a tier; complaints name members by their path.</summary>
    public static TierSpec Read(JsonElement element, string path, List<FieldError> errors)
    {
        var tier = JsonFields.Of(element, path, errors,
            "name", "currency", "base_fee", "token_rates", "outcome_bonuses", "pending", "review_window", "reversal_window", "one_bonus_per");
        return new()
        {
            Name = tier.Text("name"),
            Currency = tier.Text("currency"),
            BaseFee = tier.Decimal("base_fee", Money.Decimals),
            TokenRates = ReadRates(tier),
            OutcomeBonuses = tier.List("outcome_bonuses", TierTerms.MaxBonuses)?.Select(b => ReadBonus(b.Element, b.Path, errors)).ToArray(),
            Pending = ReadPending(tier),
            ReviewWindow = tier.Duration("review_window"),
            ReversalWindow = tier.Duration("reversal_window"),
            OneBonusPer = ReadOneBonusPer(tier),
        };
    }

    /// <summary>Writes the members of terms into an object that is open.</summary>
    public static void WriteMembers(Utf8JsonWriter writer, TierTerms terms)
    {
        var spec = TierSpec.Of(terms);
        writer.WriteString("name", spec.Name);
        writer.WriteString("currency", spec.Currency);
        Write(writer, "base_fee", spec.BaseFee);
        writer.WriteStartObject("token_rates");
        Write(writer, "input_per_million", spec.TokenRates!.InputPerMillion);
        Write(writer, "output_per_million", spec.TokenRates.OutputPerMillion);
        writer.WriteStartObject("models");
        foreach (var model in spec.TokenRates.Models!)
        {
            writer.WriteStartObject(model.Model);
            Write(writer, "input_per_million", model.InputPerMillion);
            Write(writer, "output_per_million", model.OutputPerMillion);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteStartArray("outcome_bonuses");
        foreach (var bonus in spec.OutcomeBonuses!) Write(writer, bonus);
        writer.WriteEndArray();
        writer.WriteStartObject("pending");
        writer.WriteString("expires_after", Iso8601.Format(spec.Pending!.ExpiresAfter!.Value));
        writer.WriteStartObject("on_expiry");
        writer.WriteString("bonus", spec.Pending.OnExpiry!.Bonus);
        Write(writer, "amount", spec.Pending.OnExpiry.Amount);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteString("review_window", Iso8601.Format(spec.ReviewWindow!.Value));
        writer.WriteString("reversal_window", Iso8601.Format(spec.ReversalWindow!.Value));
        writer.WritePropertyName("one_bonus_per");
        if (spec.OneBonusPer is not { } per) writer.WriteNullValue();
        else if (per.Scope == "agent") writer.WriteStringValue(per.Field);
        else
        {
            writer.WriteStartObject();
            writer.WriteString("field", per.Field);
            writer.WriteString("scope", per.Scope);
            writer.WriteEndObject();
        }
    }

    /// <summary>The text that is stored.</summary>
    public static string ToText(TierTerms terms)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonText.Compact))
        {
            writer.WriteStartObject();
            WriteMembers(writer, terms);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The terms of a stored text.</summary>
    /// <exception cref="InvalidOperationException">The store holds something that is no tier.</exception>
    public static TierTerms FromText(string text)
    {
        using var document = JsonDocument.Parse(text);
        var errors = new List<FieldError>();
        var spec = Read(document.RootElement, "", errors);
        if (errors.Count > 0) throw new InvalidOperationException($"A stored tier cannot be read: {errors[0].Field} {errors[0].Message}.");
        return spec.ToTerms(Currency.Parse(spec.Currency!));
    }

    private static void Write(Utf8JsonWriter writer, BonusSpec bonus)
    {
        writer.WriteStartObject();
        writer.WriteString("name", bonus.Name);
        if (bonus.Action is not null) writer.WriteString("action", bonus.Action);
        if (bonus.When is not null)
        {
            writer.WritePropertyName("when");
            ConditionJson.Write(writer, bonus.When);
        }
        Write(writer, "amount", bonus.Amount);
        Write(writer, "percent", bonus.Percent);
        if (bonus.Of is not null) writer.WriteString("of", bonus.Of);
        Write(writer, "max_amount", bonus.MaxAmount);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, decimal? value)
    {
        if (value is { } number) writer.WriteString(name, FactValue.Normalized(number).ToString(CultureInfo.InvariantCulture));
    }

    private static TokenRatesSpec? ReadRates(JsonFields tier)
    {
        if (tier.Object("token_rates", "input_per_million", "output_per_million", "models") is not { } rates) return null;
        return new()
        {
            InputPerMillion = rates.Decimal("input_per_million", Rate.Decimals),
            OutputPerMillion = rates.Decimal("output_per_million", Rate.Decimals),
            Models = ReadModels(rates),
        };
    }

    private static List<ModelRateSpec>? ReadModels(JsonFields rates)
    {
        var models = rates["models"];
        if (models.ValueKind == JsonValueKind.Undefined) return null;
        if (models.ValueKind != JsonValueKind.Object)
        {
            rates.Refuse("models", "must be a JSON object of model names");
            return null;
        }
        if (models.GetPropertyCount() > TokenRates.MaxModels)
        {
            rates.Refuse("models", $"must be at most {TokenRates.MaxModels}");
            return null;
        }
        var read = new List<ModelRateSpec>();
        foreach (var model in models.EnumerateObject())
        {
            var path = $"{rates.Path("models")}.{model.Name}";
            if (read.Exists(m => m.Model == model.Name)) rates.Errors.Add(new(path, "is given twice"));
            var rate = JsonFields.Of(model.Value, path, rates.Errors, "input_per_million", "output_per_million");
            read.Add(new(model.Name, rate.Decimal("input_per_million", Rate.Decimals), rate.Decimal("output_per_million", Rate.Decimals)));
        }
        return read;
    }

    private static BonusSpec ReadBonus(JsonElement element, string path, List<FieldError> errors)
    {
        var bonus = JsonFields.Of(element, path, errors, "name", "action", "when", "amount", "percent", "of", "max_amount");
        return new()
        {
            Name = bonus.Text("name"),
            Action = bonus.Text("action"),
            When = bonus.IsSet("when") ? ConditionJson.Read(bonus["when"], bonus.Path("when"), errors) : null,
            Amount = bonus.Decimal("amount", Money.Decimals),
            Percent = bonus.Decimal("percent", Percentage.Decimals),
            Of = bonus.Text("of"),
            MaxAmount = bonus.Decimal("max_amount", Money.Decimals),
        };
    }

    private static PendingSpec? ReadPending(JsonFields tier)
    {
        if (tier.Object("pending", "expires_after", "on_expiry") is not { } pending) return null;
        var expiry = pending.Object("on_expiry", "bonus", "amount");
        return new()
        {
            ExpiresAfter = pending.Duration("expires_after"),
            OnExpiry = expiry is null ? null : new() { Bonus = expiry.Text("bonus"), Amount = expiry.Decimal("amount", Money.Decimals) },
        };
    }

    private static OneBonusPerSpec? ReadOneBonusPer(JsonFields tier)
    {
        if (!tier.IsSet("one_bonus_per")) return null;
        if (tier["one_bonus_per"].ValueKind == JsonValueKind.String) return new() { Field = tier.Text("one_bonus_per"), Scope = "agent" };
        if (tier["one_bonus_per"].ValueKind != JsonValueKind.Object)
        {
            tier.Refuse("one_bonus_per", "must be a field, or an object with field and scope");
            return null;
        }
        var per = tier.Object("one_bonus_per", "field", "scope")!;
        return new() { Field = per.Text("field"), Scope = per.Text("scope") ?? "agent" };
    }
}
