using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;
using Rev.Client.Json;

namespace Rev.Client;

/// <summary>Makes metadata of what programs have at hand.</summary>
public static class RevMetadata
{
    /// <summary>
    /// A JSON object of a dictionary: strings, numbers, booleans, instants, durations, ids, enums (by their names), JSON, and
    /// dictionaries and lists of these. Other values are an <see cref="ArgumentException"/>.
    /// </summary>
    public static JsonObject From(IEnumerable<KeyValuePair<string, object?>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var json = new JsonObject();
        foreach (var (name, value) in values) json[name] = Node(name, value);
        return json;
    }

    /// <summary>What cannot be written must be told when it is given, not when the work is done and metered.</summary>
    internal static void Check(string name, JsonNode? value)
    {
        try
        {
            _ = value?.ToJsonString(RevJson.Wire.Options);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException or InvalidOperationException or JsonException)
        {
            throw new ArgumentException($"metadata.{name} cannot be written as JSON: {exception.Message}", name, exception);
        }
    }

    private static JsonNode? Node(string name, object? value) => value switch
    {
        null => null,
        JsonNode node => node.DeepClone(),
        JsonElement element => element.ValueKind == JsonValueKind.Undefined ? null : JsonNode.Parse(element.GetRawText()),
        string text => JsonValue.Create(text),
        bool flag => JsonValue.Create(flag),
        int number => JsonValue.Create(number),
        long number => JsonValue.Create(number),
        decimal number => JsonValue.Create(number),
        double number when double.IsFinite(number) => JsonValue.Create(number),
        float number when float.IsFinite(number) => JsonValue.Create(number),
        double or float => throw new ArgumentException($"{value} cannot be metadata: {name}", nameof(value)),
        short number => JsonValue.Create(number),
        byte number => JsonValue.Create(number),
        uint number => JsonValue.Create(number),
        ulong number => JsonValue.Create(number),
        DateTimeOffset instant => JsonValue.Create(Wire.Format(instant)),
        DateTime instant => JsonValue.Create(instant),
        DateOnly day => JsonValue.Create(day.ToString("O")),
        TimeSpan duration => JsonValue.Create(Wire.Format(duration)),
        Guid id => JsonValue.Create(id),
        Uri address => JsonValue.Create(address.OriginalString),
        Enum choice => JsonValue.Create(choice.ToString()),
        IEnumerable<KeyValuePair<string, object?>> values => From(values),
        IDictionary values => Map(values),
        IEnumerable items => List(name, items),
        _ => throw new ArgumentException($"A {value.GetType().Name} cannot be metadata: {name}", nameof(value)),
    };

    private static JsonObject Map(IDictionary values)
    {
        var json = new JsonObject();
        foreach (DictionaryEntry entry in values)
        {
            var name = entry.Key as string ?? throw new ArgumentException("The keys of metadata are strings.", nameof(values));
            json[name] = Node(name, entry.Value);
        }
        return json;
    }

    private static JsonArray List(string name, IEnumerable items)
    {
        var list = new JsonArray();
        foreach (var item in items) list.Add(Node(name, item));
        return list;
    }
}
