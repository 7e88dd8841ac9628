using System.Text.Json;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Application.Metering;

/// <summary>
/// The content of a call for idempotency: equal after parsing and defaults. The order of members does not matter, nor
/// whether a field is null or absent, nor whether a number is written 1.0 or 1.
/// </summary>
public static class CallContent
{
    /// <summary>The hash of a call's content, without its key.</summary>
    public static UInt128 Hash(MeterCall call)
    {
        using var scratch = JsonScratch.Begin();
        var writer = scratch.Writer;
        writer.WriteStartArray();
        writer.WriteStringValue(call.AgentId);
        writer.WriteStringValue(call.Action);
        writer.WriteNumberValue(call.TokensInput);
        writer.WriteNumberValue(call.TokensOutput);
        writer.WriteStringValue(call.Outcome);
        WriteInstant(writer, call.ExpiresAt);
        WriteInstant(writer, call.OccurredAt);
        writer.WriteStringValue(call.CustomerId);
        writer.WriteStringValue(call.Model);
        if (call.Metadata is null) writer.WriteNullValue();
        else WriteSorted(writer, call.Metadata.Root);
        writer.WriteEndArray();
        return IdempotencyHash.Content(scratch.Written);
    }

    private static void WriteInstant(Utf8JsonWriter writer, DateTimeOffset? at)
    {
        if (at is { } instant) writer.WriteNumberValue(instant.UtcTicks);
        else writer.WriteNullValue();
    }

    private static void WriteSorted(Utf8JsonWriter writer, JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            writer.WriteStartObject();
            foreach (var (name, value) in Sorted(element))
            {
                writer.WritePropertyName(name);
                WriteSorted(writer, value);
            }
            writer.WriteEndObject();
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            writer.WriteStartArray();
            foreach (var item in element.EnumerateArray()) WriteSorted(writer, item);
            writer.WriteEndArray();
        }
        else if (element.ValueKind == JsonValueKind.Number && FactValue.TryNumber(element, out var number))
            writer.WriteNumberValue(FactValue.Normalized(number));
        else element.WriteTo(writer);
    }

    /// <summary>The members by name; most objects are small and sorted in a moment.</summary>
    private static (string Name, JsonElement Value)[] Sorted(JsonElement element)
    {
        var members = new (string Name, JsonElement Value)[element.GetPropertyCount()];
        var i = 0;
        foreach (var member in element.EnumerateObject()) members[i++] = (member.Name, member.Value);
        Array.Sort(members, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return members;
    }
}
