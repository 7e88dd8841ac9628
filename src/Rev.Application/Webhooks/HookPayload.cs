using System.Text.Json;
using System.Text.Unicode;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>Reads what a resolver is sent.</summary>
internal static class HookPayload
{
    private const int DeepestLooked = 1_024;

    /// <summary>Why a body cannot be read; null when it can.</summary>
    public static string? Fault(ReadOnlyMemory<byte> body, out JsonElement payload)
    {
        payload = default;
        // Some senders begin with the mark of a byte order.
        if (body.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) body = body[3..];
        if (body.Length > HookDelivery.MaxBytes) return $"it is larger than {HookDelivery.MaxBytes / 1024} KiB";
        if (!Utf8.IsValid(body.Span)) return "it is no UTF-8";
        if (!TryParse(body, HookDelivery.MaxDepth, allowTwice: false, out payload))
        {
            return TryParse(body, HookDelivery.MaxDepth, allowTwice: true, out _) ? "a member is given twice"
                : TryParse(body, DeepestLooked, allowTwice: true, out _) ? $"it is nested deeper than {HookDelivery.MaxDepth} levels"
                : "it is no JSON";
        }
        if (payload.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)) return "it is neither a JSON object nor a list";
        return JsonFields.IsWhole(body.Span) ? null : "a string in it escapes half of a surrogate pair";
    }

    /// <summary>Why a payload is more than is gone through; null when it is not.</summary>
    /// <param name="terms">What is read of it.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="bytes">Its size.</param>
    /// <param name="parts">Its parts, each of which names a call.</param>
    public static string? Excess(ResolverTerms terms, JsonElement payload, int bytes, out IReadOnlyList<PayloadItem> parts)
    {
        parts = terms.Payload.Items(payload, HookDelivery.MaxItems);
        if (parts.Count > HookDelivery.MaxItems) return $"it names more than {HookDelivery.MaxItems} calls";
        var fields = terms.PayloadFieldsRead.Count() + (terms.Metadata?.Count ?? 1);
        return (long)parts.Count * fields * bytes <= HookDelivery.MaxRead
            ? null : $"its {bytes} bytes are too many for the {parts.Count} calls that it names and the {fields} fields that the resolver reads for each: send it in several";
    }

    /// <summary>What of a payload becomes the resolution's metadata: what the resolver chooses, if it fits; else what its conditions read, if that does.</summary>
    public static (Metadata? Metadata, KeptPayload Kept) MetadataOf(ResolverTerms terms, PayloadItem item)
    {
        if (!item.IsObject) return (null, KeptPayload.None);
        if (terms.Metadata is { } chosen)
        {
            if (Fitting(item.Only(chosen.Select(path => (IReadOnlyList<string>)path.Parts)).WriteTo) is { } some) return (some, KeptPayload.Chosen);
        }
        else if (Fitting((writer, _) => item.WriteTo(writer)) is { } whole)
        {
            return (whole, KeptPayload.Whole);
        }
        return Fitting(item.Only(terms.PayloadFieldsRead).WriteTo) is { } read ? (read, KeptPayload.Read) : (null, KeptPayload.None);
    }

    private static bool TryParse(ReadOnlyMemory<byte> body, int depth, bool allowTwice, out JsonElement payload)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = depth, AllowDuplicateProperties = allowTwice });
            payload = document.RootElement.Clone();
            return true;
        }
        catch (JsonException)
        {
            payload = default;
            return false;
        }
    }

    /// <summary>What is written, when it fits into metadata.</summary>
    private static Metadata? Fitting(Action<Utf8JsonWriter, JsonSerializerOptions?> write)
    {
        using var scratch = JsonScratch.Begin();
        write(scratch.Writer, null);
        var text = scratch.Written;
        return text.Length <= Metadata.MaxBytes && DepthOf(text) <= Metadata.MaxDepth ? Metadata.FromChecked(System.Text.Encoding.UTF8.GetString(text)) : null;
    }

    private static int DepthOf(ReadOnlySpan<byte> json)
    {
        var deepest = 0;
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) deepest = Math.Max(deepest, reader.CurrentDepth + 1);
        return deepest;
    }
}
