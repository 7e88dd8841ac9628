using System.Text.Json;

namespace Rev.Domain.Common;

/// <summary>
/// A JSON object sent with a call or a resolution: the facts that bonus conditions read. Numbers are kept as they were sent.
/// </summary>
public sealed class Metadata : IEquatable<Metadata>
{
    /// <summary>Largest size of the compact text, in bytes of UTF-8.</summary>
    public const int MaxBytes = 16 * 1024;

    /// <summary>Deepest nesting; the object itself is level 1.</summary>
    public const int MaxDepth = 8;

    private JsonElement? _root;

    private Metadata(string json) => Json = json;

    /// <summary>An empty object.</summary>
    public static Metadata Empty { get; } = new("{}");

    /// <summary>What an erasure leaves: an empty object that can be told from one that was sent empty.</summary>
    public const string Erased = "{ }";

    /// <summary>Whether it was erased: what it said can no longer be explained.</summary>
    public bool IsErased => Json == Erased;

    /// <summary>Compact JSON text of the object.</summary>
    public string Json { get; }

    /// <summary>The parsed object.</summary>
    public JsonElement Root => _root ??= Parse(Json);

    /// <summary>Metadata of a text that was checked to be an object within the limits.</summary>
    public static Metadata FromChecked(string json) => json.Length == 2 ? Empty : new(json);

    /// <summary>This, with the members of <paramref name="newer"/> put over it at the top level only.</summary>
    public Metadata MergedWith(Metadata? newer)
    {
        if (newer is null || newer.Json.Length == 2) return this;
        if (Json.Length == 2) return newer;
        var later = newer.Root;
        using var stream = new MemoryStream(Json.Length + newer.Json.Length);
        using (var writer = new Utf8JsonWriter(stream, JsonText.Compact))
        {
            writer.WriteStartObject();
            foreach (var member in Root.EnumerateObject())
                if (!later.TryGetProperty(member.Name, out _)) member.WriteTo(writer);
            foreach (var member in later.EnumerateObject()) member.WriteTo(writer);
            writer.WriteEndObject();
        }
        return new(System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length));
    }

    /// <inheritdoc/>
    public bool Equals(Metadata? other) => other is not null && Json == other.Json;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Metadata);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Json);

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}

/// <summary>How Rev writes JSON that it keeps: compact, non-ASCII letters as they are.</summary>
public static class JsonText
{
    /// <summary>Compact, unescaped where JSON allows it, so that a stored text is no longer than what was sent.</summary>
    public static readonly JsonWriterOptions Compact = new()
    {
        Indented = false,
        SkipValidation = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
