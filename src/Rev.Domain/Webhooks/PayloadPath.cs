using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Rev.Domain.Common;

namespace Rev.Domain.Webhooks;

/// <summary>
/// A dotted path into a payload: <c>data.message_id</c>. A list that it crosses stands for each of its elements, so that one
/// payload may tell of several calls; the payload itself may be a list.
/// </summary>
public sealed record PayloadPath
{
    /// <summary>Longest path, in characters.</summary>
    public const int MaxLength = 200;

    /// <summary>The rule that <see cref="TryParse"/> holds a text to.</summary>
    public const string Rule = "must be a dotted path into the payload, such as data.message_id, of at most 200 characters";

    private PayloadPath(string name, ValueList<string> parts)
    {
        Name = name;
        Parts = parts;
    }

    /// <summary>As written.</summary>
    public string Name { get; }

    /// <summary>The names of its members.</summary>
    public ValueList<string> Parts { get; }

    /// <summary>Reads a path.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out PayloadPath? path)
    {
        path = null;
        if (text is null or { Length: 0 or > MaxLength } || text.Any(char.IsControl)) return false;
        var parts = text.Split('.');
        if (parts.Any(p => p.Length == 0)) return false;
        path = new(text, parts.ToValueList());
        return true;
    }

    /// <summary>The parts of a payload that the path tells apart: one, or as many as the lists on its way have elements.</summary>
    /// <param name="root">The payload; it must live on.</param>
    /// <param name="most">When there are more, one more than this is answered.</param>
    public IReadOnlyList<PayloadItem> Items(JsonElement root, int most)
    {
        var items = new List<PayloadItem>();
        Walk(root, 0, new JsonElement[Parts.Count + 1]);
        return items;

        void Walk(JsonElement at, int depth, JsonElement[] chosen)
        {
            if (items.Count > most) return;
            if (at.ValueKind == JsonValueKind.Array)
            {
                foreach (var element in at.EnumerateArray())
                {
                    if (items.Count > most) return;
                    var own = (JsonElement[])chosen.Clone();
                    own[depth] = element;
                    Walk(element, depth, own);
                }
                return;
            }
            if (depth == Parts.Count) items.Add(new(root, this, chosen, at));
            else if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty(Parts[depth], out var next)) Walk(next, depth + 1, chosen);
            else items.Add(new(root, this, chosen, default));
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
