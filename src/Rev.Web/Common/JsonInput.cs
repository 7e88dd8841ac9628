using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Rev.Domain.Common;

namespace Rev.Web.Common;

/// <summary>JSON in a form: what somebody typed, and what is put before them.</summary>
internal static class JsonInput
{
    /// <summary>Deepest nesting that is read: as deep as bodies of the API may be; metadata itself is held to less.</summary>
    public const int MaxDepth = 64;

    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads an object.</summary>
    /// <param name="text">What was typed.</param>
    /// <param name="field">Where, for complaints.</param>
    /// <param name="errors">Where complaints go.</param>
    /// <returns>The object; null when it cannot be read.</returns>
    public static JsonElement? Object(string text, string field, List<FieldError> errors)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MaxDepth });
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document.RootElement.Clone();
            errors.Add(new(field, "must be a JSON object"));
        }
        catch (JsonException exception)
        {
            errors.Add(new(field, string.Create(CultureInfo.InvariantCulture, $"is no JSON: look at line {exception.LineNumber + 1}, position {exception.BytePositionInLine + 1}")));
        }
        return null;
    }

    /// <summary>A value on several lines, its numbers as they were sent.</summary>
    public static string Pretty(JsonElement value) => Pretty(value.WriteTo);

    /// <summary>What is written, on several lines.</summary>
    public static string Pretty(Action<Utf8JsonWriter> write) => Text(write, Indented);

    /// <summary>What is written, on one line.</summary>
    public static string Compact(Action<Utf8JsonWriter> write) => Text(write, JsonText.Compact);

    private static string Text(Action<Utf8JsonWriter> write, JsonWriterOptions options)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, options)) write(writer);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
