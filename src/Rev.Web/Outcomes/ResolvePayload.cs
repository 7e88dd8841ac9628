using System.Text.Json;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Outcomes;

/// <summary>Reads the result payload that somebody typed, by the rules of the API.</summary>
public static class ResolvePayload
{
    /// <summary>Reads a text; nothing is no payload.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public static Error? Read(string? text, out Metadata? metadata)
    {
        metadata = null;
        if (string.IsNullOrWhiteSpace(text)) return null;
        try
        {
            var options = new JsonDocumentOptions { MaxDepth = JsonInput.MaxDepth };
            using var alone = JsonDocument.Parse(text, options);
            if (alone.RootElement.ValueKind != JsonValueKind.Object) return Error.Invalid("metadata", "must be a JSON object, such as {\"reply_received\": true}");
            // The reader of the API reads members: this is the one that it calls metadata.
            using var body = JsonDocument.Parse($"{{\"metadata\":{text}}}", options);
            var errors = new List<FieldError>();
            metadata = JsonFields.Of(body.RootElement, "", errors, "metadata").Metadata("metadata");
            return errors.Count == 0 ? null : Error.Invalid(errors);
        }
        catch (JsonException exception)
        {
            return Error.Invalid("metadata", $"is not JSON: line {exception.LineNumber + 1 ?? 1}, byte {exception.BytePositionInLine + 1 ?? 1}");
        }
    }
}
