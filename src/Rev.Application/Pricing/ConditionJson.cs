using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Application.Pricing;

/// <summary>Conditions as JSON: <c>{"all":[…]}</c>, <c>{"any":[…]}</c>, <c>{"not":…}</c>, or <c>{"field","op","value"}</c>.</summary>
public static class ConditionJson
{
    private static readonly FrozenDictionary<string, Operator> ByName = new Dictionary<string, Operator>(StringComparer.Ordinal)
    {
        ["eq"] = Operator.Eq, ["ne"] = Operator.Ne, ["gt"] = Operator.Gt, ["gte"] = Operator.Gte, ["lt"] = Operator.Lt, ["lte"] = Operator.Lte,
        ["in"] = Operator.In, ["not_in"] = Operator.NotIn, ["exists"] = Operator.Exists, ["not_exists"] = Operator.NotExists,
        ["contains"] = Operator.Contains, ["starts_with"] = Operator.StartsWith, ["ends_with"] = Operator.EndsWith,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<Operator, string> Names = ByName.ToFrozenDictionary(p => p.Value, p => p.Key);

    /// <summary>The name of an operator on the wire.</summary>
    public static string Name(Operator op) => Names[op];

    /// <summary>Reads a condition; null after complaints.</summary>
    /// <param name="element">The condition.</param>
    /// <param name="path">Its path.</param>
    /// <param name="errors">Where complaints go.</param>
    /// <param name="withPayload">Whether fields of a payload may be named.</param>
    public static Condition? Read(JsonElement element, string path, List<FieldError> errors, bool withPayload = false)
    {
        var before = errors.Count;
        var leaves = 0;
        var condition = Read(element, path, errors, withPayload, 1, ref leaves);
        if (leaves > Condition.MaxLeaves) errors.Add(new(path, $"must have at most {Condition.MaxLeaves} leaves"));
        return errors.Count == before ? condition : null;
    }

    /// <summary>Writes a condition.</summary>
    public static void Write(Utf8JsonWriter writer, Condition condition)
    {
        writer.WriteStartObject();
        switch (condition)
        {
            case Condition.All all: WriteParts(writer, "all", all.Parts); break;
            case Condition.Any any: WriteParts(writer, "any", any.Parts); break;
            case Condition.Not not:
                writer.WritePropertyName("not");
                Write(writer, not.Part);
                break;
            case Condition.Leaf leaf:
                writer.WriteString("field", leaf.Field.Name);
                writer.WriteString("op", Name(leaf.Operator));
                if (leaf.Operator is not (Operator.Exists or Operator.NotExists))
                {
                    writer.WritePropertyName("value");
                    leaf.Value.WriteTo(writer);
                }
                break;
        }
        writer.WriteEndObject();
    }

    private static void WriteParts(Utf8JsonWriter writer, string name, ValueList<Condition> parts)
    {
        writer.WriteStartArray(name);
        foreach (var part in parts) Write(writer, part);
        writer.WriteEndArray();
    }

    private static Condition? Read(JsonElement element, string path, List<FieldError> errors, bool withPayload, int depth, ref int leaves)
    {
        if (depth > Condition.MaxDepth)
        {
            errors.Add(new(path, $"must be nested at most {Condition.MaxDepth} levels deep"));
            return null;
        }
        var fields = JsonFields.Of(element, path, errors, "all", "any", "not", "field", "op", "value");
        if (element.ValueKind != JsonValueKind.Object) return null;
        var kinds = new[] { "all", "any", "not", "field" }.Where(fields.IsSet).ToArray();
        if (kinds.Length != 1)
        {
            errors.Add(new(path, "must have exactly one of all, any, not, or field"));
            return null;
        }
        if (kinds[0] != "field" && (fields.Has("op") || fields.Has("value")))
        {
            errors.Add(new(path, "must have op and value only beside field"));
            return null;
        }
        if (kinds[0] == "field") return ReadLeaf(fields, withPayload, ref leaves);
        if (kinds[0] == "not") return Read(fields["not"], fields.Path("not"), errors, withPayload, depth + 1, ref leaves) is { } part ? new Condition.Not(part) : null;

        var items = fields.List(kinds[0], Condition.MaxLeaves);
        if (items is null) return null;
        if (items.Count == 0)
        {
            fields.Refuse(kinds[0], "must not be empty");
            return null;
        }
        var parts = new List<Condition>();
        foreach (var (item, at) in items)
            if (leaves <= Condition.MaxLeaves && Read(item, at, errors, withPayload, depth + 1, ref leaves) is { } read) parts.Add(read);
        return kinds[0] == "all" ? new Condition.All(parts.ToValueList()) : new Condition.Any(parts.ToValueList());
    }

    private static Condition.Leaf? ReadLeaf(JsonFields fields, bool withPayload, ref int leaves)
    {
        leaves++;
        var name = fields.Text("field");
        if (name is null) return null;
        if (!FactField.TryParse(name, withPayload, out var field))
        {
            fields.Refuse("field", withPayload ? FactField.RuleWithPayload : FactField.Rule);
            return null;
        }
        if (fields.Text("op") is not { } opName)
        {
            if (!fields.IsSet("op")) fields.Refuse("op", "is required");
            return null;
        }
        if (!ByName.TryGetValue(opName, out var op))
        {
            var near = Spelling.Nearest(opName, Names.Values);
            fields.Refuse("op", $"must be one of {string.Join(", ", ByName.Keys.Order(StringComparer.Ordinal))}{(near is null ? "" : $"; did you mean {near}?")}");
            return null;
        }
        return ReadValue(fields, op) is { } value ? new(field, op, value) : null;
    }

    private static FactValue? ReadValue(JsonFields fields, Operator op)
    {
        var has = fields.Has("value");
        if (op is Operator.Exists or Operator.NotExists)
        {
            if (!has) return FactValue.Missing;
            fields.Refuse("value", $"does not go with {Name(op)}");
            return null;
        }
        if (!has)
        {
            fields.Refuse("value", "is required");
            return null;
        }
        // An explicit null is a value to compare with, not an absent one.
        var element = fields["value"];
        var value = element.ValueKind == JsonValueKind.Undefined ? FactValue.Null : FactValue.Of(element);
        var wrong = op switch
        {
            Operator.In or Operator.NotIn => value.Type == FactType.Array && value.Items!.Count is > 0 and <= MaxListed && value.Items.All(IsScalar)
                ? null : $"must be a list of 1 to {MaxListed} numbers, strings, booleans or nulls",
            Operator.Gt or Operator.Gte or Operator.Lt or Operator.Lte => value.Type == FactType.Number ? null : "must be a number that a decimal holds",
            Operator.StartsWith or Operator.EndsWith => value.Type == FactType.String ? null : "must be a string",
            Operator.Eq or Operator.Ne or Operator.Contains => IsScalar(value) ? null : "must be a number, a string, a boolean or null",
            Operator.Exists or Operator.NotExists => null,
        };
        if (wrong is null && (IsLong(value) || (value.Items?.Any(IsLong) ?? false))) wrong = $"must be text of at most {MaxTextLength} characters";
        if (wrong is null) return value;
        fields.Refuse("value", wrong);
        return null;
    }

    /// <summary>Most values of in and not_in.</summary>
    private const int MaxListed = 100;

    /// <summary>Longest text that a condition compares with, in characters.</summary>
    private const int MaxTextLength = 1000;

    private static bool IsLong(FactValue value) => value is { Type: FactType.String, Text.Length: > MaxTextLength };

    private static bool IsScalar(FactValue value) => value.Type is FactType.Null or FactType.Boolean or FactType.Number or FactType.String;
}

/// <summary>Writes a condition where a serializer meets one.</summary>
public sealed class ConditionJsonConverter : JsonConverter<Condition>
{
    /// <inheritdoc/>
    public override Condition? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var errors = new List<FieldError>();
        return ConditionJson.Read(document.RootElement, "", errors) ?? throw new JsonException(errors[0].Message);
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, Condition value, JsonSerializerOptions options) => ConditionJson.Write(writer, value);
}
