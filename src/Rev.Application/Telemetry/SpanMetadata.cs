using System.Text;
using System.Text.Json.Nodes;
using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Application.Telemetry;

/// <summary>The metadata of a call that was a span: <c>rev.metadata.*</c>, and under <c>otel</c> where it came from.</summary>
internal static class SpanMetadata
{
    private const string Origin = "otel";
    private const int MaxText = 256;

    /// <summary>The metadata of a span, or what is wrong with it. A name of its own goes before the resource's.</summary>
    public static (Metadata? Metadata, string? Fault) Of(SpanRecord span, string? operation)
    {
        var root = new JsonObject { [Origin] = OriginOf(span, operation) };
        if ((Add(root, span.Attributes) ?? Add(root, span.Resource)) is { } fault) return (null, fault);
        if (Depth(root) > Metadata.MaxDepth) return (null, $"{SpanConventions.Metadata}*: is nested deeper than {Metadata.MaxDepth} levels");
        using var scratch = JsonScratch.Begin();
        root.WriteTo(scratch.Writer);
        var json = scratch.Written;
        return json.Length <= Metadata.MaxBytes
            ? (Metadata.FromChecked(Encoding.UTF8.GetString(json)), null)
            : (null, $"{SpanConventions.Metadata}*: must be at most {Metadata.MaxBytes} bytes together");
    }

    private static JsonObject OriginOf(SpanRecord span, string? operation)
    {
        var origin = new JsonObject { ["mapping"] = SpanConventions.Version, ["trace_id"] = span.TraceId, ["span_id"] = span.SpanId };
        void Put(string name, string? text)
        {
            if (text is not null) origin[name] = Texts.Cut(text, MaxText);
        }
        Put("operation", operation);
        Put("provider", SpanOperation.First(span.Attributes, SpanConventions.Provider));
        Put("response_model", SpanOperation.First(span.Attributes, SpanConventions.ResponseModel));
        Put("conversation_id", SpanOperation.First(span.Attributes, SpanConventions.Conversation));
        if (SpanUsage.Count(span.Attributes, SpanConventions.Cached).Number is { } cached) origin["tokens_cached"] = cached;
        if (SpanUsage.Count(span.Attributes, SpanConventions.Reasoning).Number is { } reasoning) origin["tokens_reasoning"] = reasoning;
        return origin;
    }

    private static string? Add(JsonObject root, SpanAttributes attributes)
    {
        foreach (var (name, value) in attributes.All)
        {
            if (!name.StartsWith(SpanConventions.Metadata, StringComparison.Ordinal)) continue;
            // Counted before it is split: a name may be as long as a request.
            if (name.AsSpan(SpanConventions.Metadata.Length).Count('.') >= Metadata.MaxDepth) return $"{Spelling.Shown(name)}: is nested deeper than {Metadata.MaxDepth} levels";
            var path = name[SpanConventions.Metadata.Length..].Split('.');
            if (Array.Exists(path, part => part.Length == 0)) return $"{Spelling.Shown(name)}: names no member of metadata";
            if (path[0] == Origin) return $"{Spelling.Shown(name)}: metadata.{Origin} is Rev's own";
            var at = root;
            foreach (var part in path[..^1])
            {
                if (!at.TryGetPropertyValue(part, out var next)) at[part] = next = new JsonObject();
                if (next is not JsonObject inner) return $"{Spelling.Shown(name)}: '{part}' is a value and an object";
                at = inner;
            }
            if (!at.TryGetPropertyValue(path[^1], out var there)) at[path[^1]] = Json(value);
            else if (there is JsonObject) return $"{Spelling.Shown(name)}: '{path[^1]}' is a value and an object";
        }
        return null;
    }

    private static JsonNode? Json(SpanValue? value)
    {
        switch (value)
        {
            case SpanText text: return JsonValue.Create(text.Text);
            case SpanInteger integer: return JsonValue.Create(integer.Number);
            case SpanReal real: return double.IsFinite(real.Number) ? JsonValue.Create(real.Number) : null;
            case SpanFlag flag: return JsonValue.Create(flag.IsTrue);
            case SpanList list: return new JsonArray(list.Items.Select(Json).ToArray());
            case SpanMap map:
                var members = new JsonObject();
                foreach (var (name, member) in map.Members)
                    if (!members.ContainsKey(name)) members[name] = Json(member);
                return members;
            default: return null;
        }
    }

    /// <summary>How deep objects and lists are nested.</summary>
    private static int Depth(JsonNode? node)
    {
        var deepest = 0;
        switch (node)
        {
            case JsonObject map:
                foreach (var (_, member) in map) deepest = Math.Max(deepest, Depth(member));
                return deepest + 1;
            case JsonArray list:
                foreach (var item in list) deepest = Math.Max(deepest, Depth(item));
                return deepest + 1;
            default:
                return 0;
        }
    }
}
