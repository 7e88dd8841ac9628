using System.Net;
using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <summary>Stripe's form bodies and query strings: <c>lines[0][metadata][k]=v</c> as a tree of objects, arrays and strings.</summary>
public static class StripeForm
{
    /// <summary>Objects whose keys are the caller's own: digits there are names, not places.</summary>
    private static readonly string[] Maps = ["metadata", "invoice_metadata", "payload"];

    /// <summary>The tree; every leaf is a string.</summary>
    public static JsonObject Parse(string encoded) => Members([.. Pairs(encoded).Select(pair => (PathOf(pair.Name), pair.Value))], depth: 0);

    /// <summary>The same text for the same parameters, whatever their order.</summary>
    public static string Canonical(string encoded) =>
        string.Join('&', Pairs(encoded).Select(pair => $"{pair.Name}={pair.Value}").Order(StringComparer.Ordinal));

    private static IEnumerable<(string Name, string Value)> Pairs(string encoded)
    {
        foreach (var part in encoded.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            var name = at < 0 ? part : part[..at];
            var value = at < 0 ? "" : part[(at + 1)..];
            yield return (WebUtility.UrlDecode(name) ?? "", WebUtility.UrlDecode(value) ?? "");
        }
    }

    private static string[] PathOf(string name)
    {
        var open = name.IndexOf('[', StringComparison.Ordinal);
        return open < 0 ? [name] : [name[..open], .. name[open..].TrimStart('[').TrimEnd(']').Split("][", StringSplitOptions.None)];
    }

    private static JsonObject Members(List<(string[] Path, string Value)> pairs, int depth)
    {
        var members = new JsonObject();
        foreach (var group in pairs.GroupBy(pair => pair.Path[depth], StringComparer.Ordinal)) members[group.Key] = Node([.. group], depth + 1, group.Key);
        return members;
    }

    private static JsonNode Node(List<(string[] Path, string Value)> pairs, int depth, string name)
    {
        var nested = pairs.Where(pair => pair.Path.Length > depth).ToList();
        if (nested.Count == 0) return JsonValue.Create(pairs[^1].Value)!;
        if (Maps.Contains(name, StringComparer.Ordinal) || !nested.TrueForAll(pair => pair.Path[depth].All(char.IsAsciiDigit))) return Members(nested, depth);
        var items = new JsonArray();
        var places = nested.GroupBy(pair => pair.Path[depth], StringComparer.Ordinal).OrderBy(group => group.Key.Length).ThenBy(group => group.Key, StringComparer.Ordinal);
        foreach (var place in places)
        {
            if (place.Key.Length > 0)
            {
                items.Add(Node([.. place], depth + 1, name: ""));
                continue;
            }
            foreach (var pair in place) items.Add(Node([pair], depth + 1, name: ""));
        }
        return items;
    }
}
