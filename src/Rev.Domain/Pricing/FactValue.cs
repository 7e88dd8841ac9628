using System.Globalization;
using System.Text.Json;
using Rev.Domain.Common;

namespace Rev.Domain.Pricing;

/// <summary>The types that conditions know.</summary>
public enum FactType
{
    /// <summary>The field is not there.</summary>
    Missing,
    /// <summary>JSON null: present, of a type of its own.</summary>
    Null,
    /// <summary>true or false.</summary>
    Boolean,
    /// <summary>An exact decimal.</summary>
    Number,
    /// <summary>Text, compared ordinally.</summary>
    String,
    /// <summary>A list; only <c>contains</c> looks into it.</summary>
    Array,
    /// <summary>Present, but nothing a condition compares: an object, or a number outside decimal's range.</summary>
    Other,
}

/// <summary>A value that a condition compares: a fact of the call, or the value a rule names.</summary>
public readonly record struct FactValue
{
    private FactValue(FactType type, decimal number = 0, string? text = null, bool flag = false, ValueList<FactValue>? items = null)
    {
        Type = type;
        Number = number;
        Text = text;
        Flag = flag;
        Items = items;
    }

    /// <summary>Its type.</summary>
    public FactType Type { get; }

    /// <summary>The number, when <see cref="Type"/> is Number.</summary>
    public decimal Number { get; }

    /// <summary>The text of a string, or the JSON text of an <see cref="FactType.Other"/>.</summary>
    public string? Text { get; }

    /// <summary>The boolean.</summary>
    public bool Flag { get; }

    /// <summary>The elements of an array.</summary>
    public ValueList<FactValue>? Items { get; }

    /// <summary>Not there.</summary>
    public static FactValue Missing => default;

    /// <summary>JSON null.</summary>
    public static FactValue Null => new(FactType.Null);

    /// <summary>A string, or missing when null.</summary>
    public static FactValue Of(string? text) => text is null ? Missing : new(FactType.String, text: text);

    /// <summary>A number.</summary>
    public static FactValue Of(decimal number) => new(FactType.Number, number);

    /// <summary>A boolean.</summary>
    public static FactValue Of(bool flag) => new(FactType.Boolean, flag: flag);

    /// <summary>A list.</summary>
    public static FactValue Of(IEnumerable<FactValue> items) => new(FactType.Array, items: items.ToValueList());

    /// <summary>Something that is there and that no condition compares.</summary>
    /// <param name="json">What a trace shows of it, as JSON.</param>
    public static FactValue Incomparable(string json) => new(FactType.Other, text: json);

    /// <summary>A JSON value.</summary>
    public static FactValue Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null => Null,
        JsonValueKind.True => Of(true),
        JsonValueKind.False => Of(false),
        JsonValueKind.String => Of(element.GetString()),
        JsonValueKind.Number => TryNumber(element, out var number) ? Of(number) : new(FactType.Other, text: element.GetRawText()),
        JsonValueKind.Array => Of(element.EnumerateArray().Select(Of)),
        JsonValueKind.Object => new(FactType.Other, text: element.GetRawText()),
        _ => Missing,
    };

    /// <summary>Same type and same value; never true of arrays and others.</summary>
    public bool Matches(FactValue other) => Type == other.Type && Type switch
    {
        FactType.Null => true,
        FactType.Boolean => Flag == other.Flag,
        FactType.Number => Number == other.Number,
        FactType.String => string.Equals(Text, other.Text, StringComparison.Ordinal),
        FactType.Missing or FactType.Array or FactType.Other => false,
    };

    /// <summary>The value as JSON.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        switch (Type)
        {
            case FactType.Boolean: writer.WriteBooleanValue(Flag); break;
            case FactType.Number: writer.WriteNumberValue(Normalized(Number)); break;
            case FactType.String: writer.WriteStringValue(Text); break;
            case FactType.Other: writer.WriteRawValue(Text!, skipInputValidation: true); break;
            case FactType.Array:
                writer.WriteStartArray();
                foreach (var item in Items!) item.WriteTo(writer);
                writer.WriteEndArray();
                break;
            case FactType.Missing:
            case FactType.Null:
                writer.WriteNullValue();
                break;
        }
    }

    /// <summary>A number without trailing zeros, so that equal numbers have equal texts.</summary>
    public static decimal Normalized(decimal number) => number / 1.0000000000000000000000000000m;

    /// <summary>A JSON number as a decimal, when decimal holds it exactly.</summary>
    public static bool TryNumber(JsonElement element, out decimal number)
    {
        if (!element.TryGetDecimal(out number)) return false;
        var text = element.GetRawText();
        // Decimal keeps 28 digits and rounds the rest away: what it would round, it does not hold.
        if (text.Length <= 28 && !text.AsSpan().ContainsAny('e', 'E')) return true;
        return IsExact(text, number);
    }

    private static bool IsExact(string text, decimal number)
    {
        var split = text.AsSpan().IndexOfAny('e', 'E');
        var mantissa = split < 0 ? text : text[..split];
        var exponent = 0L;
        if (split >= 0 && !long.TryParse(text.AsSpan(split + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent)) return false;
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var digits = System.Numerics.BigInteger.Parse(mantissa.Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        var power = Math.Clamp(exponent, -1_000_000, 1_000_000) - (point < 0 ? 0 : mantissa.Length - point - 1);
        if (digits.IsZero) return true;
        if (power is < -200 or > 200) return false;
        var (told, ten) = (Exact.Of(number), Exact.Whole(System.Numerics.BigInteger.Pow(10, (int)Math.Abs(power))));
        var said = power >= 0 ? Exact.Whole(digits) * ten : Exact.Whole(digits) / ten;
        return (told - said).IsZero;
    }
}
