using System.Text;
using System.Text.Json;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Infrastructure.Webhooks;

/// <summary>What came of the calls that a delivery names, as it is stored with its body.</summary>
public static class HookItemsJson
{
    /// <summary>The text of items.</summary>
    public static string Write(IReadOnlyList<HookItem> items)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonText.Compact))
        {
            writer.WriteStartArray();
            foreach (var item in items)
            {
                writer.WriteStartObject();
                if (item.Value is { } value) writer.WriteString("value", value);
                if (item.Outcome is { } outcome) writer.WriteString("outcome", outcome.ToString());
                writer.WriteNumber("result", (int)item.Result);
                if (item.Reason is { } reason) writer.WriteString("reason", reason);
                writer.WriteNumber("kept", (int)item.Kept);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The items of a text.</summary>
    public static IReadOnlyList<HookItem> Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.EnumerateArray().Select(item => new HookItem(
            Text(item, "value"), OutcomeId.TryParse(Text(item, "outcome"), out var outcome) ? outcome : (OutcomeId?)null, (HookResult)item.GetProperty("result").GetInt32(),
            Text(item, "reason"), (KeptPayload)item.GetProperty("kept").GetInt32())).ToArray();
    }

    private static string? Text(JsonElement item, string name) => item.TryGetProperty(name, out var text) ? text.GetString() : null;
}
