using System.Globalization;
using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <summary>Reads JSON in Stripe's shape, and form parameters, without caring how a number was stored.</summary>
public static class StripeJson
{
    /// <summary>A member as text; null when it is missing, null, an object or an array.</summary>
    public static string? Text(this JsonNode? node, string name)
    {
        if ((node as JsonObject)?[name] is not JsonValue value) return null;
        return value.TryGetValue<string>(out var text) ? text : value.ToJsonString();
    }

    /// <summary>A member as text; null also when it is empty.</summary>
    public static string? Given(this JsonNode? node, string name) => node.Text(name) is { Length: > 0 } text ? text : null;

    /// <summary>A member as a number; 0 when it is missing.</summary>
    public static long Long(this JsonNode? node, string name) =>
        node.Given(name) is { } text ? long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0;

    /// <summary>Whether a member is true.</summary>
    public static bool Flag(this JsonNode? node, string name) => string.Equals(node.Text(name), "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>A member that is an object.</summary>
    public static JsonObject? Child(this JsonNode? node, string name) => (node as JsonObject)?[name] as JsonObject;

    /// <summary>The objects in a member that is an array.</summary>
    public static IReadOnlyList<JsonObject> Items(this JsonNode? node, string name) => (node as JsonObject)?[name] is JsonArray items ? [.. items.OfType<JsonObject>()] : [];

    /// <summary>The metadata's value under a key.</summary>
    public static string? Metadata(this JsonNode? node, string key) => node.Child("metadata").Text(key);

    internal static bool Has(this JsonObject form, string name) => form.ContainsKey(name);

    /// <summary>A parameter that must be a whole number; null when it is not given.</summary>
    internal static long? Whole(this JsonNode? form, string name)
    {
        if (form.Given(name) is not { } text) return null;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)) return value;
        throw FakeStripeException.Invalid("parameter_invalid_integer", $"Invalid integer: {text}", name);
    }

    /// <summary>A parameter that must be a decimal of at most 12 places; null when it is not given.</summary>
    internal static decimal? Exact(this JsonNode? form, string name)
    {
        if (form.Given(name) is not { } text) return null;
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var places = point < 0 ? 0 : text.Length - point - 1;
        var taken = decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value);
        if (taken && places <= 12) return value;
        throw FakeStripeException.Invalid("parameter_invalid_decimal", $"Invalid decimal: {text}; must contain at maximum 12 decimal places.", name);
    }

    internal static string Required(this JsonNode? form, string name) =>
        form.Given(name) ?? throw FakeStripeException.Invalid("parameter_missing", $"Missing required param: {name}.", name);

    /// <summary>Text that may not be longer than Stripe takes.</summary>
    internal static string? Limited(this JsonNode? form, string name, int longest)
    {
        var text = form.Given(name);
        if (text is null || text.Length <= longest) return text;
        var most = longest.ToString(CultureInfo.InvariantCulture);
        throw FakeStripeException.Invalid("parameter_invalid_string_length", $"Invalid string: {text[..20]}…; must be at most {most} characters", name);
    }

    internal static JsonObject Copy(this JsonObject node) => (JsonObject)node.DeepClone();

    internal static JsonArray ArrayOf(IEnumerable<JsonNode> nodes)
    {
        var array = new JsonArray();
        foreach (var node in nodes) array.Add(node);
        return array;
    }

    /// <summary>Takes a form's metadata over: an empty value takes a key away, an empty metadata takes all away.</summary>
    internal static void Merge(JsonObject row, JsonNode? form, string name = "metadata")
    {
        if (form is not JsonObject fields || !fields.Has(name)) return;
        if (row["metadata"] is not JsonObject metadata || fields[name] is not JsonObject) row["metadata"] = metadata = new JsonObject();
        foreach (var (key, _) in fields.Child(name) ?? new JsonObject())
        {
            if (key.Length > 40) throw FakeStripeException.Invalid("parameter_invalid_string_length", $"Metadata keys can be at most 40 characters: {key}", name);
            var value = fields.Child(name).Text(key) ?? "";
            if (value.Length > 500) throw FakeStripeException.Invalid("parameter_invalid_string_length", $"Metadata values can be at most 500 characters: {key}", name);
            if (value.Length == 0) metadata.Remove(key);
            else metadata[key] = value;
        }
        if (metadata.Count > 50) throw FakeStripeException.Invalid("parameter_invalid", "You can have at most 50 metadata keys.", name);
    }

    /// <summary>The page of a list that a query asks for: 10 rows unless it says else, at most 100.</summary>
    internal static JsonObject Page(IEnumerable<JsonObject> all, JsonObject query, string url, Func<JsonObject, JsonObject> shown)
    {
        var rows = all.ToList();
        var limit = query.Whole("limit") ?? 10;
        if (limit is < 1 or > 100) throw FakeStripeException.Invalid("parameter_invalid_integer", "This value must be between 1 and 100, inclusive.", "limit");
        if (query.Given("starting_after") is { } after) rows.RemoveRange(0, Place(rows, after, "starting_after") + 1);
        var more = rows.Count > limit;
        var page = rows.Take((int)limit);
        if (query.Given("ending_before") is { } before)
        {
            var place = Place(rows, before, "ending_before");
            more = place > limit;
            page = rows.Take(place).TakeLast((int)limit);
        }
        return new JsonObject { ["object"] = "list", ["url"] = url, ["has_more"] = more, ["data"] = ArrayOf(page.Select(shown)) };
    }

    /// <summary>Whether a row's time is within <c>name[gte]</c>, <c>[gt]</c>, <c>[lte]</c>, <c>[lt]</c>, or is <c>name</c>.</summary>
    internal static bool Within(this JsonObject row, JsonObject query, string name)
    {
        var at = row.Long(name);
        if (query.Child(name) is not { } range) return query.Whole(name) is not { } exact || at == exact;
        return at >= (range.Whole("gte") ?? long.MinValue) && at <= (range.Whole("lte") ?? long.MaxValue)
            && (range.Whole("gt") is not { } above || at > above) && (range.Whole("lt") is not { } below || at < below);
    }

    /// <summary>Whether a row has what the query asks of these members.</summary>
    internal static bool Fits(this JsonObject row, JsonObject query, params string[] names) =>
        names.All(name => query.Given(name) is not { } wanted || row.Text(name) == wanted);

    private static int Place(List<JsonObject> rows, string id, string name)
    {
        var place = rows.FindIndex(row => row.Text("id") == id);
        return place >= 0 ? place : throw FakeStripeException.Missing("object", id, name);
    }
}

/// <summary>A request that Stripe refuses.</summary>
internal sealed class FakeStripeException(int status, string? code, string message, string? param, bool remembered, string type = "invalid_request_error") : Exception(message)
{
    public int Status { get; } = status;

    /// <summary>Whether the answer is kept under the idempotency key: not when the parameters alone were wrong.</summary>
    public bool Remembered { get; } = remembered;

    /// <summary>The <c>Stripe-Should-Retry</c> header; null when none is sent.</summary>
    public bool? ShouldRetry { get; init; }

    /// <summary>Wrong parameters: nothing began, nothing is remembered.</summary>
    public static FakeStripeException Invalid(string? code, string message, string? param) => new(400, code, message, param, remembered: false);

    /// <summary>Refused for the state that things are in: remembered.</summary>
    public static FakeStripeException Refused(string? code, string message, string? param = null) => new(400, code, message, param, remembered: true);

    /// <summary>No such thing.</summary>
    public static FakeStripeException Missing(string kind, string? id, string? param, string? hint = null) =>
        new(404, "resource_missing", $"No such {kind}: '{id}'{hint}", param, remembered: true);

    public JsonObject Body()
    {
        var error = new JsonObject { ["type"] = type, ["message"] = Message, ["request_log_url"] = "https://dashboard.stripe.com/logs/req" };
        if (code is not null) error["code"] = code;
        if (param is not null) error["param"] = param;
        return new JsonObject { ["error"] = error };
    }
}
