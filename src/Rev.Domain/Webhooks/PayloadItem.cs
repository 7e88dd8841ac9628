using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Rev.Domain.Pricing;

namespace Rev.Domain.Webhooks;

/// <summary>
/// A payload as it stands for one value of a path: where the path crosses a list, that one element stands in the list's place,
/// for conditions and for what is kept as metadata.
/// </summary>
public sealed class PayloadItem
{
    /// <summary>Largest list or object that conditions look at, in bytes: as much as metadata holds. Sixty leaves that each go through a larger one, for a thousand calls, would take minutes.</summary>
    public const int MaxLooked = 16 * 1024;

    /// <summary>Longest number that conditions compare, in characters: whether a longer one is exact takes long to tell.</summary>
    public const int MaxNumberLength = 512;

    private readonly PayloadPath _path;
    private readonly JsonElement _start;

    // By the number of names before it: the element that stands for a list there; Undefined where there is none.
    private readonly JsonElement[] _chosen;

    internal PayloadItem(JsonElement root, PayloadPath path, JsonElement[] chosen, JsonElement value)
    {
        _path = path;
        _chosen = chosen;
        _start = chosen[0].ValueKind == JsonValueKind.Undefined ? root : chosen[0];
        Value = FactOf(value);
    }

    /// <summary>What the path leads to; missing when it leads nowhere.</summary>
    public FactValue Value { get; }

    /// <summary>Whether it is an object: nothing else can become metadata.</summary>
    public bool IsObject => _start.ValueKind == JsonValueKind.Object;

    /// <summary>What conditions see at another path; missing when it is not there.</summary>
    public FactValue Fact(IReadOnlyList<string> path) => FactOf(At(path));

    /// <summary>The value at another path; Undefined when it is not there.</summary>
    public JsonElement At(IReadOnlyList<string> path)
    {
        var at = _start;
        var isOnWay = true;
        for (var i = 0; i < path.Count; i++)
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(path[i], out at)) return default;
            isOnWay = isOnWay && i < _path.Parts.Count && _path.Parts[i] == path[i];
            if (isOnWay && _chosen[i + 1].ValueKind != JsonValueKind.Undefined) at = _chosen[i + 1];
        }
        return at;
    }

    /// <summary>Writes all of it.</summary>
    public void WriteTo(Utf8JsonWriter writer) => Write(writer, _start, 0);

    /// <summary>What of it stands at some paths, each at its place; what is not there is left out.</summary>
    public JsonObject Only(IEnumerable<IReadOnlyList<string>> paths)
    {
        var only = new JsonObject();
        foreach (var path in paths.OrderBy(p => p.Count))
        {
            var value = At(path);
            if (value.ValueKind == JsonValueKind.Undefined) continue;
            var at = only;
            for (var i = 0; i < path.Count - 1 && at is not null; i++)
            {
                if (!at.ContainsKey(path[i])) at[path[i]] = new JsonObject();
                // A shorter path took all of it already.
                at = at[path[i]] as JsonObject;
            }
            if (at is not null) at[path[^1]] = JsonNode.Parse(value.GetRawText());
        }
        return only;
    }

    private static FactValue FactOf(JsonElement at)
    {
        var most = at.ValueKind switch
        {
            JsonValueKind.Number => MaxNumberLength,
            JsonValueKind.Array or JsonValueKind.Object => MaxLooked,
            _ => int.MaxValue,
        };
        return most < int.MaxValue && JsonMarshal.GetRawUtf8Value(at).Length > most ? FactValue.Incomparable("\"too large to compare\"") : FactValue.Of(at);
    }

    private void Write(Utf8JsonWriter writer, JsonElement at, int depth)
    {
        if (at.ValueKind != JsonValueKind.Object || !_chosen.Skip(depth + 1).Any(c => c.ValueKind != JsonValueKind.Undefined))
        {
            at.WriteTo(writer);
            return;
        }
        writer.WriteStartObject();
        foreach (var member in at.EnumerateObject())
        {
            if (!member.NameEquals(_path.Parts[depth]))
            {
                member.WriteTo(writer);
                continue;
            }
            writer.WritePropertyName(member.Name);
            Write(writer, _chosen[depth + 1].ValueKind == JsonValueKind.Undefined ? member.Value : _chosen[depth + 1], depth + 1);
        }
        writer.WriteEndObject();
    }
}

/// <summary>What a resolver's conditions look at: a payload, and the call that it is about, if that is known.</summary>
public sealed class PayloadFacts(CallFacts? call, PayloadItem payload) : IFacts
{
    /// <inheritdoc/>
    public FactValue this[FactField field] => field.IsPayload ? payload.Fact(field.Path) : call?[field] ?? FactValue.Missing;
}
